"""Scenarios in which the writer is neither well nor gone, or RDS is at work: it takes evidence to tell what to do."""

from __future__ import annotations

from collections.abc import Callable

from drills.faults import OUTAGE_SECONDS, crash, freeze
from drills.partial_faults import (
    back_up_writer,
    block_door,
    fill_disk,
    free_disk,
    hang_commits,
    optimize_replica,
    unblock_door,
)
from drills.records.state_table import controller_state, incidents_since
from drills.scenario import RTO_LIMIT_SECONDS, DrillOutcome, Scenario
from drills.scenarios.lag_too_high import approve
from drills.stage import DrillNotReadyError, Stage

# A writer that is lost has a successor by then.
LASTS_SECONDS = 3 * OUTAGE_SECONDS
UNANSWERED_SECONDS = OUTAGE_SECONDS
OPTIMIZED_SECONDS = 4 * OUTAGE_SECONDS
BACKED_UP_SECONDS = 12 * OUTAGE_SECONDS
ASKED_AND_APPROVED_SECONDS = 2 * OUTAGE_SECONDS + UNANSWERED_SECONDS


def _door_blocked(stage: Stage) -> None:
    stage.break_it(*block_door(stage))
    stage.keep_writing(LASTS_SECONDS)
    _demand_alert(stage, "writer_commits")
    stage.do(*unblock_door(stage))
    stage.wait_for_writes()


def _door_blocked_idle(stage: Stage) -> None:
    stage.do("the clients keep their connections and write nothing", stage.clients.rest)
    stage.break_it(*block_door(stage))
    stage.keep_writing(LASTS_SECONDS)
    # RDS's own agent writes now and then, which is a commit like any other.
    _demand_alert(stage, "writer_commits", "process_lives")
    stage.do(*unblock_door(stage))
    stage.do("the clients write again", stage.clients.go_on)
    stage.wait_for_writes()


def _demand_alert(stage: Stage, *codes: str) -> None:
    """People are told what it is; a question whether to replace the writer is a message too, and would be wrong."""
    if not stage.wait_for_decision(action="alert", codes=codes):
        raise DrillNotReadyError(f"the controller did not alert people ({' or '.join(codes)})")


def _writer_hung(stage: Stage) -> None:
    stage.break_it(*hang_commits(stage))
    _approve_when_asked(stage, "writer_hung")


def _unprepared(stage: Stage) -> None:
    # Not a crash: RDS says that one has failed, which settles it without a stream.
    stage.break_it(*freeze(stage))
    _approve_when_asked(stage, "one_door")


def _approve_when_asked(stage: Stage, code: str) -> None:
    if not stage.wait_for_decision(action="ask", codes=[code]):
        raise DrillNotReadyError(f"the controller did not ask people ({code})")
    stage.say("nobody answers yet")
    stage.keep_writing(UNANSWERED_SECONDS)
    state = controller_state(stage.system)
    if incidents_since(stage.system, stage.started_at) or state is None or state.proposal is None:
        raise DrillNotReadyError("the controller asked, and did not wait for the answer")
    proposal = state.proposal
    stage.do(f"an operator approves incident {proposal.incident_id}", lambda: approve(stage.system, proposal))
    stage.wait_for_failover()


def _disk_full(stage: Stage) -> None:
    stage.break_it(*fill_disk(stage))
    _demand_alert(stage, "storage_full", "rds_says_failed")
    stage.do(*free_disk(stage))
    stage.wait_for_writes()


def _crash_after(prepare: Callable[[Stage], None]) -> Callable[[Stage], None]:
    def run(stage: Stage) -> None:
        prepare(stage)
        stage.break_it(*crash(stage))
        stage.wait_for_failover()

    return run


DOOR_BLOCKED = Scenario(
    name="door-blocked",
    summary="The security group of a busy writer is swapped: no probe and no new client gets in, the others write on.",
    expected=DrillOutcome.ALERTED,
    run=_door_blocked,
)

DOOR_BLOCKED_IDLE = Scenario(
    name="door-blocked-idle",
    summary="The same while nobody writes: only its replication stream shows that the writer lives.",
    expected=DrillOutcome.ALERTED,
    run=_door_blocked_idle,
)

WRITER_HUNG = Scenario(
    name="writer-hung",
    summary="The writer answers and every commit hangs; people are asked, and approve.",
    expected=DrillOutcome.FAILED_OVER,
    run=_writer_hung,
    rto_limit_seconds=RTO_LIMIT_SECONDS + ASKED_AND_APPROVED_SECONDS,
)

DISK_FULL = Scenario(
    name="disk-full",
    summary="The writer's disk is full until somebody frees it.",
    expected=DrillOutcome.ALERTED,
    run=_disk_full,
    has_small_disks=True,
)

STANDBY_BUSY = Scenario(
    name="standby-busy",
    summary="The writer dies while RDS optimizes the replica's storage and refuses to promote it.",
    expected=DrillOutcome.FAILED_OVER,
    run=_crash_after(lambda stage: stage.do(*optimize_replica(stage, OPTIMIZED_SECONDS))),
    rto_limit_seconds=RTO_LIMIT_SECONDS + OPTIMIZED_SECONDS,
)

CRASH_IN_BACKUP = Scenario(
    name="crash-in-backup",
    summary="The writer dies while RDS backs it up, and goes on to say so.",
    expected=DrillOutcome.FAILED_OVER,
    run=_crash_after(lambda stage: stage.do(*back_up_writer(stage, BACKED_UP_SECONDS))),
    rto_limit_seconds=RTO_LIMIT_SECONDS,
)

UNPREPARED_DATABASE = Scenario(
    name="unprepared-database",
    summary="The writer freezes, and nobody had prepared the database: people are asked, and approve.",
    expected=DrillOutcome.FAILED_OVER,
    run=_unprepared,
    rto_limit_seconds=RTO_LIMIT_SECONDS + ASKED_AND_APPROVED_SECONDS,
    is_prepared=False,
)
