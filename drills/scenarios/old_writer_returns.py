"""The lost region comes back with an old writer that still accepts writes. Clients must never write to it."""

from __future__ import annotations

from drills.faults import darken_writer_region, lighten_writer_region, start_old_writer
from drills.records.state_table import recorded_fence
from drills.scenario import RTO_LIMIT_SECONDS, DrillOutcome, Scenario
from drills.stage import Stage

# A few runs of the fence-guard, on a machine that is busy with other things.
FENCE_DEADLINE_SECONDS = 40.0
AFTERMATH_SECONDS = 10.0


def run(stage: Stage) -> None:
    """Darken the region, wait for the failover, bring the region and its server back."""
    stage.break_it(*darken_writer_region(stage))
    if not stage.wait_for_failover():
        return
    # Immediately, before the fence-guard has run: the most dangerous order in which a region can come back.
    stage.do(*lighten_writer_region(stage))
    stage.do(*start_old_writer(stage))
    wait_for_fence(stage)


def wait_for_fence(stage: Stage) -> None:
    """Wait until the fence-guard has fenced the old writer, and let the clients write on."""

    def is_fenced() -> bool:
        fence = recorded_fence(stage.system, stage.writer)
        return fence is not None and fence.outcome == "fenced"

    if not stage.wait_until("the fence-guard to act", is_fenced, FENCE_DEADLINE_SECONDS):
        stage.say("the fence-guard has not fenced the old writer")
    stage.keep_writing(AFTERMATH_SECONDS)


SCENARIO = Scenario(
    name="old-writer-returns",
    summary="The writer's region is lost; after the failover it comes back, and its old writer with it.",
    expected=DrillOutcome.FAILED_OVER,
    run=run,
    rto_limit_seconds=RTO_LIMIT_SECONDS,
    demands_fence=True,
)
