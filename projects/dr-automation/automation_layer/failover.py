"""The failover function (R8): in the recovery site, outside of any VPC, woken by the trigger topic and by the clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from automation_layer import policies
from automation_layer.environment import reporting_environment, shared_environment
from automation_layer.function import Function, FunctionArgs
from automation_layer.schedule import Schedule
from automation_layer.settings import AutomationSettings
from automation_layer.state_table import StateTable
from automation_layer.timings import RUN_LIMIT_SECONDS
from automation_layer.topics import Topics
from shared.contracts import DataContract, NetworkContract
from shared.policy_documents import Statement
from shared.providers import GLOBAL_SITE, on
from shared.sites import Site

WHAT = "failover"


@dataclass(frozen=True)
class FailoverArgs:
    """What the failover function works with.

    Attributes:
        network: both sites' networks.
        data: both sites' databases.
        state: where it keeps who the writer is.
        topics: how it is woken and how it tells people.
    """

    network: NetworkContract
    data: DataContract
    state: StateTable
    topics: Topics


class Failover(pulumi.ComponentResource):
    """A function outside of any VPC, because it must reach AWS's APIs, and an idle function in one wakes slowly.

    Attributes:
        name: the function's name.
        arn: its ARN.
    """

    name: pulumi.Output[str]
    arn: pulumi.Output[str]

    def __init__(
        self, settings: AutomationSettings, args: FailoverArgs, providers: Mapping[Site, aws.Provider]
    ) -> None:
        site = Site.RECOVERY
        name = settings.environment.names.of(WHAT, site)
        super().__init__("postgres-dr:automation:Failover", name)
        function = Function(
            name,
            FunctionArgs(
                account_id=settings.environment.account_id,
                region=settings.environment.regions[site],
                description="Observes both sites, decides, fences the old writer, promotes the replica, switches names",
                handler="failover.handler.handle",
                timeout_seconds=RUN_LIMIT_SECONDS,
                memory_mb=512,
                environment=_environment(settings, args),
                statements=_statements(settings, args),
                log_retention_days=settings.log_retention_days,
                log_key_arn=args.network.at(site).messages_key_arn,
            ),
            providers[site],
            providers[GLOBAL_SITE],
            parent=self,
        )
        Schedule(name, settings.timings.schedule_expression, function, providers[site], parent=self)
        self._wake_by(args.topics.trigger, name, function, on(providers[site], parent=self))
        self.name = function.name
        self.arn = function.arn
        self.register_outputs({})

    def _wake_by(self, trigger: aws.sns.Topic, name: str, function: Function, options: pulumi.ResourceOptions) -> None:
        permission = aws.lambda_.Permission(
            f"{name}-trigger",
            statement_id="trigger",
            function=function.name,
            action="lambda:InvokeFunction",
            principal="sns.amazonaws.com",
            source_arn=trigger.arn,
            opts=options,
        )
        aws.sns.TopicSubscription(
            name,
            topic=trigger.arn,
            protocol="lambda",
            endpoint=function.arn,
            opts=pulumi.ResourceOptions.merge(options, pulumi.ResourceOptions(depends_on=[permission])),
        )


def _environment(settings: AutomationSettings, args: FailoverArgs) -> dict[str, pulumi.Input[str]]:
    timings = settings.timings
    return {
        **shared_environment(settings, WHAT),
        **reporting_environment(settings, args.state, args.topics),
        "REFERENCE_REGION": settings.reference_region,
        "PRIMARY_INSTANCE_ID": args.data.primary.database_id,
        "RECOVERY_INSTANCE_ID": args.data.recovery.database_id,
        "PRIMARY_DATABASE_GROUP_ID": args.network.primary.database_security_group_id,
        "RECOVERY_DATABASE_GROUP_ID": args.network.recovery.database_security_group_id,
        "PRIMARY_QUARANTINE_GROUP_ID": args.network.primary.quarantine_security_group_id,
        "RECOVERY_QUARANTINE_GROUP_ID": args.network.recovery.quarantine_security_group_id,
        "RECOVERY_TOPIC_ARN": args.topics.recovery.arn,
        "MODE": settings.mode,
        "DARK_WITHOUT_WITNESS": settings.dark_without_witness,
        "WRITER_HUNG": settings.writer_hung,
        "MAINTENANCE_OVERDUE": settings.maintenance_overdue,
        **(
            {}
            if settings.environment.witness_region is None
            else {"WITNESS_REGION": settings.environment.witness_region}
        ),
        "OUTAGE_SECONDS": str(timings.outage_seconds),
        "MAX_DATA_LOSS_SECONDS": str(settings.max_data_loss_seconds),
        "COOL_DOWN_SECONDS": str(timings.cool_down_seconds),
        "FENCE_TIMEOUT_SECONDS": str(timings.fence_timeout_seconds),
        "VERIFY_TIMEOUT_SECONDS": str(timings.verify_timeout_seconds),
        "POLL_INTERVAL_SECONDS": str(timings.poll_interval_seconds),
        "RUN_BUDGET_SECONDS": str(timings.run_budget_seconds),
        "PROMOTED_BACKUP_RETENTION_DAYS": args.data.backup_retention_days.apply(str),
        "NAME_TTL_SECONDS": str(timings.name_ttl_seconds),
        "REPLICATION_TIMEOUT_SECONDS": args.data.replication_timeout_seconds.apply(str),
    }


def _statements(settings: AutomationSettings, args: FailoverArgs) -> pulumi.Output[list[Statement]]:
    arns = pulumi.Output.all(
        primary_database=args.data.primary.database_arn,
        recovery_database=args.data.recovery.database_arn,
        state_table=args.state.arn,
        state_key=args.network.recovery.data_key_arn,
        failures=args.topics.failures.arn,
        recovery=args.topics.recovery.arn,
        topics_key=args.network.recovery.messages_key_arn,
    )
    return arns.apply(
        lambda known: policies.failover(
            policies.FailoverReach(
                regions=settings.environment.regions,
                database_arns={
                    Site.PRIMARY: known["primary_database"],
                    Site.RECOVERY: known["recovery_database"],
                },
                metric_namespace=settings.metric_namespace,
                state_table_arn=known["state_table"],
                state_key_arn=known["state_key"],
                topic_arns=[known["failures"], known["recovery"]],
                topics_key_arn=known["topics_key"],
            )
        )
    )
