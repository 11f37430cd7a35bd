"""A person's word which database is the writer: whether it can be heeded, and the record it makes."""

from __future__ import annotations

from datetime import datetime

from failover.settings import Settings
from function_runtime import rds_status
from function_runtime.clients import AwsError, Clients
from function_runtime.control import Instruction
from function_runtime.sites import Site
from function_runtime.state import Controller

# More failovers than a site ever makes without the other one being told: a word that is given while the other table
# cannot be read must be newer than whatever that has, or a fence-guard would believe the old record when it comes back.
UNTOLD_EPOCHS = 1000


def is_given_up(clients: Clients, settings: Settings, controller: Controller) -> bool:
    """Whether another word may replace the writer on record: it does not answer, is shut, does not work, or is a word.

    Otherwise a slip of the fingers would move the clients to a database that lacks what the writer has. A site without
    authority has its own condition: that the other one's is lost (`adoption`).
    """
    if controller.authority is not settings.here:
        return True
    if controller.trouble is not None or controller.adopted_by is not None:
        return True
    database = settings.databases(clients)[controller.writer_site]
    try:
        instance = database.find()
    except AwsError:
        return False
    return instance is None or database.is_quarantined(instance) or instance.status not in rds_status.WORKING


def adoption(
    clients: Clients,
    settings: Settings,
    controller: Controller,
    last_epoch: int,
    named: Instruction,
    now: datetime,
    *,
    has_authority: bool,
) -> Controller | str:
    """The record that the person's word makes, with the authority at this site, or why it cannot be heeded.

    Args:
        clients: AWS.
        settings: where things are.
        controller: the record in whose place it comes.
        last_epoch: the newest epoch that anything in this site's table names.
        named: the word.
        now: the time.
        has_authority: whether this site's controller is known to have it.

    Raises:
        ClientError, BotoCoreError: RDS in this site refuses or is silent.
    """
    site, here = Site(named.about), settings.here
    try:
        other = settings.state(clients, here.other).written()
    except AwsError:
        other = None
        last_epoch += UNTOLD_EPOCHS
    if other is not None:
        last_epoch = max(last_epoch, other.epoch)
        if not has_authority and other.authority is here.other:
            return (
                f"{site} cannot be adopted here: the {here.other} site's controller has the authority, and its table "
                f"answers; give the word there, and this site is told (it can be given here while the {here.other} "
                "site's region does not answer, or its table is lost)"
            )
    databases = settings.databases(clients)
    own = databases[here].find()
    try:
        instance = own if site is here else databases[site].find()
    except AwsError as error:
        if own is None or own.replica_of is None:
            return f"{site} cannot be adopted: RDS does not say how its database is ({error})"
        # This site's database is a replica: no other one than the one that cannot be seen can be the writer.
        return _record(here, controller, last_epoch, named, now, is_shut=False)
    if instance is None:
        return f"{site} cannot be adopted: it has no database"
    if instance.replica_of is not None:
        return f"{site} cannot be adopted: its database is a replica and takes no writes"
    if instance.status not in rds_status.WORKING:
        return f"{site} cannot be adopted: RDS calls its database {instance.status}"
    return _record(here, controller, last_epoch, named, now, is_shut=databases[site].is_quarantined(instance))


def _record(
    here: Site, controller: Controller, last_epoch: int, named: Instruction, now: datetime, *, is_shut: bool
) -> Controller:
    return Controller(
        version=controller.version,
        epoch=last_epoch + 1,
        writer_site=Site(named.about),
        last_closed_at=now,
        last_incident_id=controller.last_incident_id,
        adopted_by=named.by,
        heeded_at=named.at,
        owes_opening=f"adopted by {named.by}" if is_shut else None,
        authority=here,
        owes_telling=True,
        authority_since=controller.authority_since if controller.authority is here and controller.version > 0 else now,
    )
