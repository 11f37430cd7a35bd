"""Only a failover moves the writer's name: not a silent controller, a redeploy, a deleted alarm or a restart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drills.faults import crash
from drills.scenario import RTO_LIMIT_SECONDS, DrillOutcome, Scenario
from drills.stage import Stage

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_lambda import LambdaClient

# Longer than Route 53 looks back: three periods of the latch's alarm (alarmPeriodSeconds in Pulumi.lab.yaml, 10).
SILENCE_SECONDS = 40.0
# A word of the function that was deployed again has moved the name by then, were it another.
AFTERMATH_SECONDS = 20.0


def run(stage: Stage) -> None:
    """Silence the controller before the failover and after it, then take away what the latch consists of."""
    system, target = stage.system, stage.system.target
    region, function = target.recovery_region, target.failover_function_name
    cloudwatch: CloudWatchClient = system.client("cloudwatch", region)
    alarm = target.latch_alarm_name
    _silence(stage)
    _wake(stage)
    stage.break_it(*crash(stage))
    if not stage.wait_for_failover():
        return
    _silence(stage)
    stage.do(f"alarm {alarm} is deleted", lambda: cloudwatch.delete_alarms(AlarmNames=[alarm]))
    stage.keep_writing(AFTERMATH_SECONDS)
    _wake(stage)
    stage.do(f"{function} is deployed again", lambda: _redeploy(stage))
    stage.do(f"the process of {function} is killed", lambda: system.kill_function(region, function))
    stage.keep_writing(AFTERMATH_SECONDS)


def _silence(stage: Stage) -> None:
    """Without its schedule the failover function no longer publishes the latch's metric."""
    function, events = stage.system.target.failover_function_name, _events(stage)
    # The rule has the function's name.
    stage.do("the failover function's schedule is disabled", lambda: events.disable_rule(Name=function))
    stage.keep_writing(SILENCE_SECONDS)


def _wake(stage: Stage) -> None:
    function, events = stage.system.target.failover_function_name, _events(stage)
    stage.do("the failover function's schedule is enabled again", lambda: events.enable_rule(Name=function))


def _events(stage: Stage) -> EventBridgeClient:
    client: EventBridgeClient = stage.system.client("events", stage.system.target.recovery_region)
    return client


def _redeploy(stage: Stage) -> None:
    target = stage.system.target
    client: LambdaClient = stage.system.client("lambda", target.recovery_region)
    name = target.failover_function_name
    variables = client.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    client.update_function_configuration(FunctionName=name, Environment={"Variables": variables})


SCENARIO = Scenario(
    name="latch-holds",
    summary="Around a failover the latch falls silent, its alarm is deleted, its function redeployed and restarted.",
    expected=DrillOutcome.FAILED_OVER,
    run=run,
    rto_limit_seconds=RTO_LIMIT_SECONDS,
)
