"""What the recovery site's controller can read of a world, at any moment and without the calls."""

from __future__ import annotations

import random

from aws_in_memory.clock import moment
from aws_in_memory.consistency import checked
from benchmarks.simulation.observed import Observed
from benchmarks.simulation.observers import IS_DARK, SILENT, Observers, Witness
from benchmarks.simulation.replication import Replication
from benchmarks.simulation.setting import Setting
from benchmarks.simulation.world import World
from failover.readings import Readings
from function_runtime.readings import Instance, RegionAnswers, Series, Unanswered, coarser
from function_runtime.sites import Site

REFERENCE = RegionAnswers(("sts",), ())
HOST_LOAD = 20.0
# Of the writer's log that a busy writer's slot has yet to deliver; assumed.
BACKLOG_BYTES = 100_000.0


class Sight:
    """The metrics there are in one world.

    Args:
        chance: where chance comes from.
        setting: the production settings.
        world: what is so.
        since: from when on everything is played; before, all was well.
        probe_phases: when in their schedule the recovery site's and the primary site's probes begin.
        is_checked: whether each reading is checked to be one that AWS can give, and nothing left out to be faster.

    Attributes:
        replication: what has come to the replica.
    """

    def __init__(
        self,
        chance: random.Random,
        setting: Setting,
        world: World,
        since: float,
        probe_phases: tuple[float, float],
        *,
        is_checked: bool = False,
    ) -> None:
        policy = setting.failover.policy
        self._chance, self._setting, self._world, self._is_checked = chance, setting, world, is_checked
        self._since = since
        self.replication = Replication(world, policy.replication_timeout_seconds)
        self._observers = Observers(chance, setting, world, self.replication, since, probe_phases, is_exact=is_checked)
        self._witness = Witness(chance, setting, world, self._observers, since) if world.has_witness else None
        lookback = policy.lookback.total_seconds()
        self._minute = int((since - lookback) // policy.lag_period_seconds)
        self._lag, self._slot_lag, self._load = (Observed(policy.lag_period_seconds, lookback) for _ in range(3))

    def link(self, now: float, period_seconds: int) -> Series:
        """What the alarm sees of this site's probes of the writer."""
        self._take(now)
        return coarser(self._observers.link.at(now), period_seconds)

    def readings(self, now: float) -> Readings:
        """What one run reads.

        Args:
            now: when, in seconds.
        """
        self._take(now)
        seen, world, is_dark = self._observers, self._world, self._world.dark.covers(now)
        rds, metrics = (not is_dark and not each.covers(now) for each in (world.rds_silent, world.metrics_silent))

        def there(metric: Observed) -> Series | Unanswered:
            return metric.at(now) if metrics else SILENT

        readings = Readings(
            at=moment(now),
            active=Site.PRIMARY,
            here=Site.RECOVERY,
            active_seen_from_here=seen.link.at(now),
            active_seen_from_there=there(seen.own),
            standby_seen_from_here=seen.here.at(now),
            active_sessions_from_here=seen.link_sessions.at(now),
            active_sessions_from_there=there(seen.own_sessions),
            standby_sessions=seen.here_sessions.at(now),
            heartbeat=seen.heartbeat.at(now),
            received=seen.received.at(now),
            stream_message=seen.message.at(now),
            lag=self._lag.at(now),
            slot_lag=there(self._slot_lag),
            host_load=there(self._load),
            witness=None if self._witness is None else self._witness.sees.at(now),
            active_instance=SILENT if not rds else Instance(world.status(now), None, {}),
            standby_instance=Instance(world.standby_status(now), "primary", {}),
            active_region=_answering(rds=rds, metrics=metrics, is_dark=is_dark),
            reference_region=None if rds or metrics else REFERENCE,
            active_is_shut=False if rds else None,
        )
        return checked(readings, self._setting.failover.policy) if self._is_checked else readings

    def _take(self, now: float) -> None:
        if self._witness is not None:
            self._witness.take(now)
        self._observers.take(now)
        self._measure(now)

    def _measure(self, now: float) -> None:
        """RDS's metrics: one sample a minute, in its middle, which can be read some time after its end."""
        world, period = self._world, self._setting.failover.policy.lag_period_seconds
        while self._minute * period <= now - period / 2:
            at, ends = (self._minute + 0.5) * period, (self._minute + 1) * period
            self._minute += 1

            def add(metric: Observed, value: float | None, at: float = at, ends: float = ends) -> None:
                if value is not None:
                    delay = 0.0 if ends < self._since else world.rds_delay.draw(self._chance)
                    metric.add(at, value, ends + delay)

            if at < world.lag_metric_ends:
                add(self._lag, (self.replication.replica_lag if world.lag_metric is None else world.lag_metric)(at))
            if world.runs(at):
                add(self._slot_lag, (self._backlog if world.slot_metric is None else world.slot_metric)(at))
            if world.is_measured(at):
                add(self._load, HOST_LOAD)

    def _backlog(self, at: float) -> float:
        return self._chance.uniform(1.0, BACKLOG_BYTES) if self._world.busy else 0.0


def _answering(*, rds: bool, metrics: bool, is_dark: bool) -> RegionAnswers:
    """Which services of the writer's region do; STS is asked where the others are silent."""
    if is_dark:
        return IS_DARK
    answers = {"rds": rds, "cloudwatch": metrics, **({} if rds or metrics else {"sts": True})}
    by_word = {word: tuple(name for name, answered in answers.items() if answered is word) for word in (True, False)}
    return RegionAnswers(by_word[True], by_word[False])
