"""The writer's server dies at once, as a host does when its power goes."""

from __future__ import annotations

from lab.drill.scenario import DrillOutcome, Scenario
from lab.drill.stage import Stage

RECOVERY_DEADLINE_SECONDS = 90.0
AFTERMATH_SECONDS = 4.0
CLOSED_DEADLINE_SECONDS = 20.0


def run(stage: Stage) -> None:
    """Kill it, wait for the other database to take writes under the name, and go on writing for a while."""
    stage.break_it(f"SIGKILL to every process of the writer in the {stage.writer} site", stage.writer_server.kill)
    if stage.wait_for_new_writer(RECOVERY_DEADLINE_SECONDS):
        stage.keep_writing(AFTERMATH_SECONDS)
        # The incident is closed, and people are told, after the name has moved.
        if not stage.wait_for_incident_closed(CLOSED_DEADLINE_SECONDS):
            stage.say(f"the incident is not closed within {CLOSED_DEADLINE_SECONDS:g} s")


SCENARIO = Scenario(
    name="primary-crash",
    summary="The primary's PostgreSQL server is killed while a client writes through the writer's name.",
    expected=DrillOutcome.FAILED_OVER,
    run=run,
    rto_limit_seconds=60.0,
)
