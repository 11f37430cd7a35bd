"""The replica lags beyond the data-loss bound when the writer dies. People decide whether to lose so much."""

from __future__ import annotations

import time

from drills.approval import approve, proposal_of
from drills.cloudwatch_records import lag_samples
from drills.endings import failover_ends
from drills.faults import crash, stall_replication
from drills.incidents import incidents_since
from drills.scenario import DrillOutcome, Scenario
from drills.stage import DrillNotReadyError, Stage

MAX_DATA_LOSS_SECONDS = 5
LAG_SECONDS = 8.0
LAG_DEADLINE_SECONDS = 40.0
QUESTION_DEADLINE_SECONDS = 40.0
UNANSWERED_SECONDS = 6.0
RECOVERY_DEADLINE_SECONDS = 120.0


def run(stage: Stage) -> None:
    """Stall replication, kill the writer, see that the controller asks and waits, approve, and wait for the failover.

    Raises:
        DrillNotReadyError: the controller did not ask, or did not wait for the answer.
    """
    stage.do(*stall_replication(stage))
    stage.require(
        f"the replica's published lag to exceed {LAG_SECONDS:g} s", lambda: _lags(stage), LAG_DEADLINE_SECONDS
    )
    stage.break_it(*crash(stage))
    asked = stage.wait_for_decision(QUESTION_DEADLINE_SECONDS, action="ask", code="lag_above_bound")
    if asked is None:
        raise DrillNotReadyError("the controller did not ask whether people accept the loss of data")
    stage.say("nobody answers yet")
    stage.keep_writing(UNANSWERED_SECONDS)
    if incidents_since(stage.system, stage.started_at):
        raise DrillNotReadyError("the controller asked, and began the failover before it was answered")
    proposal = proposal_of(stage.system)
    stage.do(
        f"a person approves incident {proposal.incident_id}, epoch {proposal.epoch}, and accepts the loss of "
        f"{proposal.accepted_loss_seconds} s",
        lambda: approve(stage.system, proposal),
    )
    failover_ends(stage, RECOVERY_DEADLINE_SECONDS)


def _lags(stage: Stage) -> bool:
    samples = lag_samples(stage.system, stage.replica_database, stage.started_at.wall, time.time())
    return bool(samples) and samples[-1].lag_seconds > LAG_SECONDS


SCENARIO = Scenario(
    name="lag-too-high",
    summary="The primary dies while its replica lags beyond the data-loss bound; people are asked, and approve.",
    expected=DrillOutcome.FAILED_OVER,
    run=run,
    rto_limit_seconds=90.0,
    configuration={"maxDataLossSeconds": str(MAX_DATA_LOSS_SECONDS)},
)
