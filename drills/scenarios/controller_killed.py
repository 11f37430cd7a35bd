"""The failover function is killed again and again: once at each phase of the failover that it carries out."""

from __future__ import annotations

from drills.faults import KILLABLE_PHASES, crash, kill_failover_function
from drills.scenario import KILLED_RUN_SECONDS, RTO_LIMIT_SECONDS, DrillOutcome, Scenario
from drills.stage import DrillNotReadyError, Stage

# Some phases last for one call: one may be over before it is seen.
MIN_KILLS = len(KILLABLE_PHASES) - 1
RTO_OF_KILLS_SECONDS = RTO_LIMIT_SECONDS + len(KILLABLE_PHASES) * KILLED_RUN_SECONDS
RECOVERY_DEADLINE_SECONDS = RTO_OF_KILLS_SECONDS + 30.0


def run(stage: Stage) -> None:
    """Kill the writer, then the function at each phase, and wait for the failover.

    Raises:
        DrillNotReadyError: too many phases were over before a run could be killed in them.
    """
    stage.break_it(*crash(stage))
    killed_at = kill_failover_function(stage, KILLABLE_PHASES, RECOVERY_DEADLINE_SECONDS)
    if len(killed_at) < MIN_KILLS:
        raise DrillNotReadyError(
            f"the failover function was killed in {len(killed_at)} of {len(KILLABLE_PHASES)} phases only: "
            + (", ".join(killed_at) or "none")
        )
    stage.wait_for_failover(RECOVERY_DEADLINE_SECONDS)


SCENARIO = Scenario(
    name="controller-killed",
    summary="The writer is killed, and the failover function with it at every phase of the failover.",
    expected=DrillOutcome.FAILED_OVER,
    run=run,
    rto_limit_seconds=RTO_OF_KILLS_SECONDS,
)
