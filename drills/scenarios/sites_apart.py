"""The standby's region sees nothing of the writer's: no API, no database. Only the witness knows that it is well."""

from __future__ import annotations

from drills.endings import writer_answers_again
from drills.faults import hide_writer_region_from_standby, lighten_writer_region
from drills.scenario import DrillOutcome, Scenario
from drills.stage import Stage
from drills.timings import OUTAGE_SECONDS
from drills.witness import witness_sees

APART_SECONDS = 5 * OUTAGE_SECONDS
ALERT_DEADLINE_SECONDS = 30.0
WRITES_DEADLINE_SECONDS = 15.0
WITNESS_DEADLINE_SECONDS = 20.0
WITNESS_REGION = "ap-northeast-1"


def run(stage: Stage) -> None:
    """Hide the writer's region from the standby's, see that people are told, and show it again.

    Raises:
        DrillNotReadyError: the witness does not see the writer, so nobody could tell this from a lost region.
    """
    stage.require(
        "the witness to see the writer",
        lambda: witness_sees(stage.system, WITNESS_REGION, stage.writer),
        WITNESS_DEADLINE_SECONDS,
    )
    stage.break_it(*hide_writer_region_from_standby(stage))
    stage.keep_writing(APART_SECONDS)
    stage.wait_for_decision(ALERT_DEADLINE_SECONDS, action="alert")
    stage.do(*lighten_writer_region(stage))
    writer_answers_again(stage, WRITES_DEADLINE_SECONDS)


SCENARIO = Scenario(
    name="sites-apart",
    summary="The standby's region loses all sight of the primary's, which is well; a witness sees both.",
    expected=DrillOutcome.ALERTED,
    run=run,
    rto_limit_seconds=0.0,
    configuration={"witnessRegion": WITNESS_REGION},
)
