"""Read metrics: the probes' readings, the witness's, and the replica's lag."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from function_runtime.metric_names import ANSWERS, WITNESS_SEES
from function_runtime.readings import Datapoint, Series
from function_runtime.sites import Site

STATISTICS = ("Maximum", "Minimum", "SampleCount")


@dataclass(frozen=True)
class Metric:
    """A metric and the resolution to read it in."""

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...]
    period_seconds: int


def probed(namespace: str, name: str, database: Site, observer: Site, period_seconds: int) -> Metric:
    """What the probes of a site's database by a site's observer found; it is published in the observer's region."""
    dimensions = (("Database", database.value), ("Observer", observer.value))
    return Metric(namespace, name, dimensions, period_seconds)


def answers(namespace: str, database: Site, observer: Site, period_seconds: int) -> Metric:
    """Whether the database answered them."""
    return probed(namespace, ANSWERS, database, observer, period_seconds)


def replica_lag(instance_id: str, period_seconds: int) -> Metric:
    """RDS's replication lag in seconds, -1 where it knows none."""
    return Metric("AWS/RDS", "ReplicaLag", (("DBInstanceIdentifier", instance_id),), period_seconds)


def slot_lag(instance_id: str, period_seconds: int) -> Metric:
    """Bytes of the writer's log that its oldest replication slot has yet to deliver; in the writer's region."""
    return Metric("AWS/RDS", "OldestReplicationSlotLag", (("DBInstanceIdentifier", instance_id),), period_seconds)


def host_load(instance_id: str, period_seconds: int) -> Metric:
    """The load of the instance's host, which RDS measures outside of the database: where it ends, the host is gone."""
    return Metric("AWS/RDS", "CPUUtilization", (("DBInstanceIdentifier", instance_id),), period_seconds)


def witness_sees(namespace: str, database: Site, period_seconds: int) -> Metric:
    """Whether the witness sees a site's database alive; it is published in the witness's region."""
    return Metric(namespace, WITNESS_SEES, (("Database", database.value),), period_seconds)


def read(cloudwatch: Any, metrics: Mapping[str, Metric], since: datetime, until: datetime) -> dict[str, Series]:
    """Read metrics in one question.

    Args:
        cloudwatch: the region's client.
        metrics: by a name of the caller's choice (small letters and underscores).
        since: from when on.
        until: to when.

    Returns:
        The series by the same names, oldest first; periods without samples are left out.

    Raises:
        ClientError, BotoCoreError: CloudWatch refuses or is silent.
    """
    queries = [
        _query(f"{name}_{statistic.lower()}", metric, statistic)
        for name, metric in metrics.items()
        for statistic in STATISTICS
    ]
    longest = max(metric.period_seconds for metric in metrics.values())
    # On a period's boundary, or the first period would be cut and its statistics with it.
    start = datetime.fromtimestamp(since.timestamp() // longest * longest, UTC)
    values: dict[str, dict[datetime, float]] = {query["Id"]: {} for query in queries}
    question: dict[str, Any] = {
        "MetricDataQueries": queries,
        "StartTime": start,
        "EndTime": until + timedelta(seconds=longest),
        "ScanBy": "TimestampAscending",
    }
    while True:
        answer = cloudwatch.get_metric_data(**question)
        for result in answer["MetricDataResults"]:
            values[result["Id"]].update(zip(result["Timestamps"], result["Values"], strict=True))
        if not answer.get("NextToken"):
            break
        question["NextToken"] = answer["NextToken"]
    return {name: _series(until, *(values[f"{name}_{each.lower()}"] for each in STATISTICS)) for name in metrics}


def _query(query_id: str, metric: Metric, statistic: str) -> dict[str, Any]:
    return {
        "Id": query_id,
        "ReturnData": True,
        "MetricStat": {
            "Metric": {
                "Namespace": metric.namespace,
                "MetricName": metric.name,
                "Dimensions": [{"Name": name, "Value": value} for name, value in metric.dimensions],
            },
            "Period": metric.period_seconds,
            "Stat": statistic,
        },
    }


def _series(
    until: datetime, maxima: dict[datetime, float], minima: dict[datetime, float], counts: dict[datetime, float]
) -> Series:
    # A sample that arrives between two pages can be in one statistic and not in the other: the next run sees it whole.
    whole = sorted(maxima.keys() & minima.keys() & counts.keys())
    # A period that has begun since the question's time is not of it: the call may have taken its time.
    return tuple(Datapoint(start, maxima[start], minima[start], counts[start]) for start in whole if start <= until)
