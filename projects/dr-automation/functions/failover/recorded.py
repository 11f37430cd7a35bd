"""The recorded state, and how far it is believed: no further than the databases and the incidents agree with it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from failover.settings import Settings
from function_runtime.clients import AwsError, Clients
from function_runtime.incident import Incident
from function_runtime.state import Controller, State
from function_runtime.up_to_date import brought_up_to_date


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
        found: whether the record was missing or older than the incidents, and was made anew from them.
        doubt: why the databases could not be asked whether they agree; None where they do.
    """

    controller: Controller
    incident: Incident | None = None
    found: bool = False
    doubt: Exception | None = None


def recorded(clients: Clients, settings: Settings, state: State) -> Recorded:
    """The recorded state, checked.

    What an incident says outranks a record that is older than it: an incident that is under way is carried on, a closed
    one says who its writer was. Then this site's database must be what the record makes it: a replica where the other
    site is the writer. An empty table after a failover, or an older one, must not send the clients back.

    Args:
        clients: AWS.
        settings: where things are.
        state: the state table.

    Raises:
        StateLostError: nobody can say who the writer is.
        ClientError, BotoCoreError: DynamoDB refuses or is silent.
    """
    controller = state.controller()
    if controller.incident_id is not None:
        try:
            return Recorded(controller, state.incident(controller.incident_id))
        except LookupError as error:
            raise StateLostError(controller, controller.epoch, str(error)) from error
    incidents = state.incidents()
    newer, under_way = brought_up_to_date(controller, incidents)
    known = Recorded(newer, under_way, found=newer != controller)
    if under_way is not None:
        return known
    try:
        contradiction = _contradiction(clients, settings, known.controller)
    except AwsError as error:
        return replace(known, doubt=error)
    if contradiction is None:
        return known
    # Another run may have written it, and promoted, since it was read.
    if state.controller() != controller:
        return recorded(clients, settings, state)
    last_epoch = max([controller.epoch, *(incident.epoch for incident in incidents)])
    raise StateLostError(controller, last_epoch, f"table {settings.state_table}: {contradiction}")


def _contradiction(clients: Clients, settings: Settings, controller: Controller) -> str | None:
    """What this site's database shows against the record, None where it agrees."""
    here, writer = settings.here, controller.writer_site
    is_replica = settings.databases(clients)[here].describe().replica_of is not None
    if writer is here and is_replica:
        return f"item controller names {writer} as the writer, and the {here} site's database is a replica"
    if writer is here or is_replica or controller.adopted_by is not None:
        return None
    what = "is not there" if controller.version == 0 else f"names {writer} as the writer"
    return (
        f"item controller {what}, and the {here} site's database is no replica any more, so a failover has happened; "
        "say who the writer is with `nox -s failover -- --adopt`, or restore the items from when the table had them"
    )
