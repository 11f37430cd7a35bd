"""What the witness in a third region says of a database: its metric ``WitnessSeesDatabase`` there."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from drills.system import LabSystem
from shared.sites import Site

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_lambda import LambdaClient

WITNESS_METRIC = "WitnessSeesDatabase"
RECENT_SECONDS = 10.0


def witness_sees(system: LabSystem, witness_region: str, site: Site) -> bool:
    """Whether the witness has seen a site's database in the last seconds; not where it says nothing.

    Args:
        system: a running system.
        witness_region: where the witness runs.
        site: whose database.
    """
    client: CloudWatchClient = system.client("cloudwatch", witness_region)
    now = time.time()
    statistics = client.get_metric_statistics(
        Namespace=_metric_namespace(system),
        MetricName=WITNESS_METRIC,
        Dimensions=[{"Name": "Database", "Value": site.value}],
        StartTime=datetime.fromtimestamp(now - RECENT_SECONDS, UTC),
        EndTime=datetime.fromtimestamp(now, UTC),
        Period=1,
        Statistics=["Maximum"],
    )
    return any(point["Maximum"] >= 1 for point in statistics["Datapoints"])


def _metric_namespace(system: LabSystem) -> str:
    """The controller looks for the witness's word where this says."""
    target = system.target
    client: LambdaClient = system.client("lambda", target.recovery_region)
    configuration = client.get_function_configuration(FunctionName=target.failover_function_name)
    return configuration["Environment"]["Variables"]["METRIC_NAMESPACE"]
