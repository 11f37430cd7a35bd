"""EventBridge invokes a function at a fixed rate."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from automation_layer.function import Function
from shared.providers import on


class Schedule(pulumi.ComponentResource):
    """A rule, its target, and the target's permission for exactly this rule."""

    def __init__(
        self, name: str, expression: str, function: Function, provider: aws.Provider, parent: pulumi.Resource
    ) -> None:
        super().__init__("postgres-dr:automation:Schedule", name, None, pulumi.ResourceOptions(parent=parent))
        options = on(provider, parent=self)
        rule = aws.cloudwatch.EventRule(
            name, name=name, description=f"Runs {name} at a fixed rate", schedule_expression=expression, opts=options
        )
        permission = aws.lambda_.Permission(
            f"{name}-schedule",
            statement_id="schedule",
            function=function.name,
            action="lambda:InvokeFunction",
            principal="events.amazonaws.com",
            source_arn=rule.arn,
            opts=options,
        )
        aws.cloudwatch.EventTarget(
            name,
            rule=rule.name,
            target_id="function",
            arn=function.arn,
            # EventBridge would retry for 24 hours, but the next run makes a late one pointless.
            retry_policy=aws.cloudwatch.EventTargetRetryPolicyArgs(
                maximum_event_age_in_seconds=60, maximum_retry_attempts=0
            ),
            opts=pulumi.ResourceOptions.merge(options, pulumi.ResourceOptions(depends_on=[permission])),
        )
        self.register_outputs({})
