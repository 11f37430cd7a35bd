"""Metrics in MiniStack with CloudWatch's resolution, delay and retention, and without MiniStack's alarm evaluation."""

from __future__ import annotations

import contextvars
import logging
import sched
import threading
import time
from collections.abc import Iterable, Mapping
from typing import Any

from ministack.core.responses import get_account_id, get_region  # type: ignore[import-untyped]
from ministack.services import cloudwatch, cloudwatch_logs  # type: ignore[import-untyped]

from lab.aws.host.embedded_metrics import (
    STANDARD_RESOLUTION,
    EmbeddedMetric,
    extract,
    is_high_resolution,
    stored_at,
)
from lab.minute import LOG_METRIC_DELAY

_LOG = logging.getLogger("lab.metrics")

# CloudWatch keeps high-resolution data for 3 hours.
_RETENTION_SECONDS = 3 * 3600
_EVICTION_INTERVAL_SECONDS = 60.0
_LOOK_SECONDS = 0.05

_lock = threading.RLock()
_evicted_at: dict[tuple[str, str], float] = {}
_told: set[tuple[str, str]] = set()
_delayed = sched.scheduler(time.time)
# Region, namespace, name and dimensions of each metric whose newest datum is kept to the second.
_high_resolution: set[tuple[str, str, str, tuple[tuple[str, str], ...]]] = set()


def install() -> None:
    """Extract metrics from logs, store data by resolution, leave alarms to `lab.aws.clock`."""
    append = cloudwatch_logs._append_log_events
    put = cloudwatch._put_metric_data
    bucket = cloudwatch._metric_bucket

    def append_log_events(stream: Any, events: list[dict[str, Any]]) -> None:
        append(stream, events)
        for event in events:
            if metrics := extract(event["message"]):
                _delayed.enter(LOG_METRIC_DELAY.draw(), 0, contextvars.copy_context().run, (_store, metrics))

    def put_metric_data(params: Any, data: dict[str, Any], is_cbor: bool, is_json: bool = False) -> Any:  # noqa: FBT001, FBT002
        for datum in data.get("MetricData", []):
            _cut_to_resolution(data.get("Namespace", ""), datum)
        return put(params, data, is_cbor, is_json)

    def metric_bucket(key: tuple[str, str, str]) -> list[Any]:
        with _lock:  # functions' logs are read in threads of their own
            points: list[Any] = bucket(key)
            return points

    cloudwatch_logs._append_log_events = append_log_events
    cloudwatch._put_metric_data = put_metric_data
    cloudwatch._metric_bucket = metric_bucket
    cloudwatch._evict_old_metrics = _evict
    # MiniStack's own evaluation ignores dimensions, missing data and datapoints to alarm.
    cloudwatch._evaluate_alarm = _leave_alone
    cloudwatch._evaluate_all_alarms = _leave_alone
    threading.Thread(target=_store_what_is_due, name="log-metrics", daemon=True).start()


def high_resolution_metrics() -> list[tuple[str, str, str, tuple[tuple[str, str], ...]]]:
    """Region, namespace, name and sorted dimensions of each metric that is kept to the second."""
    with _lock:
        return sorted(_high_resolution)


def _leave_alone(*_: object) -> None:
    """Only SetAlarmState changes an alarm's state."""


def _store_what_is_due() -> None:
    while True:
        _delayed.run(blocking=False)
        time.sleep(_LOOK_SECONDS)


def _store(metrics: Iterable[EmbeddedMetric]) -> None:
    """Store what a line holds, in the context of the log's region."""
    for metric in metrics:
        _note_resolution(metric.namespace, metric.name, metric.dimensions, high=metric.is_high_resolution)
        cloudwatch._store_datum(
            metric.namespace,
            metric.name,
            dict(metric.dimensions),
            metric.at_seconds,
            metric.unit,
            None,
            list(metric.values),
            None,
            None,
        )


def _note_resolution(namespace: str, name: str, dimensions: Mapping[str, str], *, high: bool) -> None:
    metric = (get_region(), namespace, name, tuple(sorted(dimensions.items())))
    with _lock:
        (_high_resolution.add if high else _high_resolution.discard)(metric)


def _cut_to_resolution(namespace: str, datum: dict[str, Any]) -> None:
    """Set a datum's timestamp to its resolution. What AWS itself publishes (``AWS/...``) is left as it is."""
    if namespace.startswith("AWS/"):
        return
    given = cloudwatch._parse_ts(datum.get("Timestamp"))
    at_seconds = time.time() if given is None else given
    high = is_high_resolution(datum.get("StorageResolution", STANDARD_RESOLUTION))
    dimensions = {each["Name"]: each["Value"] for each in datum.get("Dimensions", [])}
    _note_resolution(namespace, datum.get("MetricName", ""), dimensions, high=high)
    kept = stored_at(at_seconds, high)
    datum["Timestamp"] = kept
    metric = (namespace, datum.get("MetricName", ""))
    if kept != at_seconds and metric not in _told:
        _told.add(metric)
        _LOG.info("%s %s has standard resolution: CloudWatch stores it by the minute", *metric)


def _evict() -> None:
    """Remove old data periodically, in place, since another thread may be adding to the list."""
    now = time.time()
    scope = (get_account_id(), get_region())
    with _lock:
        if now - _evicted_at.get(scope, 0.0) < _EVICTION_INTERVAL_SECONDS:
            return
        _evicted_at[scope] = now
        for points in cloudwatch._metrics.values():
            old = sum(point["Timestamp"] < now - _RETENTION_SECONDS for point in points)
            if old:
                del points[:old]  # data are about in order
