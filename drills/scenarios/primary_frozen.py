"""The writer's server stands still: it connects and never answers, and could wake up as a second writer."""

from __future__ import annotations

from drills.endings import failover_ends
from drills.faults import freeze
from drills.scenario import DrillOutcome, Scenario
from drills.stage import Stage

RECOVERY_DEADLINE_SECONDS = 90.0


def run(stage: Stage) -> None:
    """Freeze it and wait for the failover. It is not thawed: the fence's reboot is what ends it."""
    stage.break_it(*freeze(stage))
    failover_ends(stage, RECOVERY_DEADLINE_SECONDS)


SCENARIO = Scenario(
    name="primary-frozen",
    summary="The primary's PostgreSQL server is stopped in its tracks: it accepts connections and never answers.",
    expected=DrillOutcome.FAILED_OVER,
    run=run,
    rto_limit_seconds=60.0,
    demands_fence=True,
)
