"""An operator reboots the writer through RDS, and it is away for longer than an outage. Maintenance is no failure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drills.endings import writer_answers_again
from drills.faults import reboot_slowly
from drills.scenario import DrillOutcome, Scenario
from drills.stage import Stage
from drills.timings import OUTAGE_SECONDS

if TYPE_CHECKING:
    from mypy_boto3_rds import RDSClient

# Two outages: a failure would be answered by then, and the patience with maintenance is not over.
REBOOT_SECONDS = 2.5 * OUTAGE_SECONDS
AVAILABLE_DEADLINE_SECONDS = 40.0
WRITES_DEADLINE_SECONDS = 15.0


def run(stage: Stage) -> None:
    """Reboot it and wait until RDS calls it available again."""
    database = stage.writer_database
    client: RDSClient = stage.system.client("rds", database.region)

    def available() -> bool:
        instances = client.describe_db_instances(DBInstanceIdentifier=database.identifier)["DBInstances"]
        return instances[0]["DBInstanceStatus"] == "available"

    stage.break_it(*reboot_slowly(stage, REBOOT_SECONDS))
    stage.require("the instance to be away", lambda: not available(), AVAILABLE_DEADLINE_SECONDS)
    stage.require("the instance to be available again", available, AVAILABLE_DEADLINE_SECONDS)
    writer_answers_again(stage, WRITES_DEADLINE_SECONDS)


SCENARIO = Scenario(
    name="maintenance-reboot",
    summary="An operator reboots the primary through RDS; it is away for longer than an outage, and comes back.",
    expected=DrillOutcome.HELD,
    run=run,
    rto_limit_seconds=0.0,
    outcomes=frozenset({DrillOutcome.ALERTED}),
)
