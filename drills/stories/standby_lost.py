"""The standby is lost while the writer works: people are told, and make another one."""

from __future__ import annotations

from drills.faults import end_replication
from drills.scenario import DrillOutcome, Scenario
from drills.stage import DrillNotReadyError, Stage
from drills.stories.chapters import REPROTECT
from drills.stories.story import Chapter, Story

# By what RDS says of the replica, or by its lag: whichever the controller sees first.
TOLD = ("standby_not_ready", "replica_behind")


def _lose_standby(stage: Stage) -> None:
    stage.break_it(*end_replication(stage))
    if not stage.wait_for_decision(action="alert", codes=TOLD):
        raise DrillNotReadyError(
            f"the controller did not tell people that there is no standby any more ({' or '.join(TOLD)})"
        )
    stage.wait_for_writes()


LOST = Chapter(
    Scenario(
        name="standby lost",
        summary="The replica's slot is lost, and RDS ends its replication for good.",
        expected=DrillOutcome.ALERTED,
        run=_lose_standby,
    ),
    spares_writer=True,
)

STORY = Story(
    name="standby-lost",
    summary="The standby is lost for good while the writer works; people are told, and make another one.",
    chapters=(LOST, REPROTECT),
)
