"""The lost region comes back with a writer that believes to be one. Clients must never write to it."""

from __future__ import annotations

from lab.drill.endings import failover_ends
from lab.drill.faults import darken_writer_region, lighten_writer_region, start_old_writer
from lab.drill.fences import recorded_fence
from lab.drill.scenario import DrillOutcome, Scenario
from lab.drill.stage import Stage

RECOVERY_DEADLINE_SECONDS = 90.0
# The region's functions run again before its database does: a few runs of the fence-guard.
FENCE_DEADLINE_SECONDS = 10.0
AFTERMATH_SECONDS = 10.0


def run(stage: Stage) -> None:
    """Darken the region, wait for the failover, bring the region back and then its server."""
    stage.break_it(*darken_writer_region(stage))
    if not failover_ends(stage, RECOVERY_DEADLINE_SECONDS):
        return
    stage.do(*lighten_writer_region(stage))
    if not stage.wait_until(
        "the fence-guard to act",
        lambda: recorded_fence(stage.system, stage.writer) is not None,
        FENCE_DEADLINE_SECONDS,
    ):
        stage.say("the fence-guard has recorded nothing; the old writer comes back all the same")
    stage.do(*start_old_writer(stage))
    stage.keep_writing(AFTERMATH_SECONDS)
    fence = recorded_fence(stage.system, stage.writer)
    stage.say("the fence-guard recorded: " + ("nothing" if fence is None else f"{fence.outcome} ({fence.detail})"))


SCENARIO = Scenario(
    name="old-writer-returns",
    summary="The primary's region is lost; after the failover it comes back, and its old writer with it.",
    expected=DrillOutcome.FAILED_OVER,
    run=run,
    rto_limit_seconds=60.0,
    demands_fence=True,
)
