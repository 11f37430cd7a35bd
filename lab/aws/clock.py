"""What AWS does periodically: evaluate alarms and health checks.

Once a minute, the lab's, the alarms of both regions are evaluated from their metrics and set where their state
differs; MiniStack then sends the alarm's actions and re-evaluates composite alarms. The health checks watch their
metric streams, and see only metrics of standard resolution.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from http.client import HTTPException
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from lab.aws.cloudwatch_alarms import (
    AlarmConfiguration,
    AlarmState,
    MetricIdentity,
    Series,
    UnsupportedAlarmError,
    evaluate,
)
from lab.aws.health_checks import HealthCheck, MetricWatch, statuses

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_route53 import Route53Client

_LOG = logging.getLogger(__name__)
_QUERIES_PER_CALL = 500  # GetMetricData's limit

Stream = AlarmConfiguration
"""An alarm's configuration, for the metric stream that it describes."""


class LabClock:
    """A thread that evaluates the alarms and health checks of the lab's AWS."""

    def __init__(
        self,
        client: Callable[[str, str], Any],
        regions: Sequence[str],
        high_resolution: Callable[[], Collection[MetricIdentity]],
        interval_seconds: float = 1.0,
    ) -> None:
        """Nothing runs yet.

        Args:
            client: gives boto3 clients.
            regions: whose alarms are evaluated.
            high_resolution: gives the metrics that Route 53 does not read.
            interval_seconds: how often it looks what is due, and at the health checks.
        """
        self._client = client
        self._regions = tuple(regions)
        self._high_resolution = high_resolution
        self._interval_seconds = interval_seconds
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._evaluated: dict[tuple[str, str], tuple[AlarmConfiguration, int]] = {}
        self._unsupported: set[str] = set()
        self._watches: dict[str, MetricWatch] = {}
        self._statuses: Mapping[str, bool] = {}

    def start(self) -> None:
        """Start evaluating."""
        self._thread = threading.Thread(target=self._run, name="lab-clock", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop, and wait until the current evaluation has ended."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def health_status(self, health_check_id: str) -> bool:
        """Whether a health check was healthy at the last evaluation; a new one is healthy, as with Route 53."""
        return self._statuses.get(health_check_id, True)

    def tick(self, now: float) -> None:
        """Evaluate everything once; ``now`` in epoch seconds.

        Raises:
            ClientError, BotoCoreError, OSError, HTTPException: AWS did not answer; the next tick tries again.
        """
        alarms = {region: self._alarms(region) for region in self._regions}
        checks = self._health_checks(alarms)
        due = {
            region: {name: alarm for name, (alarm, _) in found.items() if self._is_due(region, name, alarm, now)}
            for region, found in alarms.items()
        }
        wanted: dict[str, set[Stream]] = defaultdict(set)
        for region, found in due.items():
            wanted[region].update(found.values())
        for watch in self._watches.values():
            if watch.alarm is not None and watch.check.alarm is not None:
                wanted[watch.check.alarm[1]].add(watch.alarm)
        series = {region: self._series(region, streams, now) for region, streams in wanted.items() if streams}
        for region, found in due.items():
            for name, alarm in found.items():
                self._set_where_it_differs(region, name, alarm, alarms[region][name][1], series[region][alarm], now)
                self._evaluated[region, name] = (alarm, _step(alarm, now))
        self._watches = self._watched(series, now)
        self._statuses = statuses(checks, self._watches)

    def _watched(self, series: Mapping[str, Mapping[Stream, Series]], now: float) -> dict[str, MetricWatch]:
        """The watches after another look at their streams."""
        # "Route 53 does not support high-resolution metrics": to a check there is nothing in such a stream.
        # https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/health-checks-creating-values.html
        unread = self._high_resolution() if self._watches else ()
        watched = {}
        for identifier, watch in self._watches.items():
            watched[identifier] = watch
            if watch.alarm is not None and watch.check.alarm is not None:
                region, stream = watch.check.alarm[1], watch.alarm
                is_unread = (region, stream.namespace, stream.metric_name, stream.dimensions) in unread
                watched[identifier] = watch.after({} if is_unread else series[region][stream], now)
        return watched

    def _run(self) -> None:
        while not self._stop.wait(self._interval_seconds):
            try:
                self.tick(time.time())
            except (ClientError, BotoCoreError, OSError, HTTPException) as error:
                _LOG.warning("the clock missed a tick: %s", error)

    def _alarms(self, region: str) -> dict[str, tuple[AlarmConfiguration, AlarmState]]:
        """The metric alarms of a region, with their states."""
        cloudwatch: CloudWatchClient = self._client("cloudwatch", region)
        found = {}
        for page in cloudwatch.get_paginator("describe_alarms").paginate(AlarmTypes=["MetricAlarm"]):
            for description in page["MetricAlarms"]:
                name = description["AlarmName"]
                try:
                    found[name] = (AlarmConfiguration.of(description), AlarmState(description["StateValue"]))
                except UnsupportedAlarmError as error:
                    if name not in self._unsupported:
                        self._unsupported.add(name)
                        _LOG.warning("%s; it keeps its state", error)
        return found

    def _health_checks(
        self, alarms: Mapping[str, Mapping[str, tuple[AlarmConfiguration, Any]]]
    ) -> dict[str, HealthCheck]:
        """All health checks; the watches are updated to them."""
        route53: Route53Client = self._client("route53", self._regions[0])
        checks = {}
        for page in route53.get_paginator("list_health_checks").paginate():
            for description in page["HealthChecks"]:
                check = HealthCheck.of(description)
                checks[check.id] = check
        watches = {}
        for check in checks.values():
            if check.alarm is None:
                continue
            watch = self._watches.get(check.id)
            if watch is None or watch.alarm is None or watch.check.version != check.version:
                name, region = check.alarm
                captured = alarms.get(region, {}).get(name)
                last_known = None if watch is None else watch.last_known
                watch = MetricWatch(check, None if captured is None else captured[0], last_known)
            watches[check.id] = watch
        self._watches = watches
        return checks

    def _is_due(self, region: str, name: str, alarm: AlarmConfiguration, now: float) -> bool:
        """Whether the window has moved or the alarm has changed since the last evaluation."""
        return self._evaluated.get((region, name)) != (alarm, _step(alarm, now))

    def _series(self, region: str, streams: Iterable[Stream], now: float) -> dict[Stream, Series]:
        """The metrics of the streams, in steps, over their evaluation ranges."""
        by_range: dict[int, list[tuple[Stream, str]]] = defaultdict(list)
        series: dict[Stream, dict[str, dict[int, float]]] = {}
        for stream in streams:
            series[stream] = {part: {} for part in stream.parts}
            by_range[stream.range_seconds + stream.step_seconds].extend((stream, part) for part in stream.parts)
        cloudwatch: CloudWatchClient = self._client("cloudwatch", region)
        for range_seconds, queries in by_range.items():
            for offset in range(0, len(queries), _QUERIES_PER_CALL):
                batch = queries[offset : offset + _QUERIES_PER_CALL]
                pages = cloudwatch.get_paginator("get_metric_data").paginate(
                    MetricDataQueries=[_query(f"m{number}", *each) for number, each in enumerate(batch)],
                    StartTime=_moment(now - range_seconds),
                    EndTime=_moment(now),
                )
                for page in pages:
                    for result in page["MetricDataResults"]:
                        stream, part = batch[int(result["Id"][1:])]
                        moments = (int(moment.timestamp()) for moment in result["Timestamps"])
                        series[stream][part].update(zip(moments, result["Values"], strict=True))
        return dict(series)

    def _set_where_it_differs(
        self, region: str, name: str, alarm: AlarmConfiguration, current: AlarmState, series: Series, now: float
    ) -> None:
        evaluation = evaluate(alarm, series, now, current)
        if evaluation.state is current:
            return
        cloudwatch: CloudWatchClient = self._client("cloudwatch", region)
        cloudwatch.set_alarm_state(
            AlarmName=name,
            StateValue=evaluation.state.value,
            StateReason=evaluation.reason,
            StateReasonData=json.dumps(
                {
                    "version": "1.0",
                    "statistic": alarm.statistic,
                    "period": alarm.period_seconds,
                    "recentDatapoints": evaluation.data_points,
                    "threshold": alarm.threshold,
                }
            ),
        )


def _step(alarm: AlarmConfiguration, now: float) -> int:
    return int(now // alarm.step_seconds)


def _moment(epoch_seconds: float) -> datetime:
    return datetime.fromtimestamp(epoch_seconds, UTC)


def _query(identifier: str, stream: Stream, part: str) -> Any:
    return {
        "Id": identifier,
        "MetricStat": {
            "Metric": {
                "Namespace": stream.namespace,
                "MetricName": stream.metric_name,
                "Dimensions": [{"Name": name, "Value": value} for name, value in stream.dimensions],
            },
            "Period": stream.step_seconds,
            "Stat": part,
        },
    }
