"""What the controller sees of an outage in the lab, and when, is what it sees of one on AWS, or less and later.

Each row is a part of an outage: ``outageSeconds`` of the product's defaults on AWS, of the stack `lab` in the lab.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import pulumi
import pytest
import yaml

from automation_layer.timings import Timings
from aws_in_memory import durations
from drills.scenarios import SCENARIOS
from failover.settings import LEASE_SECONDS
from function_runtime.metric_names import STANDARD_RESOLUTION_SECONDS
from lab.minute import LOG_METRIC_DELAY, MINUTE_SECONDS, RDS_METRIC_DELAY
from lab.rds.timings import Timings as RdsTimings
from lab.settings import LAB_STACK
from observability_layer.settings import IDLE_LAG_SECONDS
from shared.cloudwatch import STANDARD_PERIOD_SECONDS
from shared.layers import layer
from shared.settings import SettingsReader
from shared.stack_files import load_configuration

REPLICATION_TIMEOUT = "replicationTimeoutSeconds"
ROUNDED = 1e-9


@dataclass(frozen=True)
class Ratio:
    """One figure on both sides; in seconds, unless its name says otherwise.

    Attributes:
        name: what it is.
        on_aws: on AWS, with the product's defaults.
        in_lab: in the lab.
        worse_is_more: whether more of an outage makes it harder to see one in its time.
        of_outage: whether it is divided by the outage; not what is counted in one.
    """

    name: str
    on_aws: float
    in_lab: float
    worse_is_more: bool = True
    of_outage: bool = True

    def parts(self) -> tuple[float, float]:
        """The part of an outage on AWS and in the lab."""
        if not self.of_outage:
            return self.on_aws, self.in_lab
        return self.on_aws / AWS.outage_seconds, self.in_lab / LAB.outage_seconds

    @property
    def is_aws_or_worse(self) -> bool:
        on_aws, in_lab = self.parts()
        return in_lab >= on_aws - ROUNDED if self.worse_is_more else in_lab <= on_aws + ROUNDED

    def __str__(self) -> str:
        on_aws, in_lab = self.parts()
        worse = "at least" if self.worse_is_more else "at most"
        return f"{self.name:<42} {self.on_aws:>6g} {on_aws:>6.2f} {self.in_lab:>9g} {in_lab:>6.2f}  {worse} AWS's"


def _timings(values: Mapping[str, str]) -> Timings:
    return Timings.load(SettingsReader(cast(pulumi.Config, values)))


def _values_of_the_lab(name: str, overrides: Mapping[str, str] | None = None) -> dict[str, str]:
    configured = load_configuration(layer(name).folder, LAB_STACK, overrides).values
    return {key.rpartition(":")[2]: value for key, value in configured.items()}


AWS, LAB, LAB_RDS = _timings({}), _timings(_values_of_the_lab("dr-automation")), RdsTimings()


def _of_the_layer(configuration: Mapping[str, str]) -> dict[str, str]:
    known = _values_of_the_lab("dr-automation")
    return {key: value for key, value in configuration.items() if key in known}


def _probes(timings: Timings) -> float:
    return timings.probes_per_run * timings.outage_seconds / timings.schedule_seconds


def _alarm(timings: Timings) -> int:
    return timings.alarm_period_seconds * timings.trigger_evaluation_periods


def _replication_timeout() -> Ratio | None:
    declared = yaml.safe_load((layer("data").folder / "Pulumi.yaml").read_text(encoding="utf-8"))["config"]
    if REPLICATION_TIMEOUT not in declared:
        return None
    in_lab = float(_values_of_the_lab("data")[REPLICATION_TIMEOUT])
    return Ratio("replication timeout", declared[REPLICATION_TIMEOUT]["default"], in_lab)


RATIOS = (
    Ratio("metric period", AWS.metric_period_seconds, LAB.metric_period_seconds),
    Ratio("standard resolution", STANDARD_RESOLUTION_SECONDS, MINUTE_SECONDS),
    Ratio("RDS: from one sample to the next", STANDARD_PERIOD_SECONDS, LAB_RDS.measure_seconds),
    Ratio("RDS: delay of a sample, least", durations.RDS_METRIC_DELAY.shortest, RDS_METRIC_DELAY.shortest),
    Ratio("RDS: delay of a sample, mostly", durations.RDS_METRIC_DELAY.most_frequent, RDS_METRIC_DELAY.most_frequent),
    Ratio("RDS: delay of a sample, most", durations.RDS_METRIC_DELAY.longest, RDS_METRIC_DELAY.longest),
    Ratio("RDS: lag of an idle database, most", IDLE_LAG_SECONDS, LAB_RDS.heartbeat_seconds),
    Ratio("probe: delay of its metric, least", durations.PROBE_METRIC_DELAY.shortest, LOG_METRIC_DELAY.shortest),
    Ratio(
        "probe: delay of its metric, mostly", durations.PROBE_METRIC_DELAY.most_frequent, LOG_METRIC_DELAY.most_frequent
    ),
    Ratio("probe: delay of its metric, most", durations.PROBE_METRIC_DELAY.longest, LOG_METRIC_DELAY.longest),
    Ratio("probe: timeout", AWS.probe_timeout_seconds, LAB.probe_timeout_seconds),
    Ratio("probe: probes in an outage (a number)", _probes(AWS), _probes(LAB), worse_is_more=False, of_outage=False),
    Ratio("trigger alarm: periods that must breach", _alarm(AWS), _alarm(LAB)),
    Ratio("alarms: from one evaluation to the next", durations.ALARM_EVALUATION_SECONDS, MINUTE_SECONDS),
    # Twice between two evaluations of an alarm and of a check in either, and a word may not be older than it counts.
    Ratio("handover: margin of a word", AWS.handover_margin_seconds, LAB.handover_margin_seconds),
    Ratio("schedule", AWS.schedule_seconds, LAB.schedule_seconds),
    Ratio("lease of a run", LEASE_SECONDS, LEASE_SECONDS),
    Ratio("budget of a run", AWS.run_budget_seconds, LAB.run_budget_seconds, worse_is_more=False),
    *(ratio for ratio in (_replication_timeout(),) if ratio is not None),
)


@pytest.mark.parametrize("ratio", RATIOS, ids=lambda ratio: ratio.name)
def test_the_lab_is_as_aws_or_worse(ratio: Ratio) -> None:
    assert ratio.is_aws_or_worse, f"\n{ratio}"


def test_the_ratios_are_printed_side_by_side(capsys: pytest.CaptureFixture[str]) -> None:
    heading = f"{'':<42} {'AWS':>6} {'part':>6} {'lab':>9} {'part':>6}"
    outages = f"{'outage':<42} {AWS.outage_seconds:>6} {'':>6} {LAB.outage_seconds:>9}"
    with capsys.disabled():
        sys.stdout.write("\n".join(["", heading, outages, *map(str, RATIOS), ""]))


@pytest.mark.parametrize("name", [name for name, scenario in SCENARIOS.items() if scenario.configuration])
def test_no_drill_has_other_timings_except_that_it_may_ask_more_often_but_less_than_on_aws(name: str) -> None:
    drill = _timings(_values_of_the_lab("dr-automation", _of_the_layer(SCENARIOS[name].configuration)))
    probes = {"probes_per_run", "probe_interval_seconds", "probe_timeout_seconds"}
    assert {field for field, value in vars(drill).items() if value != getattr(LAB, field)} <= probes
    assert _probes(drill) <= _probes(AWS)
    assert drill.probe_timeout_seconds / drill.outage_seconds >= AWS.probe_timeout_seconds / AWS.outage_seconds


def test_alarms_are_evaluated_and_rds_sampled_in_minutes_of_the_length_that_the_controller_reads() -> None:
    assert LAB.metric_period_seconds == LAB_RDS.measure_seconds == MINUTE_SECONDS
    assert LAB_RDS.metric_delay == RDS_METRIC_DELAY
