"""CloudWatch Logs' embedded metric format: metrics that a function writes to its log.

See "Specification: Embedded metric format" in the CloudWatch user guide. As on AWS, a log line that does not follow it
is no error.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_MINUTE_SECONDS = 60
_HIGH_RESOLUTION = 1
_MAX_VALUES = 100
_MAX_DIMENSIONS = 30


@dataclass(frozen=True)
class EmbeddedMetric:
    """One metric of one dimension set in a log line.

    Attributes:
        at_seconds: epoch seconds; cut to the minute for a metric of standard resolution, as CloudWatch keeps it.
    """

    namespace: str
    name: str
    dimensions: Mapping[str, str]
    at_seconds: float
    unit: str
    values: tuple[float, ...]


def extract(message: str) -> list[EmbeddedMetric]:
    """The metrics in a log line."""
    if '"_aws"' not in message:
        return []
    try:
        document = json.loads(message)
        return list(_metrics(document))
    except (ValueError, TypeError, KeyError, AttributeError):
        return []


def stored_at(at_seconds: float, storage_resolution: int) -> float:
    """The time under which CloudWatch keeps a data point: standard resolution keeps minutes, high resolution all."""
    return at_seconds if storage_resolution == _HIGH_RESOLUTION else at_seconds // _MINUTE_SECONDS * _MINUTE_SECONDS


def _metrics(document: Mapping[str, Any]) -> Iterator[EmbeddedMetric]:
    metadata = document["_aws"]
    at_seconds = float(metadata["Timestamp"]) / 1000
    for directive in metadata["CloudWatchMetrics"]:
        for dimension_names in directive["Dimensions"]:
            dimensions = {name: document[name] for name in dimension_names}
            if len(dimensions) > _MAX_DIMENSIONS or not all(isinstance(value, str) for value in dimensions.values()):
                raise ValueError("dimensions are at most 30 texts")
            for definition in directive["Metrics"]:
                found: Any = document.get(definition["Name"])
                values: list[Any] = found if isinstance(found, list) else [found]
                if not values or len(values) > _MAX_VALUES or not all(_is_number(value) for value in values):
                    continue
                yield EmbeddedMetric(
                    namespace=directive["Namespace"],
                    name=definition["Name"],
                    dimensions=dimensions,
                    at_seconds=stored_at(at_seconds, int(definition.get("StorageResolution", _MINUTE_SECONDS))),
                    unit=definition.get("Unit", "None"),
                    values=tuple(map(float, values)),
                )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
