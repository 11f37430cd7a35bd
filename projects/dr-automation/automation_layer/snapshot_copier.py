"""The snapshot copier of one site: a function that copies the writer's snapshots there, and the role for exports."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi
import pulumi_aws as aws

from automation_layer import copier_policy
from automation_layer.environment import reporting_environment, shared_environment
from automation_layer.function import Function, FunctionArgs
from automation_layer.reporter import ReporterArgs
from automation_layer.schedule import Schedule
from automation_layer.settings import AutomationSettings
from shared.policy_documents import Statement, document
from shared.providers import GLOBAL_SITE, on
from shared.sites import Site

WHAT = "snapshot-copier"
# A run lists some pages and asks for a few things; nothing in it waits for a copy.
LIMIT_SECONDS = 120


class SnapshotCopier(pulumi.ComponentResource):
    """A function outside of any VPC, its schedule, and the role that RDS exports with.

    In the site that copies go to: it is the one that lives when they are needed.

    Attributes:
        name: the function's name.
    """

    name: pulumi.Output[str]

    def __init__(
        self, settings: AutomationSettings, args: ReporterArgs, providers: Mapping[Site, aws.Provider]
    ) -> None:
        name = settings.environment.names.of(WHAT, args.site)
        super().__init__("postgres-dr:automation:SnapshotCopier", name)
        self._settings, self._args = settings, args
        export_role_arn = self._export_role(providers[GLOBAL_SITE])
        function = Function(
            name,
            FunctionArgs(
                account_id=settings.environment.account_id,
                region=settings.environment.regions[args.site],
                description=f"Copies the writer's snapshots to the {args.site} site and lets old copies go",
                handler="snapshot_copier.handler.handle",
                timeout_seconds=LIMIT_SECONDS,
                memory_mb=256,
                environment=self._environment(export_role_arn),
                statements=self._statements(export_role_arn),
                log_retention_days=settings.log_retention_days,
                log_key_arn=args.network.at(args.site).messages_key_arn,
            ),
            providers[args.site],
            providers[GLOBAL_SITE],
            parent=self,
        )
        Schedule(name, settings.timings.copy_schedule_expression, function, providers[args.site], parent=self)
        self.name = function.name
        self.register_outputs({})

    def _export_role(self, provider: aws.Provider) -> pulumi.Output[str] | None:
        if self._settings.snapshot_export_days == 0:
            return None
        site, environment = self._args.site, self._settings.environment
        name = environment.names.of("snapshot-export", site)
        role = aws.iam.Role(
            name,
            name=name,
            description=f"RDS exports snapshots to the bucket of the {site} site",
            assume_role_policy=pulumi.Output.json_dumps(copier_policy.export_trust(environment.account_id)),
            opts=on(provider, parent=self),
        )
        written = pulumi.Output.all(
            self._args.data.at(site).backup_bucket_arn, self._args.network.at(site).data_key_arn
        ).apply(lambda known: document(*copier_policy.export(known[0], known[1])))
        aws.iam.RolePolicy(
            name,
            name=name,
            role=role.name,
            policy=pulumi.Output.json_dumps(written),
            opts=on(provider, parent=self),
        )
        return role.arn

    def _environment(self, export_role_arn: pulumi.Output[str] | None) -> dict[str, pulumi.Input[str]]:
        settings, args = self._settings, self._args
        export: dict[str, pulumi.Input[str]] = {}
        if export_role_arn is not None:
            export = {
                "EXPORT_DAYS": str(settings.snapshot_export_days),
                "EXPORT_BUCKET": args.data.at(args.site).backup_bucket_name,
                "EXPORT_ROLE_ARN": export_role_arn,
            }
        return {
            **shared_environment(settings, WHAT),
            **reporting_environment(settings, args),
            **{f"{site.upper()}_INSTANCE_ID": args.data.at(site).database_id for site in Site},
            **{f"{site.upper()}_INSTANCE_ARN": args.data.at(site).database_arn for site in Site},
            "DATA_KEY_ARN": args.network.at(args.site).data_key_arn,
            "RETENTION_DAYS": str(settings.snapshot_retention_days),
            "STUCK_HOURS": str(settings.copy_stuck_hours),
            **export,
        }

    def _statements(self, export_role_arn: pulumi.Output[str] | None) -> pulumi.Output[list[Statement]]:
        args, environment = self._args, self._settings.environment
        source = args.data.at(args.site.other)
        return pulumi.Output.all(
            source_database_arn=source.database_arn,
            source_database_id=source.database_id,
            key_arn=args.network.at(args.site).data_key_arn,
            source_key_arn=args.network.at(args.site.other).data_key_arn,
            source_database_key_arn=source.database_key_arn,
            export_role_arn=export_role_arn,
            states=args.state_reaches(self._settings),
        ).apply(
            lambda known: copier_policy.snapshot_copier(
                copier_policy.CopierReach(
                    site=args.site,
                    account_id=environment.account_id,
                    region=environment.regions[args.site],
                    source_region=environment.regions[args.site.other],
                    copied_by=f"{WHAT}-{environment.suffix}",
                    **known,
                )
            )
        )
