"""Scenarios in which the writer looks lost to some observers, but works: a failover would be wrong."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from drills.faults import (
    OUTAGE_SECONDS,
    Act,
    break_probes,
    cut_link,
    heal_link,
    hide_writer_region_from_standby,
    lighten_writer_region,
    repair_probes,
)
from drills.scenario import DrillOutcome, Scenario
from drills.stage import Stage

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_lambda import LambdaClient

# A writer that is lost has a successor by then.
LASTS_SECONDS = 3 * OUTAGE_SECONDS
WITNESS_REGION = "ap-northeast-1"
WITNESS_METRIC = "WitnessSeesDatabase"
WITNESS_DEADLINE_SECONDS = 30.0
# Two runs of the witness, and its metric comes late.
RECENT_SECONDS = 15.0


def _alert_then_repair(fault: Callable[[Stage], Act], repair: Callable[[Stage], Act]) -> Callable[[Stage], None]:
    def run(stage: Stage) -> None:
        stage.break_it(*fault(stage))
        stage.keep_writing(LASTS_SECONDS)
        stage.wait_for_decision(action="alert")
        stage.do(*repair(stage))
        stage.wait_for_writes()

    return run


def _separate_the_sites(stage: Stage) -> None:
    # Unless the witness sees the writer, this cannot be told from a lost region.
    stage.require("the witness to see the writer", lambda: _witness_sees_writer(stage), WITNESS_DEADLINE_SECONDS)
    _alert_then_repair(hide_writer_region_from_standby, lighten_writer_region)(stage)


def _witness_sees_writer(stage: Stage) -> bool:
    """Whether the witness in a third region has reported lately that it reaches the writer."""
    now = time.time()
    functions: LambdaClient = stage.system.client("lambda", stage.replica_database.region)
    configuration = functions.get_function_configuration(FunctionName=stage.controller.failover_function_name)
    cloudwatch: CloudWatchClient = stage.system.client("cloudwatch", WITNESS_REGION)
    statistics = cloudwatch.get_metric_statistics(
        # The controller looks for the witness's metric in this namespace.
        Namespace=configuration["Environment"]["Variables"]["METRIC_NAMESPACE"],
        MetricName=WITNESS_METRIC,
        Dimensions=[{"Name": "Database", "Value": stage.writer.value}],
        StartTime=datetime.fromtimestamp(now - RECENT_SECONDS, UTC),
        EndTime=datetime.fromtimestamp(now, UTC),
        Period=1,
        Statistics=["Maximum"],
    )
    return any(point["Maximum"] >= 1 for point in statistics["Datapoints"])


LINK_CUT = Scenario(
    name="link-cut",
    summary="The link between the sites is cut for the time of three outages while both work, and restored.",
    expected=DrillOutcome.ALERTED,
    run=_alert_then_repair(cut_link, heal_link),
)

SITES_APART = Scenario(
    name="sites-apart",
    summary="The standby's region can reach nothing in the writer's, which works; a witness reaches both.",
    expected=DrillOutcome.ALERTED,
    run=_separate_the_sites,
    configuration={"witnessRegion": WITNESS_REGION},
)

PROBE_BROKEN = Scenario(
    name="probe-broken",
    summary="Both probes are deployed with a wrong port and report every database as unreachable, while all work.",
    expected=DrillOutcome.ALERTED,
    run=_alert_then_repair(break_probes, repair_probes),
)
