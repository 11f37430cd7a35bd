"""The fence-guard of one site: a function that shuts its own database when another one is the writer."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi
import pulumi_aws as aws

from automation_layer.environment import reporting_environment, shared_environment
from automation_layer.function import Function, FunctionArgs
from automation_layer.guard_policy import GuardReach, fence_guard
from automation_layer.reporter import ReporterArgs
from automation_layer.schedule import Schedule
from automation_layer.settings import AutomationSettings
from automation_layer.timings import GUARD_LIMIT_SECONDS
from shared.policy_documents import Statement
from shared.providers import GLOBAL_SITE
from shared.sites import Site

WHAT = "fence-guard"


class FenceGuard(pulumi.ComponentResource):
    """A function in the database's own region, outside of any VPC, and its schedule.

    In the database's own region, because it comes back with it: the first tick after a dark region's return fences what
    returned with it, whether or not the other region's controller can reach it yet.

    Attributes:
        name: the function's name.
    """

    name: pulumi.Output[str]

    def __init__(
        self, settings: AutomationSettings, args: ReporterArgs, providers: Mapping[Site, aws.Provider]
    ) -> None:
        name = settings.environment.names.of(WHAT, args.site)
        super().__init__("postgres-dr:automation:FenceGuard", name)
        function = Function(
            name,
            FunctionArgs(
                account_id=settings.environment.account_id,
                region=settings.environment.regions[args.site],
                description=f"Shuts the {args.site} site's database when it is no longer the writer and takes writes",
                handler="fence_guard.handler.handle",
                timeout_seconds=GUARD_LIMIT_SECONDS,
                memory_mb=256,
                environment=_environment(settings, args),
                statements=_statements(settings, args),
                log_retention_days=settings.log_retention_days,
                log_key_arn=args.network.at(args.site).messages_key_arn,
            ),
            providers[args.site],
            providers[GLOBAL_SITE],
            parent=self,
        )
        Schedule(name, settings.timings.schedule_expression, function, providers[args.site], parent=self)
        self.name = function.name
        self.register_outputs({})


def _environment(settings: AutomationSettings, args: ReporterArgs) -> dict[str, pulumi.Input[str]]:
    return {
        **shared_environment(settings, WHAT),
        **reporting_environment(settings, args),
        "INSTANCE_ID": args.data.at(args.site).database_id,
        "QUARANTINE_GROUP_ID": args.network.at(args.site).quarantine_security_group_id,
        "OTHER_INSTANCE_ID": args.data.at(args.site.other).database_id,
        "OTHER_QUARANTINE_GROUP_ID": args.network.at(args.site.other).quarantine_security_group_id,
        # Behind a group that lets clients in, a database is not fenced, whoever opened it.
        "INSPECTION_GROUP_ID": pulumi.Output.all(
            args.network.inspection_admits, args.network.at(args.site).inspection_security_group_id
        ).apply(lambda known: str(known[1]) if known[0] == "operators" else "none"),
        "GUARD_SECONDS": str(settings.timings.guard_seconds),
        "POLL_INTERVAL_SECONDS": str(settings.timings.poll_interval_seconds),
    }


def _statements(settings: AutomationSettings, args: ReporterArgs) -> pulumi.Output[list[Statement]]:
    region = settings.environment.regions[args.site]
    return pulumi.Output.all(
        database_arn=args.data.at(args.site).database_arn,
        other_database_arn=args.data.at(args.site.other).database_arn,
        states=args.state_reaches(settings),
    ).apply(lambda known: fence_guard(GuardReach(args.site, region, **known)))
