"""One Lambda function with everything that belongs to it: role, policy, log group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from automation_layer import artifact, policies
from shared.policy_documents import Statement, document
from shared.providers import on

RUNTIME = "python3.13"
ARCHITECTURE = "arm64"  # a fifth cheaper than x86_64 for the same work, and the code is pure Python


@dataclass(frozen=True)
class VpcPlacement:
    """Where in a VPC a function runs."""

    subnet_ids: pulumi.Input[Sequence[str]]
    security_group_id: pulumi.Input[str]


@dataclass(frozen=True)
class FunctionArgs:
    """What a function is made of.

    Attributes:
        account_id: the account.
        region: where the function runs.
        description: one line for the console.
        handler: ``package.module.function``; its archive holds what that module imports.
        timeout_seconds: Lambda ends a run after that.
        memory_mb: memory; the share of a CPU grows with it.
        environment: its environment variables. Nothing secret.
        statements: what it may do, beside writing its own logs.
        log_retention_days: how long its logs are kept.
        log_key_arn: KMS key of its log group.
        vpc: its place in a VPC; None outside of any.
    """

    account_id: str
    region: str
    description: str
    handler: str
    timeout_seconds: int
    memory_mb: int
    environment: Mapping[str, pulumi.Input[str]]
    statements: pulumi.Input[Sequence[Statement]]
    log_retention_days: int
    log_key_arn: pulumi.Input[str]
    vpc: VpcPlacement | None = None


def log_group_name(function_name: str) -> str:
    """The log group that Lambda writes a function's log to."""
    return f"/aws/lambda/{function_name}"


class Function(pulumi.ComponentResource):
    """A function under its own role, which can do what the function's code calls and nothing else.

    The log group is made before the function: Lambda would make one without retention and encryption, and the role
    would need the right to make groups. Retries of failed asynchronous runs are off: all functions work from what they
    observe, so the next tick of the schedule is the retry, with fresh observations. Concurrency is not reserved:
    accounts with a small limit refuse it, and correctness comes from conditional writes.

    Attributes:
        name: the function's name.
        arn: its ARN.
    """

    name: pulumi.Output[str]
    arn: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        args: FunctionArgs,
        provider: aws.Provider,
        global_provider: aws.Provider,
        parent: pulumi.Resource,
    ) -> None:
        super().__init__("postgres-dr:automation:Function", name, None, pulumi.ResourceOptions(parent=parent))
        here = on(provider, parent=self)
        logs = aws.cloudwatch.LogGroup(
            name,
            name=log_group_name(name),
            retention_in_days=args.log_retention_days,
            kms_key_id=args.log_key_arn,
            opts=here,
        )
        role, policy = self._role(name, args, logs, on(global_provider, parent=self))
        function = aws.lambda_.Function(
            name,
            name=name,
            description=args.description,
            runtime=RUNTIME,
            architectures=[ARCHITECTURE],
            package_type="Zip",
            code=pulumi.FileArchive(str(artifact.build(args.handler).path)),
            handler=args.handler,
            timeout=args.timeout_seconds,
            memory_size=args.memory_mb,
            role=role.arn,
            environment=aws.lambda_.FunctionEnvironmentArgs(variables=dict(args.environment)),
            vpc_config=None
            if args.vpc is None
            else aws.lambda_.FunctionVpcConfigArgs(
                subnet_ids=args.vpc.subnet_ids, security_group_ids=[args.vpc.security_group_id]
            ),
            # The policy outlives the function: Lambda needs it to take the network interfaces away again.
            opts=pulumi.ResourceOptions.merge(here, pulumi.ResourceOptions(depends_on=[logs, policy])),
        )
        aws.lambda_.FunctionEventInvokeConfig(
            name,
            function_name=function.name,
            maximum_retry_attempts=0,
            maximum_event_age_in_seconds=60,
            opts=here,
        )
        self.name = function.name
        self.arn = function.arn
        self.register_outputs({})

    def _role(
        self, name: str, args: FunctionArgs, logs: aws.cloudwatch.LogGroup, options: pulumi.ResourceOptions
    ) -> tuple[aws.iam.Role, aws.iam.RolePolicy]:
        role = aws.iam.Role(
            name,
            name=name,
            description=f"Function {name}",
            assume_role_policy=pulumi.Output.json_dumps(policies.lambda_trust(args.account_id)),
            opts=options,
        )
        # Built from the name, because the policy must exist before the function does.
        function_arn = f"arn:aws:lambda:{args.region}:{args.account_id}:function:{name}"
        attachment = [] if args.vpc is None else policies.vpc_attachment(args.account_id, args.region, function_arn)
        statements = pulumi.Output.all(logs.arn, args.statements).apply(
            lambda known: document(policies.own_logs(known[0]), *attachment, *known[1])
        )
        policy = aws.iam.RolePolicy(
            name, name=name, role=role.name, policy=pulumi.Output.json_dumps(statements), opts=options
        )
        return role, policy
