"""What can be done to a running system, each as words for the report and the deed itself. Who does it says whether it
is the fault or only prepares it: ``stage.break_it(*crash(stage))``, ``stage.do(*heal_link(stage))``."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from drills.stage import DrillNotReadyError, Stage
from shared.sites import Site

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_rds import RDSClient
    from mypy_boto3_sns import SNSClient

# Nothing in the lab listens on it: a probe that asks there is refused at once.
WRONG_PORT = 1
PROBE_DATABASES = "DATABASES"


class Act(NamedTuple):
    """Something to do to the system.

    Attributes:
        what: in words, for the report.
        action: does it.
    """

    what: str
    action: Callable[[], None]


def crash(stage: Stage) -> Act:
    """The writer's server dies at once, as a host does when its power goes."""
    return Act(f"SIGKILL to every process of the writer in the {stage.writer} site", stage.writer_server.kill)


def freeze(stage: Stage) -> Act:
    """The writer's server stands still: it connects and never answers."""
    return Act(f"SIGSTOP to every process of the writer in the {stage.writer} site", stage.writer_server.freeze)


def thaw(stage: Stage) -> Act:
    """A frozen writer goes on where it stopped."""
    return Act(f"SIGCONT to every process of the writer in the {stage.writer} site", stage.writer_server.thaw)


def darken_writer_region(stage: Stage) -> Act:
    """The writer's region is gone at once: its database, its probes, its APIs."""
    region = stage.writer_database.region

    def action() -> None:
        stage.system.darken(region)
        stage.writer_server.kill()

    return Act(f"{region} goes dark: its APIs, its functions and the writer in it are gone", action)


def lighten_writer_region(stage: Stage) -> Act:
    """The writer's region is back, its server is not yet."""
    region = stage.writer_database.region
    return Act(f"{region} is back: its APIs answer and its functions run", lambda: stage.system.lighten(region))


def start_old_writer(stage: Stage) -> Act:
    """The server of the old writer runs again, as a host whose power is back."""
    return Act(f"the server of the old writer in the {stage.writer} site starts again", stage.writer_server.start)


def hide_writer_region_from_standby(stage: Stage) -> Act:
    """The standby's region loses sight of the writer's, which goes on in good health for everybody else."""
    region, standby = stage.writer_database.region, stage.replica_database.region

    def action() -> None:
        stage.system.darken(region, seen_from=standby)

    return Act(f"{standby} reaches neither the APIs nor the database of {region}, which is well", action)


def cut_link(stage: Stage) -> Act:
    """Nothing passes between the sites any more; each is well."""
    return Act("the link between the sites is cut", stage.system.cut_link)


def heal_link(stage: Stage) -> Act:
    """The sites see each other again."""
    return Act("the link between the sites is whole again", stage.system.heal_link)


def stall_replication(stage: Stage) -> Act:
    """The replica receives nothing more, and falls behind."""
    server = stage.replica_server
    return Act(f"replication to the {stage.writer.other} site is stalled", server.stall_replication)


def resume_replication(stage: Stage) -> Act:
    """The replica receives again, as far as there is something to receive."""
    server = stage.replica_server
    return Act(f"replication to the {stage.writer.other} site is let go on", server.resume_replication)


def reboot_slowly(stage: Stage, seconds: float) -> Act:
    """Somebody reboots the writer through RDS, and it takes its time.

    Args:
        stage: where.
        seconds: how long the instance is away.
    """
    database = stage.writer_database

    def action() -> None:
        stage.system.slow_reboots(seconds)
        client: RDSClient = stage.system.client("rds", database.region)
        client.reboot_db_instance(DBInstanceIdentifier=database.identifier)

    return Act(f"an operator reboots {database.identifier}, which takes {seconds:g} s", action)


def lose_trigger(stage: Stage) -> Act:
    """The alarm's message never arrives: the failover function is not subscribed to it any more."""
    system, region = stage.system, stage.system.target.recovery_region

    def action() -> None:
        client: SNSClient = system.client("sns", region)
        for subscription in _trigger_subscriptions(stage, client):
            client.unsubscribe(SubscriptionArn=subscription)

    return Act("the trigger's message is lost: its subscription is removed", action)


def break_probes(stage: Stage) -> Act:
    """Both probes get a deploy with a wrong port: with one voice they call every database dead."""

    def action() -> None:
        for site in Site:
            _point_probe_at(stage, site, WRONG_PORT)

    return Act("both probes get a deploy that asks every database on a wrong port", action)


def repair_probes(stage: Stage) -> Act:
    """Both probes ask on the right port again."""

    def action() -> None:
        for site in Site:
            _point_probe_at(stage, site, stage.system.target.database_port)

    return Act("both probes get a deploy with the right port", action)


def _trigger_subscriptions(stage: Stage, client: SNSClient) -> list[str]:
    target = stage.system.target
    cloudwatch: CloudWatchClient = stage.system.client("cloudwatch", target.recovery_region)
    alarms = cloudwatch.describe_alarms(AlarmNames=[target.trigger_alarm_name])["MetricAlarms"]
    found = [
        subscription["SubscriptionArn"]
        for alarm in alarms
        for topic in alarm["AlarmActions"]
        for page in client.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic)
        for subscription in page["Subscriptions"]
        if subscription["Endpoint"].endswith(f":function:{target.failover_function_name}")
    ]
    if not found:
        raise DrillNotReadyError(
            f"the drill cannot go on: alarm {target.trigger_alarm_name} reaches no subscription of "
            f"{target.failover_function_name}, so no message can be lost"
        )
    return found


def _point_probe_at(stage: Stage, site: Site, port: int) -> None:
    target = stage.system.target
    name = target.probe_function_names[site]
    client: LambdaClient = stage.system.client("lambda", target.databases[site].region)
    variables = dict(client.get_function_configuration(FunctionName=name)["Environment"]["Variables"])
    databases: dict[str, dict[str, Any]] = json.loads(variables[PROBE_DATABASES])
    variables[PROBE_DATABASES] = json.dumps({each: {**where, "port": port} for each, where in databases.items()})
    client.update_function_configuration(FunctionName=name, Environment={"Variables": variables})
