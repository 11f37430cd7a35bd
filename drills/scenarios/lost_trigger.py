"""The alarm's message never arrives. The schedule alone must do it."""

from __future__ import annotations

from drills.endings import failover_ends
from drills.faults import crash, lose_trigger
from drills.scenario import DrillOutcome, Scenario
from drills.stage import Stage

RECOVERY_DEADLINE_SECONDS = 90.0


def run(stage: Stage) -> None:
    """Remove the function's subscription, then kill the writer."""
    stage.do(*lose_trigger(stage))
    stage.break_it(*crash(stage))
    failover_ends(stage, RECOVERY_DEADLINE_SECONDS)


SCENARIO = Scenario(
    name="lost-trigger",
    summary="The primary is killed, and the alarm's message to the failover function never arrives.",
    expected=DrillOutcome.FAILED_OVER,
    run=run,
    rto_limit_seconds=60.0,
)
