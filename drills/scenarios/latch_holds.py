"""Nothing but a failover moves the writer's name: not silence, not a redeploy, not a deleted alarm, not a restart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drills.endings import failover_ends
from drills.faults import Act, crash
from drills.scenario import DrillOutcome, Scenario
from drills.stage import Stage

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_lambda import LambdaClient

RECOVERY_DEADLINE_SECONDS = 90.0
# Longer than the latch alarm's period (alarmPeriodSeconds in Pulumi.lab.yaml, 10) and what Route 53 reacts in.
SILENCE_SECONDS = 15.0


def run(stage: Stage) -> None:
    """Silence the controller before the failover and after it, then take away what carries the latch."""
    stage.do(*silence(stage))
    stage.keep_writing(SILENCE_SECONDS)
    stage.do(*speak_again(stage))
    stage.break_it(*crash(stage))
    if not failover_ends(stage, RECOVERY_DEADLINE_SECONDS):
        return
    stage.do(*silence(stage))
    stage.keep_writing(SILENCE_SECONDS)
    stage.do(*delete_latch_alarm(stage))
    stage.keep_writing(SILENCE_SECONDS)
    stage.do(*speak_again(stage))
    stage.do(*redeploy(stage))
    stage.do(*restart(stage))
    stage.keep_writing(SILENCE_SECONDS)


def silence(stage: Stage) -> Act:
    """The failover function is not woken by its schedule any more, so the latch's metric stops."""
    return Act(
        "the failover function's schedule is disabled: the latch falls silent", lambda: _schedule(stage, on=False)
    )


def speak_again(stage: Stage) -> Act:
    """The schedule wakes it again."""
    return Act("the failover function's schedule is enabled again", lambda: _schedule(stage, on=True))


def delete_latch_alarm(stage: Stage) -> Act:
    """Somebody deletes the alarm that the writer's health check was made from."""
    target = stage.system.target

    def action() -> None:
        client: CloudWatchClient = stage.system.client("cloudwatch", target.recovery_region)
        client.delete_alarms(AlarmNames=[target.latch_alarm_name])

    return Act(f"alarm {target.latch_alarm_name} is deleted", action)


def redeploy(stage: Stage) -> Act:
    """The function is deployed again as it is."""
    target = stage.system.target

    def action() -> None:
        client: LambdaClient = stage.system.client("lambda", target.recovery_region)
        name = target.failover_function_name
        variables = client.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
        client.update_function_configuration(FunctionName=name, Environment={"Variables": variables})

    return Act(f"{target.failover_function_name} is deployed again", action)


def restart(stage: Stage) -> Act:
    """Its process dies and is started anew."""
    target = stage.system.target

    def action() -> None:
        stage.system.kill_function(target.recovery_region, target.failover_function_name)

    return Act(f"the process of {target.failover_function_name} is killed", action)


def _schedule(stage: Stage, *, on: bool) -> None:
    target = stage.system.target
    client: EventBridgeClient = stage.system.client("events", target.recovery_region)
    # The rule has the function's name.
    if on:
        client.enable_rule(Name=target.failover_function_name)
    else:
        client.disable_rule(Name=target.failover_function_name)


SCENARIO = Scenario(
    name="latch-holds",
    summary="Around a failover the latch falls silent, its alarm is deleted, its function redeployed and restarted.",
    expected=DrillOutcome.FAILED_OVER,
    run=run,
    rto_limit_seconds=60.0,
)
