"""An operator reboots the writer through RDS, and it is away for longer than an outage. That is not a failure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drills.faults import OUTAGE_SECONDS, reboot_slowly
from drills.scenario import DrillOutcome, Scenario
from drills.stage import Stage

if TYPE_CHECKING:
    from mypy_boto3_rds import RDSClient

# More than two outages: a failure would have led to a failover by then, but maintenance may still go on.
REBOOT_SECONDS = 2.5 * OUTAGE_SECONDS
AVAILABLE_DEADLINE_SECONDS = 60.0


def run(stage: Stage) -> None:
    """Reboot the writer and wait until RDS reports it available again."""
    database = stage.writer_database
    client: RDSClient = stage.system.client("rds", database.region)

    def available() -> bool:
        instances = client.describe_db_instances(DBInstanceIdentifier=database.identifier)["DBInstances"]
        return instances[0]["DBInstanceStatus"] == "available"

    stage.break_it(*reboot_slowly(stage, REBOOT_SECONDS))
    stage.require("the instance to be away", lambda: not available(), AVAILABLE_DEADLINE_SECONDS)
    stage.require("the instance to be available again", available, AVAILABLE_DEADLINE_SECONDS)
    stage.wait_for_writes()


SCENARIO = Scenario(
    name="maintenance-reboot",
    summary="An operator reboots the writer through RDS; it is away for longer than an outage, and comes back.",
    expected=DrillOutcome.HELD,
    run=run,
    outcomes=frozenset({DrillOutcome.ALERTED}),
)
