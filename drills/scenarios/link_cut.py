"""Only the link between the sites is cut. The writer is well: to fail over would be the accident."""

from __future__ import annotations

from drills.endings import writer_answers_again
from drills.faults import cut_link, heal_link
from drills.scenario import DrillOutcome, Scenario
from drills.stage import Stage
from drills.timings import OUTAGE_SECONDS

CUT_SECONDS = 5 * OUTAGE_SECONDS
ALERT_DEADLINE_SECONDS = 30.0
WRITES_DEADLINE_SECONDS = 15.0


def run(stage: Stage) -> None:
    """Cut it for five outages, see that people are told, and heal it."""
    stage.break_it(*cut_link(stage))
    stage.keep_writing(CUT_SECONDS)
    stage.wait_for_decision(ALERT_DEADLINE_SECONDS, action="alert")
    stage.do(*heal_link(stage))
    writer_answers_again(stage, WRITES_DEADLINE_SECONDS)


SCENARIO = Scenario(
    name="link-cut",
    summary="The link between the sites is cut while both are well, long enough for five outages, and healed.",
    expected=DrillOutcome.ALERTED,
    run=run,
    rto_limit_seconds=0.0,
)
