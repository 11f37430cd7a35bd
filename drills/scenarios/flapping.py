"""The writer goes away and comes back, again and again, each time for less than an outage."""

from __future__ import annotations

from drills.endings import writer_answers_again
from drills.faults import freeze, thaw
from drills.scenario import DrillOutcome, Scenario
from drills.stage import Stage
from drills.timings import FLAP_ANSWERS_SECONDS, FLAP_FROZEN_SECONDS

TIMES = 5
ALERT_DEADLINE_SECONDS = 15.0
WRITES_DEADLINE_SECONDS = 15.0


def run(stage: Stage) -> None:
    """Freeze and thaw it several times, and see that people are told that it flaps."""
    for _ in range(TIMES):
        stage.break_it(*freeze(stage))
        stage.keep_writing(FLAP_FROZEN_SECONDS)
        stage.do(*thaw(stage))
        stage.keep_writing(FLAP_ANSWERS_SECONDS)
    stage.wait_for_decision(ALERT_DEADLINE_SECONDS, action="alert", code="flapping")
    writer_answers_again(stage, WRITES_DEADLINE_SECONDS)


SCENARIO = Scenario(
    name="flapping",
    summary="The primary goes away and comes back five times, each time for less than an outage.",
    expected=DrillOutcome.ALERTED,
    run=run,
    rto_limit_seconds=0.0,
)
