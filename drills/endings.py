"""How a drill ends: the failover is over, or the writer was left where it is; the client writes on a little."""

from __future__ import annotations

from drills.instants import Instant
from drills.stage import Stage

AFTERMATH_SECONDS = 4.0
CLOSED_DEADLINE_SECONDS = 20.0
CALM_SECONDS = 4.0


def failover_ends(stage: Stage, deadline_seconds: float) -> bool:
    """Wait for the other database to take writes under the name, then for the incident to be closed.

    Args:
        stage: where.
        deadline_seconds: how long the other database may take; more than the scenario's limit, so that the report says
            how long it took.

    Returns:
        Whether the other database took writes.
    """
    if not stage.wait_for_new_writer(deadline_seconds):
        return False
    stage.keep_writing(AFTERMATH_SECONDS)
    # The incident is closed, and people are told, after the name has moved.
    if not stage.wait_for_incident_closed(CLOSED_DEADLINE_SECONDS):
        stage.say(f"the incident is not closed within {CLOSED_DEADLINE_SECONDS:g} s")
    return True


def writer_answers_again(stage: Stage, deadline_seconds: float) -> None:
    """Wait until a write is acknowledged after this moment, and let the client write on.

    Args:
        stage: where.
        deadline_seconds: how long it may take.
    """
    since = Instant.now()
    if not stage.wait_until(
        "a write to be acknowledged", lambda: stage.client.acknowledged_since(since) is not None, deadline_seconds
    ):
        stage.say(f"no write was acknowledged within {deadline_seconds:g} s")
    stage.keep_writing(CALM_SECONDS)
