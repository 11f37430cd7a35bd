"""The writer's server dies at once, as a host does when its power goes."""

from __future__ import annotations

from drills.endings import failover_ends
from drills.faults import crash
from drills.scenario import DrillOutcome, Scenario
from drills.stage import Stage

RECOVERY_DEADLINE_SECONDS = 90.0


def run(stage: Stage) -> None:
    """Kill it, wait for the other database to take writes under the name, and go on writing for a while."""
    stage.break_it(*crash(stage))
    failover_ends(stage, RECOVERY_DEADLINE_SECONDS)


SCENARIO = Scenario(
    name="primary-crash",
    summary="The primary's PostgreSQL server is killed while a client writes through the writer's name.",
    expected=DrillOutcome.FAILED_OVER,
    run=run,
    rto_limit_seconds=60.0,
)
