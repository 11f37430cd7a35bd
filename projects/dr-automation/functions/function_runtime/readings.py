"""What AWS answers, as the functions hand it on: metrics, instances, and no answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from operator import attrgetter

from function_runtime import rds_status

# Fewer failed probes than this prove no outage, however long apart they are.
MIN_FAILED_PROBES = 3


@dataclass(frozen=True)
class Datapoint:
    """One period of a metric.

    Attributes:
        start: when the period began; CloudWatch names a period by its start, its samples lie after it.
        maximum: the largest sample.
        minimum: the smallest sample.
        samples: how many there were.
    """

    start: datetime
    maximum: float
    minimum: float
    samples: float


MAXIMUM, MINIMUM, SAMPLES = attrgetter("maximum"), attrgetter("minimum"), attrgetter("samples")
Series = tuple[Datapoint, ...]
"""Datapoints, oldest first. Periods without a sample are not in it."""


def coarser(series: Series, period_seconds: int) -> Series:
    """The series in a longer period, a multiple of its own."""
    found: list[Datapoint] = []
    first = 0
    while first < len(series):
        begins = datetime.fromtimestamp(series[first].start.timestamp() // period_seconds * period_seconds, UTC)
        ends, after = begins + timedelta(seconds=period_seconds), first
        while after < len(series) and series[after].start < ends:
            after += 1
        points = series[first:after]
        found.append(Datapoint(begins, max(map(MAXIMUM, points)), min(map(MINIMUM, points)), sum(map(SAMPLES, points))))
        first = after
    return tuple(found)


@dataclass(frozen=True)
class Unanswered:
    """A question that brought no answer to use.

    Attributes:
        why: the error, for people.
        service_answered: whether the service was there and answered with a refusal; False where nothing came back.
    """

    why: str
    service_answered: bool


def series_of(reading: Series | Unanswered | None) -> Series:
    """The datapoints; none where the question brought no answer, or was not asked."""
    return () if reading is None or isinstance(reading, Unanswered) else reading


@dataclass(frozen=True)
class Instance:
    """A database instance, as RDS describes it.

    Attributes:
        status: RDS's word for what it does.
        replica_of: the source it replicates, None where it is no replica (any more).
        security_groups: the state of each VPC security group by its id (``active``, ``adding``, ``removing``).
        replication_ended: whether RDS says that replication is terminated for good.
        resource_id: its ``DbiResourceId``, which no other instance ever has.
    """

    status: str
    replica_of: str | None
    security_groups: Mapping[str, str]
    replication_ended: bool = False
    resource_id: str | None = None

    @property
    def is_failed(self) -> bool:
        """Whether RDS itself says that the database does not work."""
        return self.status in rds_status.FAILED

    @property
    def could_take_over(self) -> bool:
        """Whether RDS shows a replica that works; ``backing-up`` ends by itself, and a promotion waits for it."""
        return self.replica_of is not None and not self.replication_ended and self.status in rds_status.WORKING


@dataclass(frozen=True)
class RegionAnswers:
    """Which services of a region answered at all.

    Attributes:
        answered: services that answered, be it with a refusal.
        silent: services that did not.
    """

    answered: tuple[str, ...]
    silent: tuple[str, ...]
