"""Who the writer is, by the newest of both sites' tables, and whether a standby is being made for it."""

from __future__ import annotations

from dataclasses import dataclass

from function_runtime.clients import AwsError, Clients
from function_runtime.items import Items
from function_runtime.sites import Site
from function_runtime.state import Controller, NoRecordError, State
from snapshot_copier.settings import CopierSettings

REPROTECT = "reprotect"
"""The item in which the operators' command keeps how far it has come."""


@dataclass(frozen=True)
class OnRecord:
    """What is recorded.

    Attributes:
        writer: whose snapshots there are to copy: where a table is lost, the other site's, so that both copy.
        is_known: whether both tables say so or are older: without that nothing is exported and nothing expires.
        is_being_reprotected: whether `reprotect` is under way, or nobody can say.
    """

    writer: Site
    is_known: bool
    is_being_reprotected: bool


def read(clients: Clients, settings: CopierSettings) -> OnRecord:
    """Read both tables.

    Raises:
        ClientError, BotoCoreError: the own one refuses or is silent.
    """
    found: dict[Site, Controller] = {}
    is_lost = False
    for site in (settings.site, settings.site.other):
        try:
            found[site] = State(
                clients.of("dynamodb", settings.regions[site]), settings.state_tables[site]
            ).controller()
        except NoRecordError:
            is_lost = True
        except AwsError:
            if site is settings.site:
                raise
    if is_lost:
        return OnRecord(settings.site.other, is_known=False, is_being_reprotected=True)
    is_known = len(found) == len(Site)
    epoch = max(controller.epoch for controller in found.values())
    newest = [site for site, controller in found.items() if controller.epoch == epoch]
    return OnRecord(
        writer=found[newest[0]].writer_site,
        is_known=is_known,
        is_being_reprotected=not is_known or any(_is_under_way(clients, settings, site) for site in newest),
    )


def _is_under_way(clients: Clients, settings: CopierSettings, site: Site) -> bool:
    items = Items(clients.of("dynamodb", settings.regions[site]), settings.state_tables[site])
    try:
        item = items.get(REPROTECT)
    except AwsError:
        if site is settings.site:
            raise
        return True
    return item is not None and item.get("finished_at") is None
