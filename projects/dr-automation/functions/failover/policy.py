"""What a decision weighs: the operator's bounds, and the rules of evidence that follow from them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from functools import cached_property

from function_runtime.readings import MIN_FAILED_PROBES

SHORTEST_DRAIN_SECONDS = 30.0


# RDS's samples come once a period and up to a period late: after so many, what has not come does not come.
LATE_PERIODS = 3
# Readings of probes are as fine as GetMetricData reads high-resolution metrics beside 1 and 5 s.
FINEST_PERIOD_SECONDS = 10


def fine_period_of(metric_period_seconds: int) -> int:
    """The resolution in which probes are read where a metric period is so long, in seconds."""
    return min(metric_period_seconds, FINEST_PERIOD_SECONDS)


class WhenUnsure(StrEnum):
    """What to do where the evidence of a lost writer leaves a doubt that only the operator can settle. Axis of risk.

    Two sites alone cannot tell a dead region from one that only they have lost; nobody can tell a hung database from
    one that will be well in a minute, or work of RDS that is stuck from a long recovery. These are the stated answers.
    """

    FAILOVER = "failover"
    ASK = "ask"


class Mode(StrEnum):
    """Who has the last word on a failover. Axis of authority."""

    AUTOMATIC = "automatic"
    MANUAL = "manual"
    PAUSED = "paused"


@dataclass(frozen=True)
class Policy:
    """The bounds of a decision. All durations in seconds.

    Attributes:
        mode: who has the last word.
        outage_seconds: how long every probe must have failed before the site counts as not answering.
        metric_period_seconds: the resolution that Route 53 reads; a probe answered in the newest period of it counts
            as an answer until a few in a row have failed.
        lag_period_seconds: the resolution in which replication lag is read (60 where AWS publishes it).
        max_data_loss_seconds: a failover that may lose more is left to people.
        cool_down_seconds: after a failover closed, no other starts for so long.
        replication_timeout_seconds: after so much silence either end of the replication gives the other up.
        dark_without_witness: what to do when the writer's region is dark and no witness says anything.
        writer_hung: what to do when the writer answers and nobody can commit.
        maintenance_overdue: what to do when RDS has been at work on a silent writer for too long.
        min_failed_probes: fewer failed probes than this prove no outage, however long apart they are.
    """

    mode: Mode
    outage_seconds: float
    metric_period_seconds: int
    lag_period_seconds: int
    max_data_loss_seconds: float
    cool_down_seconds: float
    replication_timeout_seconds: float
    dark_without_witness: WhenUnsure = WhenUnsure.FAILOVER
    writer_hung: WhenUnsure = WhenUnsure.ASK
    maintenance_overdue: WhenUnsure = WhenUnsure.ASK
    min_failed_probes: int = MIN_FAILED_PROBES

    @cached_property
    def fine_period_seconds(self) -> int:
        """The resolution in which the probes' readings are asked for; the metric period is made of it."""
        return fine_period_of(self.metric_period_seconds)

    @cached_property
    def silence(self) -> timedelta:
        """How old the newest reading may be, and how long a gap within a series of readings, to mean anything.

        Probes start late, metrics arrive late: a few periods of silence are normal. Silence longer than the outage that
        would count is no observation any more.
        """
        return timedelta(seconds=max(3.0 * self.metric_period_seconds, self.outage_seconds))

    @property
    def outage_seen_seconds(self) -> float:
        """How long failed probes must reach back to prove an outage.

        The first may have failed at the end of its period: a writer that was away for less is not replaced, as one that
        RDS has moved to its other availability zone, which takes up to 120 s
        (https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Concepts.MultiAZ.Failover.html).
        """
        return self.outage_seconds + self.fine_period_seconds

    @cached_property
    def lateness(self) -> timedelta:
        """How old the newest failed probe may be to show a writer that fails now: the next one's reading is on its way.

        It covers the pause between two runs of the probe, and what readings are usually late. A last look at the writer
        follows before anything is done.
        """
        return timedelta(seconds=self.metric_period_seconds)

    @cached_property
    def darkness(self) -> timedelta:
        """How long a region must have been seen dark, by more than one run, to count as dark.

        Half an outage: one failed round of calls during a cut of the peering must not look like a lost region, and two
        rounds fit into the outage that is waited for in any case.
        """
        return timedelta(seconds=self.outage_seconds / 2)

    @cached_property
    def lag_staleness(self) -> timedelta:
        """How much older than the trouble the last lag sample before it may be."""
        return timedelta(seconds=max(3.0 * self.lag_period_seconds, self.outage_seconds, self.max_data_loss_seconds))

    @cached_property
    def drain_seconds(self) -> float:
        """How long a planned failover waits for the replica to have everything.

        A few late metrics, and what RDS's own writes to an idle database take to show (about 5 minutes on AWS).
        """
        return max(SHORTEST_DRAIN_SECONDS, 6.0 * self.lag_period_seconds)

    @cached_property
    def maintenance_patience(self) -> timedelta:
        """How long a database may be away in maintenance before people are told."""
        return timedelta(seconds=5 * self.outage_seconds)

    @cached_property
    def readiness_patience(self) -> timedelta:
        """How long a failover may be impossible, or the writer unwell, before people are told.

        A probe counts as silent after a silence, and is found so by the next run: with that people are told within ten
        minutes on AWS. It is no whole number of the runs' minutes, so that a run that comes early does not add another.
        """
        return timedelta(seconds=1.75 * self.outage_seconds)

    @cached_property
    def lookback(self) -> timedelta:
        """How far back readings are asked for: enough to see a whole outage and the lag before it."""
        return timedelta(seconds=max(300.0, 5 * self.outage_seconds, 15.0 * self.lag_period_seconds))
