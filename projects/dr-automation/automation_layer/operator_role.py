"""The role under which people operate the controller: ask it, and write what they want into one item."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from automation_layer import policies
from automation_layer.settings import AutomationSettings
from shared.contracts import NetworkContract
from shared.policy_documents import Statement, account, allow, document
from shared.providers import on
from shared.sites import Site

WHAT = "operator"
# The only item of the table that operators write.
OPERATORS_ITEM = "control"


@dataclass(frozen=True)
class OperatorReach:
    """What operators work on.

    Attributes:
        region: region of the function and the table.
        function_arn: the failover function.
        state_table_arn: the controller's table.
        state_key_arn: its KMS key.
        account_id: the account.
        site_regions: the regions of both sites, where it is seen what could be restored.
    """

    region: str
    function_arn: str
    state_table_arn: str
    state_key_arn: str
    account_id: str
    site_regions: Sequence[str]


def statements(reach: OperatorReach) -> list[Statement]:
    """What the operators' commands call, and nothing else.

    An invocation without a question is one more run of the controller, as the clock starts one each minute: it does
    nothing that the next tick would not do.
    """
    return [
        allow("AskController", "lambda:InvokeFunction", reach.function_arn),
        policies.read_state(reach.state_table_arn),
        policies.write_state(reach.state_table_arn, [OPERATORS_ITEM]),
        policies.use_state_key(reach.state_key_arn, reach.region),
        allow(
            "SeeWhatCouldBeRestored",
            ["rds:DescribeDBInstanceAutomatedBackups", "rds:DescribeDBSnapshots"],
            [
                f"arn:aws:rds:{region}:{reach.account_id}:{kind}:*"
                for region in reach.site_regions
                for kind in ("db", "snapshot", "auto-backup")
            ],
        ),
    ]


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
        network: for the key of the state table.
        function_arn: the failover function.
        state_table_arn: the controller's table.
    """

    network: NetworkContract
    function_arn: pulumi.Input[str]
    state_table_arn: pulumi.Input[str]


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
        known = pulumi.Output.all(
            region=environment.regions[Site.RECOVERY],
            function_arn=args.function_arn,
            state_table_arn=args.state_table_arn,
            state_key_arn=args.network.recovery.data_key_arn,
            account_id=environment.account_id,
            site_regions=list(environment.regions.values()),
        )
        self.arn = role_of_people(
            name,
            "People: ask the failover function, pause, resume, order a failover",
            settings,
            known.apply(lambda each: statements(OperatorReach(**each))),
            on(provider, parent=self),
        ).arn
        self.register_outputs({})
