"""The faults that a drill can cause, and how each is undone. Add a new fault here.

Each is a text for the report and an action. The scenario says whether it is the fault that times count from, or only
prepares or repairs something: ``stage.break_it(*crash(stage))``, ``stage.do(*heal_link(stage))``.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from drills.records.state_table import incidents_since
from drills.stage import DrillNotReadyError, Stage
from function_runtime.incident import IN_AN_EMERGENCY, Phase
from shared.sites import Site

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_rds import RDSClient
    from mypy_boto3_sns import SNSClient

# outageSeconds in projects/dr-automation/Pulumi.lab.yaml; a test compares them.
OUTAGE_SECONDS = 10.0
# A flap counts where a metric's period has no answered probe, and not each leaves one. So more are made than must
# count, and not whole periods apart, so that their place in a period changes.
FLAPS = 10
FLAP_FROZEN_SECONDS = 6.5
FLAP_ANSWERS_SECONDS = 4.5
# With fewer probes, what is seen of a flap may last as long as an outage.
PROBES_WHILE_FLAPPING = {"probesPerRun": "4", "probeIntervalSeconds": "1", "probeTimeoutSeconds": "1"}
# Nothing in the lab listens on this port: a probe that connects to it is refused at once.
WRONG_PORT = 1
PROBE_DATABASES = "DATABASES"
KILLABLE_PHASES = IN_AN_EMERGENCY[:-1]
"""The phases of an incident at which the failover function can be killed, in order."""
# Some phases last for one call only.
KILL_POLL_SECONDS = 0.01
# RDS looks whether a server has crashed four times a second.
FAILED_DEADLINE_SECONDS = 5.0

Item = dict[str, Any]
"""An item of a table as DynamoDB's client has it, with the types of its attributes."""


class Act(NamedTuple):
    """Something to do to the system: what it is, for the report, and the action."""

    what: str
    action: Callable[[], None]


def crash(stage: Stage) -> Act:
    """The writer's server dies at once, as when its host loses power."""
    return Act(f"SIGKILL to every process of the writer in the {stage.writer} site", stage.writer_server.kill)


def freeze(stage: Stage) -> Act:
    """The writer's server hangs: it accepts connections and never answers."""
    return Act(f"SIGSTOP to every process of the writer in the {stage.writer} site", stage.writer_server.freeze)


def thaw(stage: Stage) -> Act:
    """A frozen writer continues where it stopped."""
    return Act(f"SIGCONT to every process of the writer in the {stage.writer} site", stage.writer_server.thaw)


def silence_writer_host(stage: Stage) -> Act:
    """The writer's host is lost: packets to it vanish, and nobody is told, neither clients nor the replica."""
    database = stage.writer_database
    return Act(
        f"the host of the writer in the {stage.writer} site falls silent: no FIN, no RST",
        lambda: stage.system.silence(database.region, database.identifier),
    )


def end_writer_silence(stage: Stage) -> Act:
    """The host that was lost is back, with its server; connections that are still held to it are reset."""
    database = stage.writer_database
    return Act(
        f"the host of the old writer in the {stage.writer} site is back, with its server",
        lambda: stage.system.end_silence(database.region, database.identifier),
    )


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
    """The server of the old writer starts again, as when its host's power returns."""
    return Act(f"the server of the old writer in the {stage.writer} site starts again", stage.writer_server.start)


def hide_writer_region_from_standby(stage: Stage) -> Act:
    """The recovery region can no longer reach the writer's, which works as before for everybody else."""
    region, standby = stage.writer_database.region, stage.replica_database.region

    def action() -> None:
        stage.system.darken(region, seen_from=standby)

    return Act(f"{standby} reaches neither the APIs nor the database of {region}, which works as before", action)


def cut_link(stage: Stage) -> Act:
    """Nothing passes between the sites any more; each works."""
    return Act("the link between the sites is cut", stage.system.cut_link)


def heal_link(stage: Stage) -> Act:
    """The sites can reach each other again."""
    return Act("the link between the sites is restored", stage.system.heal_link)


def stall_replication(stage: Stage) -> Act:
    """The replica receives nothing more, and falls behind."""
    server = stage.replica_server
    return Act(f"replication to the {stage.writer.other} site is stalled", server.stall_replication)


