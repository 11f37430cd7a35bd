"""The production settings that both simulations run with."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from aws_in_memory import durations
from aws_in_memory.metric import Rhythm
from benchmarks import production
from failover.settings import Settings
from function_runtime.clients import ABROAD, PROBING
from health_probe.settings import ProbeSettings
from witness.settings import WitnessSettings


@dataclass(frozen=True)
class Setting:
    """What is simulated.

    Attributes:
        failover: the failover function's settings.
        rhythm: the probes' timing.
        schedule_seconds: from one run of a function to the next.
        trigger: the alarm that wakes the failover.
        witness: what a witness would be told; by default there is none.
    """

    failover: Settings
    rhythm: Rhythm
    schedule_seconds: int
    trigger: production.TriggerAlarm
    witness: WitnessSettings

    def dark_call_seconds(self, *, hangs: bool) -> float:
        """What a call of a dark region costs, which is not retried: its connection, or its answer, is waited for."""
        return _given_up_after_seconds(ABROAD, hangs=hangs)

    def dark_probe_seconds(self, *, hangs: bool) -> float:
        """The same of a probe that is asked for there."""
        return _given_up_after_seconds(PROBING, hangs=hangs)


@cache
def setting() -> Setting:
    """As the program declares it for AWS."""
    failover = Settings.from_environment(production.function("failover").variables)
    probe = ProbeSettings.from_environment(production.function("health_probe").variables)
    schedule_seconds = production.schedule_seconds()
    rhythm = Rhythm(
        schedule_seconds=schedule_seconds,
        probes=probe.probes_per_run,
        interval_seconds=probe.probe_interval_seconds,
        timeout_seconds=probe.probe_timeout_seconds,
        lateness=durations.SCHEDULE_LATENESS,
        delay=durations.PROBE_METRIC_DELAY,
    )
    witness = WitnessSettings(
        metric_namespace=failover.metric_namespace,
        region=failover.reference_region,
        regions=failover.regions,
        instance_ids=failover.instance_ids,
        metric_period_seconds=failover.policy.metric_period_seconds,
        outage_seconds=failover.policy.outage_seconds,
    )
    return Setting(failover, rhythm, schedule_seconds, production.trigger_alarm(), witness)


def _given_up_after_seconds(config: Any, *, hangs: bool) -> float:
    """As the client is configured."""
    return float(config.connect_timeout + (config.read_timeout if hangs else 0))
