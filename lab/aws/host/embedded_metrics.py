"""CloudWatch Logs' embedded metric format: metrics that a function writes to its log.

See "Specification: Embedded metric format" in the CloudWatch user guide. As on AWS, a log line that does not follow it
is no error.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from lab.minute import MINUTE_SECONDS

STANDARD_RESOLUTION = 60
"""What a datum says of itself that is kept by the minute, in AWS's seconds; it is the default."""
_HIGH_RESOLUTION = 1
_MAX_VALUES = 100
_MAX_DIMENSIONS = 30


@dataclass(frozen=True)
class EmbeddedMetric:
    """One metric of one dimension set in a log line.

    Attributes:
        at_seconds: epoch seconds; cut to the minute for a metric of standard resolution, as CloudWatch keeps it.
        is_high_resolution: whether it is kept more finely than by the minute.
    """

    namespace: str
    name: str
    dimensions: Mapping[str, str]
    at_seconds: float
    unit: str
    values: tuple[float, ...]
    is_high_resolution: bool


def extract(message: str) -> list[EmbeddedMetric]:
    """The metrics in a log line."""
    if '"_aws"' not in message:
        return []
    try:
        document = json.loads(message)
        return list(_metrics(document))
    except (ValueError, TypeError, KeyError, AttributeError):
        return []


def is_high_resolution(storage_resolution: object) -> bool:
    """Whether a datum with that ``StorageResolution`` is kept to the second."""
    return storage_resolution == _HIGH_RESOLUTION


def stored_at(at_seconds: float, high_resolution: bool) -> float:  # noqa: FBT001 - what the name asks
    """The time under which CloudWatch keeps a data point. Standard resolution keeps minutes, here the lab's."""
    return at_seconds if high_resolution else at_seconds // MINUTE_SECONDS * MINUTE_SECONDS


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
                high = is_high_resolution(definition.get("StorageResolution", STANDARD_RESOLUTION))
                yield EmbeddedMetric(
                    namespace=directive["Namespace"],
                    name=definition["Name"],
                    dimensions=dimensions,
                    at_seconds=stored_at(at_seconds, high),
                    unit=definition.get("Unit", "None"),
                    values=tuple(map(float, values)),
                    is_high_resolution=high,
                )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
