"""The command that makes a standby is killed at each step, and the old region is dark in the middle of it."""

from __future__ import annotations

from drills.scenario import DrillOutcome, Scenario
from drills.stage import DrillNotReadyError, Stage
from drills.stories.chapters import CRASH
from drills.stories.reprotecting import reprotect, reprotect_killed
from drills.stories.story import Chapter, Story
from operations.reprotect.record import StepName

# Two minutes of the lab's alarms, and a run of each function.
DARK_SECONDS = 15.0


def _run(stage: Stage) -> None:
    # The old instance is gone, and its successor is about to be made.
    reprotect_killed(stage, StepName.CREATE, _darken_for_a_while)


def _darken_for_a_while(stage: Stage) -> None:
    """The standby's region is dark: the command refuses to go on, and the writer goes on without it."""
    region = stage.replica_database.region
    stage.do(f"{region} goes dark", lambda: stage.system.darken(region))
    try:
        stage.keep_writing(DARK_SECONDS)
        try:
            reprotect(stage)
        except DrillNotReadyError as error:
            stage.do(f"the command does not go on: {error}", lambda: None)
        else:
            raise DrillNotReadyError(f"the command went to its end while {region} was dark")
    finally:
        stage.do(f"{region} is back", lambda: stage.system.lighten(region))


KILLED = Chapter(
    Scenario(
        name="reprotect, killed",
        summary="nox -s reprotect is killed at the beginning and in the middle of each step, and started again; while "
        "the new instance is being made, its region goes dark.",
        expected=DrillOutcome.HELD,
        run=_run,
        outcomes=frozenset({DrillOutcome.ALERTED}),
    ),
    reprotects=True,
)

STORY = Story(
    name="reprotect-killed",
    summary="After a failover the command that makes a new standby is killed again and again, and its region is dark.",
    chapters=(CRASH, KILLED),
)
