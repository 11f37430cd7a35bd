"""A failover that is disturbed in the middle: one writer, a way on, and nothing lost."""

from __future__ import annotations

from datetime import UTC, datetime

from drills.faults import (
    Act,
    crash,
    darken_writer_region,
    lighten_writer_region,
    lose_item,
    refuse,
    start_old_writer,
)
from drills.records.state_table import controller_state, incidents_since
from drills.scenario import KILLED_RUN_SECONDS, RTO_LIMIT_SECONDS, DrillOutcome, Scenario
from drills.scenarios.lag_too_high import OPERATOR, put_on_record
from drills.scenarios.old_writer_returns import wait_for_fence
from drills.stage import Stage
from failover.shown import SHOWN_WITHIN_SECONDS
from function_runtime.control import OrderKind
from function_runtime.incident import Phase
from operations.orders import new_order

PROMOTING_DEADLINE_SECONDS = 60.0
CLOSED_DEADLINE_SECONDS = 90.0
SLOW_REBOOT_SECONDS = 8.0
# That RDS shows a replica for so long shows that it has dropped the promotion: not shortened in the lab.
DROPPED_SECONDS = SHOWN_WITHIN_SECONDS + 20.0
ASKED_AGAIN_SECONDS = RTO_LIMIT_SECONDS + DROPPED_SECONDS


def order_planned_failover(stage: Stage) -> Act:
    """An operator orders a planned failover, as ``nox -s failover -- --planned`` does."""
    system = stage.system

    def action() -> None:
        state = controller_state(system)
        epoch = 1 if state is None else state.epoch + 1
        order = new_order(OrderKind.PLANNED, f"{epoch:06d}-ordered", epoch, OPERATOR, datetime.now(UTC))
        put_on_record(system, order)

    return Act("an operator orders a planned failover", action)


def _record_lost(stage: Stage) -> None:
    """Lose the record while RDS promotes, and again when the old writer comes back."""
    stage.break_it(*darken_writer_region(stage))
    stage.require("RDS to be asked for the promotion", lambda: _is_promoting(stage), PROMOTING_DEADLINE_SECONDS)
    stage.do(*lose_item(stage, "controller"))
    if not stage.wait_for_failover():
        return
    stage.do(*lose_item(stage, "controller"))
    stage.do(*lighten_writer_region(stage))
    stage.do(*start_old_writer(stage))
    wait_for_fence(stage)


def _slow_reboot(stage: Stage) -> None:
    """Move a healthy writer whose reboot begins seconds after RDS has said yes to it."""
    stage.do(f"reboots take {SLOW_REBOOT_SECONDS:g} s", lambda: stage.system.slow_reboots(SLOW_REBOOT_SECONDS))
    stage.break_it(*order_planned_failover(stage))
    stage.wait_for_failover()


def _promotion_refused(stage: Stage) -> None:
    """Order a planned failover whose promotion RDS refuses."""
    region = stage.replica_database.region
    stage.do(*refuse(stage, region, "rds", "PromoteReadReplica", "AccessDenied"))
    stage.break_it(*order_planned_failover(stage))
    stage.require("the failover to be taken back", lambda: _is_taken_back(stage), CLOSED_DEADLINE_SECONDS)
    stage.do("RDS promotes again", lambda: stage.system.answer_calls(region))
    stage.wait_for_writes()


def _promotion_dropped(stage: Stage) -> None:
    """Lose the writer while RDS accepts a promotion and drops it."""
    stage.do("RDS drops the next promotion that it accepts", lambda: stage.system.drop_promotions(1))
    stage.break_it(*crash(stage))
    stage.require("RDS to be asked again for the promotion", lambda: _is_asked_again(stage), ASKED_AGAIN_SECONDS)
    stage.wait_for_failover(RTO_LIMIT_SECONDS + DROPPED_SECONDS)


def _is_asked_again(stage: Stage) -> bool:
    return any(incident.asked_again > 0 for incident in incidents_since(stage.system, stage.started_at))


def _is_promoting(stage: Stage) -> bool:
    # RDS may show the promotion as soon as it is asked.
    under_way = (Phase.PROMOTING, Phase.SHOWN)
    return any(incident.phase in under_way for incident in incidents_since(stage.system, stage.started_at))


def _is_taken_back(stage: Stage) -> bool:
    incidents = incidents_since(stage.system, stage.started_at)
    return any(incident.is_taken_back and incident.phase is Phase.CLOSED for incident in incidents)


RECORD_LOST = Scenario(
    name="record-lost",
    summary="The region is lost, and the record while RDS promotes, and again when the old writer comes back.",
    expected=DrillOutcome.FAILED_OVER,
    run=_record_lost,
    # The next run waits for the lease of the one whose record is gone.
    rto_limit_seconds=RTO_LIMIT_SECONDS + KILLED_RUN_SECONDS,
    demands_fence=True,
)
SLOW_REBOOT = Scenario(
    name="planned-slow-reboot",
    summary=f"A planned failover of a writer whose reboot takes {SLOW_REBOOT_SECONDS:g} s; nothing may be lost.",
    expected=DrillOutcome.FAILED_OVER,
    run=_slow_reboot,
    rto_limit_seconds=RTO_LIMIT_SECONDS,
    demands_fence=True,
)
PROMOTION_DROPPED = Scenario(
    name="promotion-dropped",
    summary="The writer is killed, and RDS accepts the promotion and drops it: it is asked again, and people are told.",
    expected=DrillOutcome.FAILED_OVER,
    run=_promotion_dropped,
    rto_limit_seconds=RTO_LIMIT_SECONDS + DROPPED_SECONDS,
)
PLANNED_REFUSED = Scenario(
    name="planned-refused",
    summary="A planned failover whose promotion RDS refuses is taken back; the writer gets its clients back.",
    expected=DrillOutcome.ALERTED,
    run=_promotion_refused,
)
