"""What both sites' state tables say. A table of a dark region is silent, which is a normal condition and no error."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, PartialCredentialsError

from function_runtime.clients import AwsError, code_of, unanswered
from function_runtime.items import Items
from function_runtime.sites import Site
from function_runtime.state import CONTROLLER, Controller

BIRTH = "birth"
REPROTECT = "reprotect"
NO_TABLE = "ResourceNotFoundException"
# They say nothing of the region: nobody was asked.
NOT_ASKED = (NoCredentialsError, PartialCredentialsError)


class Answer(StrEnum):
    """What came of reading a table."""

    RECORD = "record"
    """It says who the writer is and who has authority."""
    EMPTY = "empty"
    """It has neither `controller` nor `birth`: its items are lost."""
    ABSENT = "absent"
    """There is no such table: the automation is not deployed there."""
    SILENT = "silent"
    """Its region does not answer."""
    REFUSED = "refused"
    """It answers, and does not let these credentials read it."""
    DAMAGED = "damaged"
    """What it holds is not what is written there."""


@dataclass(frozen=True)
class Table:
    """One site's table.

    Attributes:
        site: whose.
        answer: what came of reading it.
        controller: the record; before the first run what `birth` says; None where `answer` is not `RECORD`.
        handover: the handover of authority that this site's controller carries out; None where there is none.
        reprotect: what the operators' command has recorded of a new standby; None where it never ran here.
        why: what was answered instead of a record.
    """

    site: Site
    answer: Answer
    controller: Controller | None = None
    handover: Mapping[str, Any] | None = None
    reprotect: Mapping[str, Any] | None = None
    why: str = ""

    @property
    def has_authority(self) -> bool:
        """Whether it says that this site's controller has the say."""
        return self.controller is not None and self.controller.authority is self.site


Tables = Mapping[Site, Table]


def read_tables(clients: Mapping[Site, Any], names: Mapping[Site, str]) -> Tables:
    """Read both at the same time.

    Args:
        clients: DynamoDB's client in each site's region.
        names: each site's table.
    """
    with ThreadPoolExecutor(max_workers=len(Site)) as pool:
        asked = {site: pool.submit(read_table, site, clients[site], names[site]) for site in Site}
        return {site: each.result() for site, each in asked.items()}


def read_table(site: Site, client: Any, name: str) -> Table:
    """Read one site's table.

    Raises:
        BotoCoreError: there are no credentials to ask with.
    """
    items = Items(client, name)
    try:
        controller, birth, reprotect = (items.get(key) for key in (CONTROLLER, BIRTH, REPROTECT))
    except NOT_ASKED:
        raise
    except AwsError as error:
        return Table(site, _answer_to(error), why=f"{name} in the {site} site: {error}")
    if controller is None and birth is None:
        return Table(site, Answer.EMPTY, why=f"{name} has neither {CONTROLLER} nor {BIRTH}: its items are lost")
    try:
        known = Controller.from_item(controller) if controller is not None else _born(birth or {})
    except (LookupError, ValueError, TypeError) as error:
        return Table(site, Answer.DAMAGED, why=f"{name} is damaged: {error!r}")
    handover = None if controller is None else controller.get("handover")
    return Table(site, Answer.RECORD, known, handover, reprotect)


def newest(tables: Tables) -> Table | None:
    """The record with the highest epoch; of one epoch the one that has authority; None where none was read."""
    read = [
        (table.controller.epoch, table.has_authority, table.site, table)
        for table in tables.values()
        if table.controller is not None
    ]
    return max(read)[-1] if read else None


def _born(birth: Mapping[str, Any]) -> Controller:
    return Controller(writer_site=Site(birth["writer_site"]), authority=Site(birth["authority"]))


def _answer_to(error: ClientError | BotoCoreError) -> Answer:
    if isinstance(error, ClientError) and code_of(error) == NO_TABLE:
        return Answer.ABSENT
    return Answer.REFUSED if unanswered(error).service_answered else Answer.SILENT