def end_replication(stage: Stage) -> Act:
    """RDS ends the replication of the replica for good, as after 30 days in which it was interrupted."""
    replica = stage.replica_database

    def action() -> None:
        stage.system.end_replication(replica.region, replica.identifier)

    return Act(f"RDS ends the replication to {replica.identifier} for good", action)


def fail_replica(stage: Stage) -> Act:
    """The replica's server dies, and RDS reports the replica as `failed`; it stays so until its server is started."""
    replica = stage.replica_database
    client: RDSClient = stage.system.client("rds", replica.region)

    def failed() -> bool:
        found = client.describe_db_instances(DBInstanceIdentifier=replica.identifier)["DBInstances"][0]
        return found["DBInstanceStatus"] == "failed"

    def action() -> None:
        stage.replica_server.kill()
        stage.require(f"RDS to report {replica.identifier} as failed", failed, FAILED_DEADLINE_SECONDS)

    return Act(f"SIGKILL to every process of the replica in the {stage.writer.other} site: it is failed", action)


def refuse(stage: Stage, region: str, service: str, operation: str | None, code: str) -> Act:
    """A service refuses calls of functions and operators.

    Args:
        stage: what to act on.
        region: the region that is called.
        service: the service in boto3's words.
        operation: its operation in the API's words, such as ``PutItem``; None for every one.
        code: the code of its error.
    """

    def action() -> None:
        stage.system.refuse_calls(region, service, operation, code)

    return Act(f"{_calls(region, service, operation)} are refused with {code}", action)


def slow(stage: Stage, region: str, service: str, operation: str | None, seconds: float) -> Act:
    """A service answers calls of functions and operators late; see `refuse` for the arguments.

    A call whose caller has given up meanwhile takes effect all the same.
    """

    def action() -> None:
        stage.system.slow_calls(region, service, operation, seconds)

    return Act(f"{_calls(region, service, operation)} take {seconds:g} s longer", action)


def answer(stage: Stage, region: str) -> Act:
    """The services of a region refuse nothing any more, and answer at once."""
    return Act(f"the services of {region} answer as before", lambda: stage.system.answer_calls(region))


def lose_item(stage: Stage, key: str) -> Act:
    """An item of the state table is gone, as when somebody deletes it."""
    table = stage.controller.state_table_name

    def action() -> None:
        _state_table(stage).delete_item(TableName=table, Key=_key(key))

    return Act(f"the item {key} of the table {table} is deleted", action)


def keep_table(stage: Stage) -> dict[str, Item]:
    """The items of the state table as they are now, by key, for `restore_table`."""
    pages = (
        _state_table(stage)
        .get_paginator("scan")
        .paginate(TableName=stage.controller.state_table_name, ConsistentRead=True)
    )
    return {item["id"]["S"]: dict(item) for page in pages for item in page["Items"]}


def restore_table(stage: Stage, kept: Mapping[str, Item]) -> Act:
    """An older state table is restored: its items are as they were when they were kept, newer ones are gone."""
    table = stage.controller.state_table_name

    def action() -> None:
        newer = keep_table(stage).keys() - kept.keys()
        older: list[TransactWriteItemTypeDef] = [{"Put": {"TableName": table, "Item": each}} for each in kept.values()]
        gone: list[TransactWriteItemTypeDef] = [{"Delete": {"TableName": table, "Key": _key(key)}} for key in newer]
        # All at once: no run sees some items of each table.
        _state_table(stage).transact_write_items(TransactItems=[*older, *gone])

    return Act(f"an older state of the table {table} is restored, with {len(kept)} items", action)


def delete_function(stage: Stage, name: str, region: str) -> Act:
    """A function is deleted; what invokes it stays."""

    def action() -> None:
        client: LambdaClient = stage.system.client("lambda", region)
        client.delete_function(FunctionName=name)

    return Act(f"the function {name} in {region} is deleted", action)


def reboot_slowly(stage: Stage, seconds: float) -> Act:
    """An operator reboots the writer through RDS; it is away for so many seconds."""
    database = stage.writer_database

    def action() -> None:
        stage.system.slow_reboots(seconds)
        client: RDSClient = stage.system.client("rds", database.region)
        client.reboot_db_instance(DBInstanceIdentifier=database.identifier)

    return Act(f"an operator reboots {database.identifier}, which takes {seconds:g} s", action)


