"""Both probes get the same broken deploy: every observer agrees that every database is dead, and all of them err."""

from __future__ import annotations

from drills.endings import writer_answers_again
from drills.faults import break_probes, repair_probes
from drills.scenario import DrillOutcome, Scenario
from drills.stage import Stage
from drills.timings import OUTAGE_SECONDS

BROKEN_SECONDS = 5 * OUTAGE_SECONDS
ALERT_DEADLINE_SECONDS = 30.0
WRITES_DEADLINE_SECONDS = 15.0


def run(stage: Stage) -> None:
    """Deploy the wrong port to both, see that people are told, and deploy the right one."""
    stage.break_it(*break_probes(stage))
    stage.keep_writing(BROKEN_SECONDS)
    stage.wait_for_decision(ALERT_DEADLINE_SECONDS, action="alert")
    stage.do(*repair_probes(stage))
    writer_answers_again(stage, WRITES_DEADLINE_SECONDS)


SCENARIO = Scenario(
    name="probe-broken",
    summary="Both probes get a deploy with a wrong port and report every database as dead, while all are well.",
    expected=DrillOutcome.ALERTED,
    run=run,
    rto_limit_seconds=0.0,
)
