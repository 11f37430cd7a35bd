"""The replica lags beyond the data-loss bound when the writer dies. People decide whether to accept the loss."""

from __future__ import annotations

import math
import time
from datetime import UTC, datetime

from drills.faults import crash, stall_replication
from drills.records.cloudwatch import lag_samples
from drills.records.state_table import Proposal, authority, controller_state, incidents_since
from drills.scenario import RTO_LIMIT_SECONDS, DrillOutcome, Scenario
from drills.stage import DrillNotReadyError, Stage
from drills.system import LabSystem
from function_runtime.control import Order, OrderKind
from operations.errors import RefusedError
from operations.orders import give_order, new_order

OPERATOR = "the drill's operator"
MAX_DATA_LOSS_SECONDS = 5
LAG_SECONDS = 8.0
LAG_DEADLINE_SECONDS = 40.0
# Two runs of the controller.
UNANSWERED_SECONDS = 12.0
RECOVERY_DEADLINE_SECONDS = 120.0


def run(stage: Stage) -> None:
    """Stall replication, kill the writer, check that the controller asks and waits, approve, wait for the failover.

    Raises:
        DrillNotReadyError: the controller did not ask, or did not wait for the answer.
    """
    stage.do(*stall_replication(stage))
    # An idle database lags, too: a sample from before the clients wrote does not count.
    stalled_at = time.time()
    stage.require(
        f"the replica's published lag to exceed {LAG_SECONDS:g} s",
        lambda: _lags(stage, stalled_at),
        LAG_DEADLINE_SECONDS,
    )
    stage.break_it(*crash(stage))
    if not stage.wait_for_decision(action="ask", codes=["loss_above_limit"]):
        raise DrillNotReadyError("the controller did not ask whether people accept the loss of data")
    stage.say("nobody answers yet")
    stage.keep_writing(UNANSWERED_SECONDS)
    if incidents_since(stage.system, stage.started_at):
        raise DrillNotReadyError("the controller asked, and began the failover before it was answered")
    state = controller_state(stage.system)
    if state is None or state.proposal is None:
        raise DrillNotReadyError("the controller asked, but its state names no failover to approve")
    proposal = state.proposal
    stage.do(
        f"an operator approves incident {proposal.incident_id}, epoch {proposal.epoch}, with a loss of at most "
        f"{proposal.loss_bound_seconds} s",
        lambda: approve(stage.system, proposal),
    )
    stage.wait_for_failover(RECOVERY_DEADLINE_SECONDS)


def approve(system: LabSystem, proposal: Proposal) -> None:
    """Give the order that ``nox -s failover`` gives, accepting the loss that the proposal states.

    Raises:
        DrillNotReadyError: the order is refused.
    """
    loss = proposal.loss_bound_seconds
    order = new_order(
        OrderKind.APPROVE,
        proposal.incident_id,
        proposal.epoch,
        OPERATOR,
        datetime.now(UTC),
        None if loss is None else math.ceil(loss),
        accepts_unknown_loss=loss is None,
    )
    put_on_record(system, order)


def put_on_record(system: LabSystem, order: Order) -> None:
    """Give an order as the operators' command does.

    Raises:
        DrillNotReadyError: the order is refused.
    """
    target, site = system.target, authority(system)
    try:
        give_order(system.client("dynamodb", target.region(site)), target.automation[site].state_table_name, order)
    except RefusedError as error:
        raise DrillNotReadyError(f"the drill cannot go on: {error}") from error


def _lags(stage: Stage, since: float) -> bool:
    samples = lag_samples(stage.system, stage.replica_database, since, time.time())
    return bool(samples) and samples[-1].lag_seconds > LAG_SECONDS


SCENARIO = Scenario(
    name="lag-too-high",
    summary="The writer dies while its replica lags beyond the data-loss bound; people are asked, and approve.",
    expected=DrillOutcome.FAILED_OVER,
    run=run,
    rto_limit_seconds=RTO_LIMIT_SECONDS + UNANSWERED_SECONDS,
    configuration={"maxDataLossSeconds": str(MAX_DATA_LOSS_SECONDS)},
)
