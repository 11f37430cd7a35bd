"""Metrics in MiniStack with CloudWatch's resolution and retention, and no alarm evaluation of MiniStack's own."""

from __future__ import annotations

import logging
import threading
import time
from typing import Any

from ministack.core.responses import get_account_id, get_region  # type: ignore[import-untyped]
from ministack.services import cloudwatch, cloudwatch_logs  # type: ignore[import-untyped]

from lab.aws.host.embedded_metrics import extract, stored_at

_LOG = logging.getLogger("lab.metrics")

# CloudWatch keeps high-resolution data for 3 hours.
_RETENTION_SECONDS = 3 * 3600
_EVICTION_INTERVAL_SECONDS = 60.0

_lock = threading.RLock()
_evicted_at: dict[tuple[str, str], float] = {}
_told: set[tuple[str, str]] = set()


def install() -> None:
    """Extract metrics from logs, store data by resolution, leave alarms to `lab.aws.clock`."""
    append = cloudwatch_logs._append_log_events
    put = cloudwatch._put_metric_data
    bucket = cloudwatch._metric_bucket

    def append_log_events(stream: Any, events: list[dict[str, Any]]) -> None:
        append(stream, events)
        for event in events:
            _store(event["message"])

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


def _leave_alone(*_: object) -> None:
    """Only SetAlarmState changes an alarm's state."""


def _store(message: str) -> None:
    for metric in extract(message):
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


def _cut_to_resolution(namespace: str, datum: dict[str, Any]) -> None:
    """Set a datum's timestamp to its resolution. What AWS itself publishes (``AWS/...``) is left as it is."""
    if namespace.startswith("AWS/"):
        return
    given = cloudwatch._parse_ts(datum.get("Timestamp"))
    at_seconds = time.time() if given is None else given
    kept = stored_at(at_seconds, int(datum.get("StorageResolution", 60)))
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
