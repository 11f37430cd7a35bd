"""Only a failover moves the writer's name: not silent controllers, a redeploy, a deleted alarm or a restart."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from drills.faults import crash
from drills.scenario import RTO_LIMIT_SECONDS, DrillOutcome, Scenario
from drills.stage import Stage
from shared.sites import Site

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_lambda import LambdaClient

# Longer than Route 53 looks back: three periods of a word's alarm (alarmPeriodSeconds in Pulumi.lab.yaml, 10).
SILENCE_SECONDS = 40.0
# A word of the function that was deployed again has moved the name by then, were it another.
AFTERMATH_SECONDS = 20.0


def run(stage: Stage) -> None:
    """Silence the controllers before the failover and after it, then take away what the latch consists of."""
    system, region = stage.system, stage.replica_database.region
    function, alarms = stage.controller.failover_function_name, stage.controller.word_alarm_names
    cloudwatch: CloudWatchClient = system.client("cloudwatch", region)
    _silence(stage)
    _wake(stage)
    stage.break_it(*crash(stage))
    if not stage.wait_for_failover():
        return
    _silence(stage)
    stage.do(f"{', '.join(alarms)} are deleted", lambda: cloudwatch.delete_alarms(AlarmNames=list(alarms)))
    stage.keep_writing(AFTERMATH_SECONDS)
    _wake(stage)
    stage.do(f"{function} is deployed again", lambda: _redeploy(stage))
    stage.do(f"the process of {function} is killed", lambda: system.kill_function(region, function))
    stage.keep_writing(AFTERMATH_SECONDS)


def _silence(stage: Stage) -> None:
    """Without their schedules the failover functions no longer publish their words."""
    for site, function in _functions(stage):
        # The rule has the function's name.
        stage.do(f"the schedule of {function} is disabled", partial(_events(stage, site).disable_rule, Name=function))
    stage.keep_writing(SILENCE_SECONDS)


def _wake(stage: Stage) -> None:
    for site, function in _functions(stage):
        stage.do(
            f"the schedule of {function} is enabled again", partial(_events(stage, site).enable_rule, Name=function)
        )


def _functions(stage: Stage) -> list[tuple[Site, str]]:
    return [(site, each.failover_function_name) for site, each in stage.system.target.automation.items()]


def _events(stage: Stage, site: Site) -> EventBridgeClient:
    client: EventBridgeClient = stage.system.client("events", stage.system.target.region(site))
    return client


def _redeploy(stage: Stage) -> None:
    client: LambdaClient = stage.system.client("lambda", stage.replica_database.region)
    name = stage.controller.failover_function_name
    variables = client.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    client.update_function_configuration(FunctionName=name, Environment={"Variables": variables})


SCENARIO = Scenario(
    name="latch-holds",
    summary="Around a failover the latch falls silent, its alarms are deleted, its function redeployed and restarted.",
    expected=DrillOutcome.FAILED_OVER,
    run=run,
    rto_limit_seconds=RTO_LIMIT_SECONDS,
)
