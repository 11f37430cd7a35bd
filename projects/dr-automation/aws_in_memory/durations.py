"""How long AWS takes, each with its source. What AWS gives no figure for is assumed, and says so.

A spread is triangular: its shortest, its most frequent and its longest value, in seconds.
"""

from __future__ import annotations

import random
from dataclasses import dataclass


@dataclass(frozen=True)
class Spread:
    """A duration that varies, in seconds."""

    shortest: float
    most_frequent: float
    longest: float

    def draw(self, chance: random.Random) -> float:
        """One of them."""
        return chance.triangular(self.shortest, self.longest, self.most_frequent)


AT_ONCE = Spread(0.0, 0.0, 0.0)

# Documented: "several minutes or longer", by the size of the replica; the instance reboots.
# https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_ReadRepl.Promote.html
# Assumed: 2 to 10 minutes, each as likely as any other.
SHORTEST_PROMOTION_SECONDS = 120.0
LONGEST_PROMOTION_SECONDS = 600.0
# No figure is documented for how soon a promotion shows in the instance's status; assumed.
PROMOTION_SHOWN = Spread(1.0, 5.0, 30.0)
# Documented: after it the instance may be backing-up, and its source is shown until RDS is done.
# https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_ReadRepl.Promote.html
# Assumed: so long RDS shows a new writer that takes writes as not done.
AFTER_PROMOTION = Spread(0.0, 30.0, 300.0)
# Assumed, of a backup that begins with the promotion and of a large database:
LONG_AFTER_PROMOTION = Spread(600.0, 900.0, 2400.0)
# How many promotions RDS accepts and drops; no figure is known, assumed.
DROPPED_PROMOTIONS = 0.002
# Documented: no promotion while the replica is backing-up, which happens once a day.
# https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_PromoteReadReplica.html
# Assumed: such a backup takes 10 minutes.
REPLICA_BACKUP_SECONDS = 600.0
# Documented: a rule runs within its minute, and the target starts with "a delay of several seconds".
# https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-rule-schedule.html
SCHEDULE_LATENESS = Spread(0.0, 1.0, 8.0)
# Documented: the embedded metric format is extracted asynchronously, with no bound.
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format.html
# Assumed: a reading can be read after 3 to 60 s.
PROBE_METRIC_DELAY = Spread(3.0, 10.0, 60.0)
# Documented: RDS publishes one sample a minute. https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/monitoring-cloudwatch.html
# Assumed: it can be read up to a minute after the minute's end.
RDS_METRIC_DELAY = Spread(5.0, 20.0, 60.0)
# Documented: an alarm with a period of a minute is evaluated every minute.
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html
ALARM_EVALUATION_SECONDS = 60.0
# Later than metrics are known to be; assumed, for the classes that are about that.
LATE_PROBE_METRIC_DELAY = Spread(20.0, 60.0, 170.0)
LATE_RDS_METRIC_DELAY = Spread(30.0, 90.0, 240.0)
# Documented: an environment that is started for one more concurrent run, without a figure; below a second is typical.
# https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
# Assumed, for a small function in a VPC:
COLD_START = Spread(0.5, 1.5, 5.0)
# No bound is documented for SNS; assumed.
MESSAGE_DELIVERY = Spread(0.1, 0.5, 5.0)
# No figure is documented for replacing the security groups of an instance; assumed.
GROUP_CHANGE = Spread(3.0, 10.0, 45.0)
# One call of an API, our own time for it included; assumed.
API_CALL_SECONDS = 0.2
# Documented: a health check of an alarm reads the metric's data itself and does not wait for the alarm's state.
# https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/dns-failover-determining-health-of-endpoints.html
# Assumed: the latch's value is seen within a metric's delay and an evaluation, and all name servers know it soon after.
HEALTH_CHECK_REACTION = Spread(5.0, 35.0, 90.0)
HEALTH_STATUS_SPREADING = Spread(1.0, 5.0, 15.0)
# The replica of a database that is written to lags by about that; assumed.
REPLICA_LAG = Spread(0.1, 0.5, 5.0)
# Documented: RDS's lag climbs to about 5 minutes where nobody writes, for RDS switches the log's file every 5 minutes.
# https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_PostgreSQL.Replication.ReadReplicas.html
OWN_WRITES_SECONDS = 300.0
# PostgreSQL: a receiver that has ended is started again after `wal_retrieve_retry_interval`, 5 s by default.
# https://www.postgresql.org/docs/14/runtime-config-replication.html
# Assumed: the stream goes on so long after an interruption.
SHORTEST_RECONNECTION_SECONDS, LONGEST_RECONNECTION_SECONDS = 0.0, 10.0
# What the network itself takes between two regions; assumed, and too little to matter.
ON_ITS_WAY_SECONDS = 0.05
# How long a database is away in a reboot; RDS documents none, and minutes for a long recovery. Assumed.
# https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_RebootInstance.html
REBOOT = Spread(20.0, 60.0, 300.0)
# Documented: 60 to 120 s typically, and longer with large transactions or a long recovery.
# https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Concepts.MultiAZ.Failover.html
MULTI_AZ_FAILOVER = Spread(60.0, 90.0, 120.0)
# Assumed, of those that take longer:
LONG_MULTI_AZ_FAILOVER = Spread(110.0, 150.0, 300.0)
# How long RDS calls an instance available that has crashed, until its status shows it. None is documented; assumed.
STATUS_SHOWN = Spread(10.0, 30.0, 100.0)
