"""The recorded state, and how far it is believed: no further than the databases and the incidents agree with it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from failover.settings import Settings
from failover.shown import shown_by
from function_runtime import rds_status
from function_runtime.clients import AwsError, Clients
from function_runtime.database import Database
from function_runtime.history import History
from function_runtime.incident import NOT_AWAITED, NOT_SHOWN, Incident, Phase, Shown
from function_runtime.sites import Site
from function_runtime.state import Controller, NoRecordError, State
from function_runtime.taken import Taken
from function_runtime.up_to_date import brought_up_to_date, during

TO_DO = "say who the writer is with `nox -s failover -- --adopt`, or restore the items from when the table had them"
EVER = datetime.min.replace(tzinfo=UTC)
# How long a person's word may wait for the guard of the site that is not the writer any more.
SHUT_WITHIN = timedelta(minutes=15)


class StateLostError(Exception):
    """Nobody can say who the writer is: the record does not agree with the databases, or with itself.

    Attributes:
        controller: the record that is not believed.
        last_epoch: the newest epoch that anything on record names.
    """

    def __init__(self, controller: Controller, last_epoch: int, text: str) -> None:
        super().__init__(text)
        self.controller = controller
        self.last_epoch = last_epoch


@dataclass(frozen=True)
class Recorded:
    """The recorded state.

    Attributes:
        controller: who the writer is.
        incident: the failover under way, None where there is none.
        found: whether the record was missing or older than its history, and was made anew from it.
        agrees: whether this site's database is what the record makes it, so that it can be published who the writer is.
        doubt: why the databases could not be asked; None where they could, and where a failover is under way.
        to_keep: how this site's controller got the authority, where the record alone says so; otherwise None.
    """

    controller: Controller
    incident: Incident | None = None
    found: bool = False
    agrees: bool = True
    doubt: Exception | None = None
    to_keep: Taken | None = None


def recorded(clients: Clients, settings: Settings, state: State, now: datetime) -> Recorded:
    """The recorded state, checked.

    What an incident says outranks a record that is older than it: an incident that is under way is carried on, a closed
    one says who its writer was, and a handover, given or taken, who has the authority. Then this site's database must
    be what the record makes it: a replica where the other site is the writer. An empty table after a failover, or an
    older one, must not send the clients back. A site without authority may not have been told of the last failover:
    what does not agree there is not published, and that is all.

    Args:
        clients: AWS.
        settings: where things are.
        state: the state table.
        now: the time.

    Raises:
        StateLostError: nobody can say who the writer is.
        ClientError, BotoCoreError: DynamoDB refuses or is silent.
    """
    try:
        controller = state.controller()
    except NoRecordError as error:
        raise StateLostError(Controller(), state.history().last_epoch, f"{error}; {TO_DO}") from error
    pointed_at, is_late = None, False
    if controller.incident_id is not None:
        try:
            pointed_at = state.incident(controller.incident_id)
        except LookupError as error:
            raise StateLostError(controller, controller.epoch, str(error)) from error
    if pointed_at is not None and pointed_at.phase is not Phase.CLOSED:
        # A step writes the record first: one that has not heard of a name that moves is older.
        is_older = pointed_at.moves_name and controller.named_site is not pointed_at.new_writer
        newer = during(controller, pointed_at) if is_older else controller
        known, last_epoch = Recorded(newer, pointed_at, found=is_older), controller.epoch
    else:
        history = state.history()
        newer, under_way = brought_up_to_date(controller, history)
        known = Recorded(newer, under_way, found=newer != controller, to_keep=_to_keep(settings.here, newer, history))
        last_epoch = max(controller.epoch, history.last_epoch)
        is_late = _is_shown_late(newer, history)
    if known.incident is not None and known.controller.named_site is known.incident.new_writer:
        return known  # It becomes the writer: until the incident is over, RDS may show either.
    try:
        contradiction = _contradiction(
            settings, settings.databases(clients)[settings.here], known.controller, now, is_late=is_late
        )
    except AwsError as error:
        return replace(known, agrees=False, doubt=error if known.incident is None else None)
    if contradiction is None:
        return known
    if known.incident is not None or known.controller.authority is not settings.here:
        # Of an incident, its steps find out what has become of the promotion; until then nothing is published.
        return replace(known, agrees=False)
    # Another run may have written it, and promoted, since it was read.
    if state.controller() != controller:
        return recorded(clients, settings, state, now)
    raise StateLostError(known.controller, last_epoch, f"table {settings.state_table}: {contradiction}")


def _to_keep(here: Site, controller: Controller, history: History) -> Taken | None:
    if controller.authority is not here or controller.epoch <= history.last_epoch:
        return None
    version = 0 if history.taken is None else history.taken.version
    return Taken(controller.epoch, controller.writer_site, here, controller.authority_since, version)


def _is_shown_late(controller: Controller, history: History) -> bool:
    """Whether the last failover closed before RDS showed its end: its new writer is called a replica for a while."""
    newest = history.incidents[-1] if history.incidents else None
    if newest is None or newest.epoch != controller.epoch or not newest.has_new_writer:
        return False
    promoted = newest.step(Phase.PROMOTED)
    return promoted is not None and promoted.outcome in (NOT_SHOWN, NOT_AWAITED)


def _contradiction(
    settings: Settings, database: Database, controller: Controller, now: datetime, *, is_late: bool
) -> str | None:
    """What this site's database shows against the record, None where it agrees or there is none."""
    here, writer = settings.here, controller.writer_site
    instance = database.find()
    if instance is None:
        return None
    is_replica = instance.replica_of is not None
    if is_late and writer is here and shown_by(instance) is Shown.UNDER_WAY:
        return None
    if writer is here and is_replica:
        return f"item controller names {writer} as the writer, and the {here} site's database is a replica"
    if writer is here or is_replica:
        return None
    if controller.adopted_by is not None:
        # By a person's word this one is to be shut, which its guard does soon.
        said_at = max(at for at in (controller.heeded_at, controller.last_closed_at, EVER) if at is not None)
        takes_writes = instance.status in rds_status.WORKING and not database.is_quarantined(instance)
        if not takes_writes or now - said_at < SHUT_WITHIN:
            return None
    what = "is not there" if controller.version == 0 else f"names {writer} as the writer"
    return (
        f"item controller {what}, and the {here} site's database is no replica any more, so a failover has happened; "
        f"{TO_DO}"
    )
