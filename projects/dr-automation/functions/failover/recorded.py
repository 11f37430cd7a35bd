"""The recorded state, and whether it can be believed."""

from __future__ import annotations

from failover.settings import Settings
from function_runtime.clients import Clients
from function_runtime.state import Controller, State


class StateLostError(Exception):
    """The table does not say who the writer is, and the databases do not look as they do in the beginning."""


def recorded_controller(clients: Clients, settings: Settings, state: State) -> Controller:
    """The recorded state; before the first write the primary is the writer only if the other is still its replica.

    An empty table after a failover, restored or made anew, must not send the clients back to the old writer.

    Args:
        clients: AWS.
        settings: where things are.
        state: the state table.

    Raises:
        StateLostError: nobody knows who the writer is.
        ClientError, BotoCoreError: DynamoDB or RDS refuses or is silent.
    """
    controller = state.controller()
    if controller.version > 0:
        return controller
    here = settings.here
    if settings.databases(clients)[here].describe().replica_of is not None:
        return controller
    # Another run may have written it, and promoted, since it was read.
    controller = state.controller()
    if controller.version > 0:
        return controller
    raise StateLostError(
        f"table {settings.state_table}, item controller = (not there): the {here} site's database is no replica, so a "
        "failover has happened; restore the items from a point in time when the table had them"
    )
