"""A site's failover function (R8), its controller: outside of any VPC, woken by the trigger topic and by the clock."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import pulumi
import pulumi_aws as aws

from automation_layer import failover_policy, probe
from automation_layer.alarms import word_alarm_names
from automation_layer.environment import reporting_environment, shared_environment
from automation_layer.function import Function, FunctionArgs
from automation_layer.reporter import ReporterArgs
from automation_layer.schedule import Schedule
from automation_layer.settings import AutomationSettings
from automation_layer.timings import RUN_LIMIT_SECONDS
from shared.policy_documents import Statement
from shared.providers import GLOBAL_SITE, on
from shared.secret_id import secret_id_in, secret_pattern
from shared.sites import Site

WHAT = "failover"


class Failover(pulumi.ComponentResource):
    """A function outside of any VPC, because it must reach AWS's APIs, and an idle function in one wakes slowly.

    There is one in each site, and the state says which of them has the authority; the other one publishes its word.

    Attributes:
        name: the function's name.
        arn: its ARN.
    """

    name: pulumi.Output[str]
    arn: pulumi.Output[str]

    def __init__(
        self, settings: AutomationSettings, args: ReporterArgs, providers: Mapping[Site, aws.Provider]
    ) -> None:
        name, provider = settings.environment.names.of(WHAT, args.site), providers[args.site]
        super().__init__("postgres-dr:automation:Failover", name)
        function = Function(
            name,
            FunctionArgs(
                account_id=settings.environment.account_id,
                region=settings.environment.regions[args.site],
                description="Observes both sites, decides, fences the old writer, promotes the replica, switches names",
                handler="failover.handler.handle",
                timeout_seconds=RUN_LIMIT_SECONDS,
                memory_mb=512,
                environment=_environment(settings, args),
                statements=_statements(settings, args),
                log_retention_days=settings.log_retention_days,
                log_key_arn=args.network.at(args.site).messages_key_arn,
            ),
            provider,
            providers[GLOBAL_SITE],
            parent=self,
        )
        Schedule(name, settings.timings.schedule_expression, function, provider, parent=self)
        self._wake_by(args.topics[args.site].trigger, name, function, on(provider, parent=self))
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


def _environment(settings: AutomationSettings, args: ReporterArgs) -> dict[str, pulumi.Input[str]]:
    timings, environment = settings.timings, settings.environment
    witness_region = environment.witness_region
    variables: dict[str, pulumi.Input[str]] = {
        **shared_environment(settings, WHAT),
        **reporting_environment(settings, args),
        "REFERENCE_REGION": settings.reference_region,
        "RECOVERIES_TOPIC_ARN": args.topics[args.site].recoveries.arn,
        "MASTER_SECRET_ID": args.data.master_secret_id.apply(
            partial(secret_id_in, region=settings.environment.regions[args.site])
        ),
        "MODE": settings.mode,
        "DARK_WITHOUT_WITNESS": settings.dark_without_witness,
        "WRITER_HUNG": settings.writer_hung,
        "MAINTENANCE_OVERDUE": settings.maintenance_overdue,
        **({} if witness_region is None else {"WITNESS_REGION": witness_region}),
        "OUTAGE_SECONDS": str(timings.outage_seconds),
        "MAX_DATA_LOSS_SECONDS": str(settings.max_data_loss_seconds),
        "COOL_DOWN_SECONDS": str(timings.cool_down_seconds),
        "FENCE_TIMEOUT_SECONDS": str(timings.fence_timeout_seconds),
        "PLANNED_FENCE_TIMEOUT_SECONDS": str(timings.planned_fence_timeout_seconds),
        "VERIFY_TIMEOUT_SECONDS": str(timings.verify_timeout_seconds),
        "POLL_INTERVAL_SECONDS": str(timings.poll_interval_seconds),
        "RUN_BUDGET_SECONDS": str(timings.run_budget_seconds),
        "HANDOVER_MARGIN_SECONDS": str(timings.handover_margin_seconds),
        "PROMOTED_BACKUP_RETENTION_DAYS": args.data.backup_retention_days.apply(str),
        "NAME_TTL_SECONDS": str(timings.name_ttl_seconds),
        "REPLICATION_TIMEOUT_SECONDS": args.data.replication_timeout_seconds.apply(str),
    }
    for site in Site:
        network = args.network.at(site)
        variables |= {
            f"{site.upper()}_INSTANCE_ID": args.data.at(site).database_id,
            f"{site.upper()}_DATABASE_GROUP_ID": network.database_security_group_id,
            f"{site.upper()}_QUARANTINE_GROUP_ID": network.quarantine_security_group_id,
            f"{site.upper()}_PROBE_FUNCTION": environment.names.of(probe.WHAT, site),
            f"{site.upper()}_WORD_ALARMS": ",".join(word_alarm_names(settings, site)),
        }
    return variables


def _statements(settings: AutomationSettings, args: ReporterArgs) -> pulumi.Output[list[Statement]]:
    environment = settings.environment
    return pulumi.Output.all(
        secret=args.data.master_secret_id,
        databases=[args.data.at(site).database_arn for site in Site],
        states=args.state_reaches(settings),
    ).apply(
        lambda known: failover_policy.failover(
            failover_policy.FailoverReach(
                site=args.site,
                account_id=environment.account_id,
                regions=environment.regions,
                database_arns=dict(zip(Site, known["databases"], strict=True)),
                probe_arns=[
                    f"arn:aws:lambda:{environment.regions[site]}:{environment.account_id}:function:"
                    f"{environment.names.of(probe.WHAT, site)}"
                    for site in Site
                ],
                metric_namespace=settings.metric_namespace,
                states=known["states"],
                secret_arn=secret_pattern(known["secret"], environment.regions[args.site], environment.account_id),
            )
        )
    )
