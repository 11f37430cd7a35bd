"""The witness: a function in a third region that says whether each site's database lives. Optional."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from automation_layer import witness_policy
from automation_layer.environment import shared_environment
from automation_layer.function import Function, FunctionArgs, log_group_name
from automation_layer.schedule import Schedule
from automation_layer.settings import AutomationSettings
from automation_layer.timings import WITNESS_LIMIT_SECONDS
from shared.contracts import DataContract
from shared.policy_documents import Statement
from shared.providers import GLOBAL_SITE, on, witness_provider
from shared.sites import Site

WHAT = "witness"
# It is in no site, so it carries the layer's name.
WHERE = "dr-automation"
KEY_ROTATION_DAYS = 365
# The shortest that KMS offers: the key encrypts nothing but this function's logs.
KEY_DELETION_DAYS = 7


@dataclass(frozen=True)
class WitnessArgs:
    """What the witness is made of.

    Attributes:
        region: where it is.
        data: both sites' databases.
    """

    region: str
    data: DataContract


class Witness(pulumi.ComponentResource):
    """A function outside of any VPC, its schedule, and a key for its logs: the sites' keys do not reach this region.

    Attributes:
        name: the function's name.
    """

    name: pulumi.Output[str]

    def __init__(self, settings: AutomationSettings, args: WitnessArgs, providers: Mapping[Site, aws.Provider]) -> None:
        environment = settings.environment
        name = environment.names.of(WHAT, WHERE)
        super().__init__("postgres-dr:automation:Witness", name)
        here = witness_provider(environment, args.region)
        function = Function(
            name,
            FunctionArgs(
                account_id=environment.account_id,
                region=args.region,
                description="Looks at both sites from a third region and says whether each database lives",
                handler="witness.handler.handle",
                timeout_seconds=WITNESS_LIMIT_SECONDS,
                memory_mb=256,
                environment={
                    **shared_environment(settings, WHAT),
                    "WITNESS_REGION": args.region,
                    "PRIMARY_INSTANCE_ID": args.data.primary.database_id,
                    "RECOVERY_INSTANCE_ID": args.data.recovery.database_id,
                    "OUTAGE_SECONDS": str(settings.timings.outage_seconds),
                },
                statements=_statements(settings, args),
                log_retention_days=settings.log_retention_days,
                log_key_arn=self._logs_key(settings, args.region, log_group_name(name), here),
            ),
            here,
            providers[GLOBAL_SITE],
            parent=self,
        )
        Schedule(name, settings.timings.schedule_expression, function, here, parent=self)
        self.name = function.name
        self.register_outputs({})

    def _logs_key(
        self, settings: AutomationSettings, region: str, log_group: str, here: aws.Provider
    ) -> pulumi.Output[str]:
        name = settings.environment.names.of("witness-logs", WHERE)
        key = aws.kms.Key(
            name,
            description="Log group of the witness",
            enable_key_rotation=True,
            rotation_period_in_days=KEY_ROTATION_DAYS,
            deletion_window_in_days=KEY_DELETION_DAYS,
            policy=pulumi.Output.json_dumps(
                witness_policy.logs_key(settings.environment.account_id, region, log_group)
            ),
            tags={"Name": name},
            opts=on(here, parent=self, protect=settings.environment.protected),
        )
        aws.kms.Alias(name, name=f"alias/{name}", target_key_id=key.key_id, opts=on(here, parent=self))
        return key.arn


def _statements(settings: AutomationSettings, args: WitnessArgs) -> pulumi.Output[list[Statement]]:
    return pulumi.Output.all(args.data.primary.database_arn, args.data.recovery.database_arn).apply(
        lambda arns: witness_policy.witness(
            witness_policy.WitnessReach(
                site_regions=[settings.environment.regions[site] for site in Site], database_arns=list(arns)
            )
        )
    )
