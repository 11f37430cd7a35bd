"""The writer's region is gone at once: its database, its probes, its APIs. Nobody there can be fenced."""

from __future__ import annotations

from drills.endings import failover_ends
from drills.faults import darken_writer_region
from drills.scenario import DrillOutcome, Scenario
from drills.stage import Stage

RECOVERY_DEADLINE_SECONDS = 90.0


def run(stage: Stage) -> None:
    """Darken it and wait for the failover."""
    stage.break_it(*darken_writer_region(stage))
    failover_ends(stage, RECOVERY_DEADLINE_SECONDS)


SCENARIO = Scenario(
    name="region-dark",
    summary="The primary's whole region is lost at once: its database, its probes and its APIs.",
    expected=DrillOutcome.FAILED_OVER,
    run=run,
    rto_limit_seconds=60.0,
)
