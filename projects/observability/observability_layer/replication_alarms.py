"""The alarms on replication (R9, C2): lag in seconds where the replica is, bytes held back where the primary is.

The lag in seconds is misleading while the primary is idle: RDS measures the age of the last replayed transaction,
which grows for up to 5 minutes without transactions. Bytes say nothing about time. A composite alarm of both would be
the obvious answer, but each metric is in the region of its instance, and an alarm sees its own region only. So the
alarm on seconds needs more minutes in a row than an idle primary explains, and the alarm on bytes is the fast one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from observability_layer.alarm import ABOVE, Condition, alarm
from observability_layer.settings import ObservabilitySettings
from shared.contracts import DataContract
from shared.sites import Site


@dataclass(frozen=True)
class ReplicationAlarmsArgs:
    """What the alarms watch and whom they tell.

    Attributes:
        data: both sites' databases.
        topic_arns: topics of each site.
    """

    data: DataContract
    topic_arns: Mapping[Site, Sequence[pulumi.Input[str]]]


class ReplicationAlarms(pulumi.ComponentResource):
    """Two alarms.

    Attributes:
        lag: the replica is behind by more than a failover may lose, for longer than idleness explains.
        slot: the primary holds WAL back for a replica that does not take it.
    """

    lag: aws.cloudwatch.MetricAlarm
    slot: aws.cloudwatch.MetricAlarm

    def __init__(
        self, settings: ObservabilitySettings, args: ReplicationAlarmsArgs, providers: Mapping[Site, aws.Provider]
    ) -> None:
        names = settings.environment.names
        super().__init__("postgres-dr:observability:ReplicationAlarms", names.of("replication-alarms", "observability"))
        thresholds = settings.thresholds
        self.lag = alarm(
            names,
            Site.RECOVERY,
            Condition(
                what="replication-lag",
                description=(
                    f"The replica has been more than {thresholds.lag_seconds} s behind for "
                    f"{settings.lag_periods} periods in a row: a failover would lose that much, or be refused. "
                    "Look at the load of the primary and the slot's bytes on the dashboard."
                ),
                namespace="AWS/RDS",
                metric="ReplicaLag",
                dimensions={"DBInstanceIdentifier": args.data.recovery.database_id},
                # The minimum of each period: one small value shows that replication works.
                statistic="Minimum",
                comparison=ABOVE,
                threshold=thresholds.lag_seconds,
                period_seconds=settings.alarm_period_seconds,
                periods=settings.lag_periods,
                # No data means that the lag is unknown, not zero: people are told once, when the metric ends.
                tell_when_silent=True,
            ),
            args.topic_arns[Site.RECOVERY],
            providers[Site.RECOVERY],
            self,
        )
        self.slot = alarm(
            names,
            Site.PRIMARY,
            Condition(
                what="replication-slot",
                description=(
                    "The primary holds back WAL that the replica has not taken: replication is slow or broken, and the "
                    "primary's disk fills up to max_slot_wal_keep_size, after which the replica must be made anew."
                ),
                namespace="AWS/RDS",
                metric="OldestReplicationSlotLag",
                dimensions={"DBInstanceIdentifier": args.data.primary.database_id},
                statistic="Minimum",
                comparison=ABOVE,
                threshold=thresholds.slot_lag_bytes,
                period_seconds=settings.alarm_period_seconds,
                periods=2,
            ),
            args.topic_arns[Site.PRIMARY],
            providers[Site.PRIMARY],
            self,
        )
        self.register_outputs({})
