"""The alarms on one database's performance (R9)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from observability_layer.alarm import ABOVE, BELOW, Condition, alarm
from observability_layer.settings import ObservabilitySettings
from shared.sites import Site

NAMESPACE = "AWS/RDS"
# Five periods, so that a short peak of a backup or a vacuum alarms nobody.
PERIODS = 5


@dataclass(frozen=True)
class DatabaseAlarmsArgs:
    """What the alarms watch and whom they tell.

    Attributes:
        site: the database's site.
        database_id: its RDS identifier.
        topic_arns: topics of the site.
    """

    site: Site
    database_id: pulumi.Output[str]
    topic_arns: Sequence[pulumi.Input[str]]


class DatabaseAlarms(pulumi.ComponentResource):
    """CPU, storage, connections and memory of one instance. Of the replica as well: it may be promoted at any time.

    Attributes:
        alarms: all of them.
    """

    alarms: Sequence[aws.cloudwatch.MetricAlarm]

    def __init__(self, settings: ObservabilitySettings, args: DatabaseAlarmsArgs, provider: aws.Provider) -> None:
        names = settings.environment.names
        super().__init__("postgres-dr:observability:DatabaseAlarms", names.of("database-alarms", args.site))
        self.alarms = [
            alarm(names, args.site, condition, args.topic_arns, provider, self)
            for condition in _conditions(settings, args.database_id)
        ]
        self.register_outputs({})


def _conditions(settings: ObservabilitySettings, database_id: pulumi.Output[str]) -> Iterator[Condition]:
    thresholds = settings.thresholds
    for what, metric, statistic, comparison, threshold, meaning in (
        ("cpu", "CPUUtilization", "Average", ABOVE, thresholds.cpu_percent, "CPU is busy; find the load"),
        (
            "free-storage",
            "FreeStorageSpace",
            "Minimum",
            BELOW,
            thresholds.free_storage_bytes,
            "storage runs out; a full instance stops",
        ),
        (
            "connections",
            "DatabaseConnections",
            "Maximum",
            ABOVE,
            thresholds.connections,
            "connections run out; new clients will be refused",
        ),
        (
            "freeable-memory",
            "FreeableMemory",
            "Minimum",
            BELOW,
            thresholds.freeable_memory_bytes,
            "memory runs out; the server may restart",
        ),
    ):
        yield Condition(
            what=f"database-{what}",
            description=f"{metric} {comparison} {threshold}: {meaning}.",
            namespace=NAMESPACE,
            metric=metric,
            dimensions={"DBInstanceIdentifier": database_id},
            statistic=statistic,
            comparison=comparison,
            threshold=threshold,
            period_seconds=settings.alarm_period_seconds,
            periods=PERIODS,
        )
