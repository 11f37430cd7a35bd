"""Chapters that several stories have."""

from __future__ import annotations

from drills.faults import crash, start_old_writer
from drills.scenario import RTO_LIMIT_SECONDS, DrillOutcome, Scenario
from drills.scenarios.disturbed import order_planned_failover
from drills.scenarios.old_writer_returns import wait_for_fence
from drills.stage import Stage
from drills.stories.reprotecting import reprotect
from drills.stories.story import Chapter


def _crash(stage: Stage) -> None:
    """Kill the writer; once another one has taken over, let its host come back."""
    stage.break_it(*crash(stage))
    if stage.wait_for_failover():
        stage.do(*start_old_writer(stage))
        wait_for_fence(stage)


def _fail_back(stage: Stage) -> None:
    stage.break_it(*order_planned_failover(stage))
    stage.wait_for_failover()


CRASH = Chapter(
    Scenario(
        name="crash",
        summary="The writer's server is killed; after the failover its host comes back.",
        expected=DrillOutcome.FAILED_OVER,
        run=_crash,
        rto_limit_seconds=RTO_LIMIT_SECONDS,
        demands_fence=True,
    )
)

REPROTECT = Chapter(
    Scenario(
        name="reprotect",
        summary="A person makes a standby for the present writer (nox -s reprotect).",
        expected=DrillOutcome.HELD,
        run=reprotect,
        outcomes=frozenset({DrillOutcome.ALERTED}),
    ),
    reprotects=True,
)

FAIL_BACK = Chapter(
    Scenario(
        name="failback",
        summary="A person orders a planned failover, back to where the writer was (nox -s failover -- --planned).",
        expected=DrillOutcome.FAILED_OVER,
        run=_fail_back,
        rto_limit_seconds=RTO_LIMIT_SECONDS,
        demands_fence=True,
    ),
    loses_nothing=True,
)