def lose_trigger(stage: Stage) -> Act:
    """The alarm's message never arrives: the failover function is not subscribed to it any more."""
    system, region = stage.system, stage.replica_database.region

    def action() -> None:
        client: SNSClient = system.client("sns", region)
        for subscription in _trigger_subscriptions(stage, client):
            client.unsubscribe(SubscriptionArn=subscription)

    return Act("the trigger's message is lost: its subscription is removed", action)


def break_probes(stage: Stage) -> Act:
    """Both probes are deployed with a wrong port, so both report every database as unreachable."""

    def action() -> None:
        for site in Site:
            _point_probe_at(stage, site, WRONG_PORT)

    return Act("both probes are deployed with a wrong port for every database", action)


def repair_probes(stage: Stage) -> Act:
    """Both probes are deployed with the right port again."""

    def action() -> None:
        for site in Site:
            _point_probe_at(stage, site, stage.system.target.database_port)

    return Act("both probes are deployed with the right port", action)


def kill_failover_function(stage: Stage, phases: Sequence[Phase], deadline_seconds: float) -> tuple[Phase, ...]:
    """Kill the failover function (SIGKILL) as soon as the incident reaches each of these phases.

    Args:
        stage: something is broken, and an incident is to be expected.
        phases: in their order.
        deadline_seconds: how long all of it may take.

    Returns:
        The phases at which a run was killed. One that was over too quickly is reported to the person and left out.
    """
    ends_at = time.monotonic() + deadline_seconds
    return tuple(phase for phase in phases if _killed_at(stage, phase, ends_at))


def _killed_at(stage: Stage, phase: Phase, ends_at: float) -> bool:
    region, name = stage.replica_database.region, stage.controller.failover_function_name
    while time.monotonic() < ends_at:
        incidents = incidents_since(stage.system, stage.started_at)
        reached = incidents[-1].phase if incidents else None
        if reached is not None and IN_AN_EMERGENCY.index(reached) > IN_AN_EMERGENCY.index(phase):
            stage.say(f"the phase {phase} was over before a run could be killed in it")
            return False
        if reached is phase and stage.system.kill_function(region, name):
            stage.do(f"SIGKILL to the failover function at phase {phase}", lambda: None)
            return True
        time.sleep(KILL_POLL_SECONDS)
    stage.say(f"the incident did not reach the phase {phase} in time")
    return False


def _calls(region: str, service: str, operation: str | None) -> str:
    return f"all calls of {service} in {region}" if operation is None else f"calls of {service} {operation} in {region}"


def _state_table(stage: Stage) -> DynamoDBClient:
    client: DynamoDBClient = stage.system.client("dynamodb", stage.replica_database.region)
    return client


def _key(key: str) -> Item:
    return {"id": {"S": key}}


def _trigger_subscriptions(stage: Stage, client: SNSClient) -> list[str]:
    controller = stage.controller
    cloudwatch: CloudWatchClient = stage.system.client("cloudwatch", stage.replica_database.region)
    alarms = cloudwatch.describe_alarms(AlarmNames=[controller.trigger_alarm_name])["MetricAlarms"]
    found = [
        subscription["SubscriptionArn"]
        for alarm in alarms
        for topic in alarm["AlarmActions"]
        for page in client.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic)
        for subscription in page["Subscriptions"]
        if subscription["Endpoint"].endswith(f":function:{controller.failover_function_name}")
    ]
    if not found:
        raise DrillNotReadyError(
            f"the drill cannot go on: alarm {controller.trigger_alarm_name} reaches no subscription of "
            f"{controller.failover_function_name}, so no message can be lost"
        )
    return found


def _point_probe_at(stage: Stage, site: Site, port: int) -> None:
    target = stage.system.target
    name = target.automation[site].probe_function_name
    client: LambdaClient = stage.system.client("lambda", target.databases[site].region)
    variables = dict(client.get_function_configuration(FunctionName=name)["Environment"]["Variables"])
    databases: dict[str, dict[str, Any]] = json.loads(variables[PROBE_DATABASES])
    variables[PROBE_DATABASES] = json.dumps({each: {**where, "port": port} for each, where in databases.items()})
    client.update_function_configuration(FunctionName=name, Environment={"Variables": variables})
