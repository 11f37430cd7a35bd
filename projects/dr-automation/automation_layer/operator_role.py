"""The role under which people operate the controllers: ask them, and write what they want into two items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import pulumi
import pulumi_aws as aws

from automation_layer import policies
from automation_layer.settings import AutomationSettings
from shared.contracts import NetworkContract
from shared.policy_documents import Statement, account, allow, document
from shared.providers import on
from shared.secret_id import secret_pattern
from shared.sites import Site

WHAT = "operator"
# The only items of the tables that operators write: their orders, and how far a new standby is.
OPERATORS_ITEMS = ("control", "reprotect")


@dataclass(frozen=True)
class OperatorReach:
    """What operators work on in one site.

    Attributes:
        region: the site's region.
        function_arn: its failover function.
        state_table_arn: that one's table.
        state_key_arn: the table's KMS key.
        secret_arn: the master user's secret there.
    """

    region: str
    function_arn: str
    state_table_arn: str
    state_key_arn: str
    secret_arn: str


def statements(account_id: str, sites: Mapping[Site, OperatorReach]) -> list[Statement]:
    """What the operators' commands call, and nothing else.

    An invocation without a question is one more run of the controller, as the clock starts one each minute: it does
    nothing that the next tick would not do.
    """
    of_both = [
        allow("AskControllers", "lambda:InvokeFunction", [reach.function_arn for reach in sites.values()]),
        allow(
            "SeeWhatCouldBeRestored",
            ["rds:DescribeDBInstanceAutomatedBackups", "rds:DescribeDBSnapshots"],
            [
                f"arn:aws:rds:{reach.region}:{account_id}:{kind}:*"
                for reach in sites.values()
                for kind in ("db", "snapshot", "auto-backup")
            ],
        ),
    ]
    of_each = [
        statement
        for site, reach in sites.items()
        for statement in (
            policies.read_state(reach.state_table_arn, None, site),
            policies.write_state(reach.state_table_arn, OPERATORS_ITEMS, site),
            policies.use_state_key(reach.state_key_arn, reach.region, site),
        )
    ]
    return [*of_both, policies.see_secrets(reach.secret_arn for reach in sites.values()), *of_each]


def trust(account_id: str, principals: Sequence[str], *, require_mfa: bool) -> dict[str, Any]:
    """Who may take the role.

    Args:
        account_id: the account.
        principals: ARNs; none for the account itself, which leaves it to the account's IAM policies who may.
        require_mfa: only callers that gave AWS a second factor.
            https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa_configure-api-require.html
    """
    statement: Statement = {
        "Sid": "Operators",
        "Effect": "Allow",
        "Principal": {"AWS": list(principals) or [account(account_id)["AWS"]]},
        "Action": "sts:AssumeRole",
    }
    if require_mfa:
        statement["Condition"] = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
    return document(statement)


def role_of_people(
    name: str,
    description: str,
    settings: AutomationSettings,
    allowed: pulumi.Output[list[Statement]],
    options: pulumi.ResourceOptions,
) -> aws.iam.Role:
    """Declare a role that the operators may assume.

    Args:
        name: the role's name.
        description: what it is for.
        settings: who may assume it.
        allowed: what it may do.
        options: of its resources.
    """
    trusted = trust(settings.environment.account_id, settings.operator_principals, require_mfa=settings.require_mfa)
    role = aws.iam.Role(
        name,
        name=name,
        description=description,
        assume_role_policy=pulumi.Output.json_dumps(trusted),
        opts=options,
    )
    policy = pulumi.Output.json_dumps(allowed.apply(lambda known: document(*known)))
    aws.iam.RolePolicy(name, name=name, role=role.name, policy=policy, opts=options)
    return role


@dataclass(frozen=True)
class OperatorRoleArgs:
    """What the role reaches.

    Attributes:
        network: for the keys of the state tables.
        master_secret_id: name or ARN of the master user's secret.
        function_arns: the failover function of each site.
        state_table_arns: the table of each.
    """

    network: NetworkContract
    master_secret_id: pulumi.Input[str]
    function_arns: Mapping[Site, pulumi.Input[str]]
    state_table_arns: Mapping[Site, pulumi.Input[str]]


class OperatorRole(pulumi.ComponentResource):
    """One role for all operators; the order, the session name and CloudTrail say who it was.

    Attributes:
        arn: the role's ARN.
    """

    arn: pulumi.Output[str]

    def __init__(self, settings: AutomationSettings, args: OperatorRoleArgs, provider: aws.Provider) -> None:
        environment = settings.environment
        name = environment.names.of(WHAT, Site.RECOVERY)
        super().__init__("postgres-dr:automation:OperatorRole", name)
        reaches = [
            pulumi.Output.all(
                region=environment.regions[site],
                function_arn=args.function_arns[site],
                state_table_arn=args.state_table_arns[site],
                state_key_arn=args.network.at(site).data_key_arn,
                secret_arn=pulumi.Output.from_input(args.master_secret_id).apply(
                    partial(secret_pattern, region=environment.regions[site], account_id=environment.account_id)
                ),
            )
            for site in Site
        ]
        self.arn = role_of_people(
            name,
            "People: ask the failover functions, pause, resume, order a failover",
            settings,
            pulumi.Output.all(*reaches).apply(
                lambda known: statements(
                    environment.account_id,
                    {site: OperatorReach(**reach) for site, reach in zip(Site, known, strict=True)},
                )
            ),
            on(provider, parent=self),
        ).arn
        self.register_outputs({})
