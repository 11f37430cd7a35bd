"""Scenarios in which the writer is lost, in different ways: the other site must take over."""

from __future__ import annotations

from collections.abc import Callable

from drills.faults import Act, crash, darken_writer_region, freeze, lose_trigger, silence_writer_host
from drills.scenario import RTO_LIMIT_SECONDS, DrillOutcome, Scenario
from drills.stage import Stage


def _then_fail_over(
    fault: Callable[[Stage], Act], prepare: Callable[[Stage], Act] | None = None
) -> Callable[[Stage], None]:
    def run(stage: Stage) -> None:
        if prepare is not None:
            stage.do(*prepare(stage))
        stage.break_it(*fault(stage))
        stage.wait_for_failover()

    return run


PRIMARY_CRASH = Scenario(
    name="primary-crash",
    summary="The writer's PostgreSQL server is killed while clients write.",
    expected=DrillOutcome.FAILED_OVER,
    run=_then_fail_over(crash),
    rto_limit_seconds=RTO_LIMIT_SECONDS,
)

# Nothing thaws the server: the reboot that is part of the fence ends the freeze.
PRIMARY_FROZEN = Scenario(
    name="primary-frozen",
    summary="The writer's PostgreSQL server is frozen: it accepts connections and never answers.",
    expected=DrillOutcome.FAILED_OVER,
    run=_then_fail_over(freeze),
    rto_limit_seconds=RTO_LIMIT_SECONDS,
    demands_fence=True,
)

BACK_WITHIN_SECONDS = 15.0

SILENT_HOST = Scenario(
    name="silent-host",
    summary="The writer's host falls silent: nothing is closed, no packet is answered; no client may hang on that.",
    expected=DrillOutcome.FAILED_OVER,
    run=_then_fail_over(silence_writer_host),
    rto_limit_seconds=RTO_LIMIT_SECONDS,
    back_within_seconds=BACK_WITHIN_SECONDS,
)

# Nobody in the region can be fenced.
REGION_DARK = Scenario(
    name="region-dark",
    summary="The writer's whole region is lost at once: its database, its probes and its APIs.",
    expected=DrillOutcome.FAILED_OVER,
    run=_then_fail_over(darken_writer_region),
    rto_limit_seconds=RTO_LIMIT_SECONDS,
)

# The function's schedule alone must start the failover.
LOST_TRIGGER = Scenario(
    name="lost-trigger",
    summary="The writer is killed, and the alarm's message to the failover function never arrives.",
    expected=DrillOutcome.FAILED_OVER,
    run=_then_fail_over(crash, prepare=lose_trigger),
    rto_limit_seconds=RTO_LIMIT_SECONDS,
)
