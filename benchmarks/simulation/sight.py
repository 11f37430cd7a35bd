"""What the recovery site's controller can read of the primary's database, at any moment and without the calls."""

from __future__ import annotations

from dataclasses import dataclass

from aws_in_memory.clock import moment
from aws_in_memory.consistency import checked
from aws_in_memory.metric import Metric
from benchmarks.simulation.setting import Setting
from failover.readings import Readings
from function_runtime.readings import Instance, RegionAnswers, Series, Unanswered
from function_runtime.sites import Site

SILENT = Unanswered("no answer", service_answered=False)
ANSWERS = RegionAnswers(("rds", "cloudwatch"), ())
IS_DARK = RegionAnswers((), ("rds", "cloudwatch", "sts"))
REFERENCE = RegionAnswers(("sts",), ())
STANDBY = Instance("available", "primary", {})


@dataclass(frozen=True)
class Sight:
    """The metrics there are.

    Attributes:
        setting: the periods they are read in.
        link: this site's probes of the primary's database.
        own: the primary site's probes of it.
        standby: this site's probes of this site's database.
        lag: the replica's.
        slot_lag: what the primary has yet to deliver to it; None where it publishes nothing.
        dark: whether the primary's region answers nothing.
    """

    setting: Setting
    link: Metric
    own: Metric
    standby: Metric
    lag: Metric
    slot_lag: Metric | None = None
    dark: bool = False

    def readings(self, now: float, status: str = "available") -> Readings:
        """What one run reads.

        Args:
            now: when, in seconds.
            status: what RDS calls the primary's instance.
        """
        policy = self.setting.failover.policy

        def read(metric: Metric | None, period_seconds: int) -> Series:
            return () if metric is None else metric.at(now, period_seconds, policy.lookback.total_seconds())

        def read_there(metric: Metric | None, period_seconds: int) -> Series | Unanswered:
            return SILENT if self.dark else read(metric, period_seconds)

        readings = Readings(
            at=moment(now),
            active=Site.PRIMARY,
            here=Site.RECOVERY,
            active_seen_from_here=read(self.link, policy.metric_period_seconds),
            active_seen_from_there=read_there(self.own, policy.metric_period_seconds),
            standby_seen_from_here=read(self.standby, policy.metric_period_seconds),
            lag=read(self.lag, policy.lag_period_seconds),
            slot_lag=read_there(self.slot_lag, policy.lag_period_seconds),
            witness=None,
            active_instance=SILENT if self.dark else Instance(status, None, {}),
            standby_instance=STANDBY,
            active_region=IS_DARK if self.dark else ANSWERS,
            reference_region=REFERENCE if self.dark else None,
        )
        return checked(readings, policy)
