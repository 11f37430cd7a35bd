"""What CloudWatch recorded during a drill: when alarms changed their state, and the replica lag."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from drills.system import LabSystem
from lab.target import DeployedDatabase
from shared.sites import Site

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient

LAG_PERIOD_SECONDS = 1


@dataclass(frozen=True)
class AlarmChange:
    """A state change of an alarm.

    Attributes:
        at: seconds since 1970.
        alarm: its name.
        summary: the change as CloudWatch describes it.
        reason: CloudWatch's reason; empty where it gave none.
    """

    at: float
    alarm: str
    summary: str
    reason: str


@dataclass(frozen=True)
class LagSample:
    """The replica lag at a moment.

    Attributes:
        at: seconds since 1970.
        lag_seconds: RDS's ``ReplicaLag``.
    """

    at: float
    lag_seconds: float


def alarm_changes(system: LabSystem, since: float) -> tuple[AlarmChange, ...]:
    """The changes of the trigger and word alarms of both sites since a moment, oldest first."""
    target = system.target
    changes: list[AlarmChange] = []
    for site, alarm in (
        (site, alarm)
        for site, automation in target.automation.items()
        for alarm in (automation.trigger_alarm_name, *automation.word_alarm_names)
    ):
        client: CloudWatchClient = system.client("cloudwatch", target.region(site))
        pages = client.get_paginator("describe_alarm_history").paginate(
            AlarmName=alarm, HistoryItemType="StateUpdate", StartDate=datetime.fromtimestamp(since, UTC)
        )
        for page in pages:
            changes += [
                AlarmChange(
                    at=item["Timestamp"].timestamp(),
                    alarm=alarm,
                    summary=item["HistorySummary"],
                    reason=_reason(item.get("HistoryData")),
                )
                for item in page["AlarmHistoryItems"]
            ]
    return tuple(sorted(changes, key=lambda change: change.at))


def lag_samples(system: LabSystem, replica: DeployedDatabase, since: float, until: float) -> tuple[LagSample, ...]:
    """The replica's lag between two moments, oldest first.

    RDS publishes a negative value where replication is not running; these are left out.
    """
    client: CloudWatchClient = system.client("cloudwatch", replica.region)
    response = client.get_metric_data(
        StartTime=datetime.fromtimestamp(since, UTC),
        EndTime=datetime.fromtimestamp(until, UTC),
        ScanBy="TimestampAscending",
        MetricDataQueries=[
            {
                "Id": "lag",
                "MetricStat": {
                    "Metric": {
                        "Namespace": "AWS/RDS",
                        "MetricName": "ReplicaLag",
                        "Dimensions": [{"Name": "DBInstanceIdentifier", "Value": replica.identifier}],
                    },
                    "Period": LAG_PERIOD_SECONDS,
                    "Stat": "Maximum",
                },
            }
        ],
    )
    samples = [
        LagSample(at=timestamp.timestamp(), lag_seconds=value)
        for result in response["MetricDataResults"]
        for timestamp, value in zip(result["Timestamps"], result["Values"], strict=True)
        if value >= 0
    ]
    return tuple(sorted(samples, key=lambda sample: sample.at))


def alarm_state(system: LabSystem, site: Site, alarm: str) -> str:
    """``OK``, ``ALARM`` or ``INSUFFICIENT_DATA``; empty where the site has no such alarm."""
    client: CloudWatchClient = system.client("cloudwatch", system.target.region(site))
    for found in client.describe_alarms(AlarmNames=[alarm])["MetricAlarms"]:
        return found["StateValue"]
    return ""


def _reason(history_data: str | None) -> str:
    """The reason in the JSON of a history item; CloudWatch documents its fields only by example."""
    if history_data is None:
        return ""
    try:
        data = json.loads(history_data)
    except json.JSONDecodeError:
        return ""
    new_state = data.get("newState") if isinstance(data, dict) else None
    reason = new_state.get("stateReason") if isinstance(new_state, dict) else None
    return reason if isinstance(reason, str) else ""
