"""The topics: failures and recovery for people (R5), trigger for the failover function."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from automation_layer import policies
from shared.naming import Names
from shared.providers import on
from shared.sites import Site


@dataclass(frozen=True)
class TopicsArgs:
    """What the topics are made of.

    Attributes:
        account_id: the account.
        region: region of the recovery site.
        key_arn: KMS key of the recovery site for messages.
        failure_emails: who is told about failures.
        recovery_emails: who is told about recovery.
    """

    account_id: str
    region: str
    key_arn: pulumi.Input[str]
    failure_emails: Sequence[str]
    recovery_emails: Sequence[str]


class Topics(pulumi.ComponentResource):
    """Three encrypted topics in the recovery site, which outlives the loss of the primary site.

    Attributes:
        failures: what goes wrong; alarms, the failover function and the fence-guards publish here.
        recovery: what the failover did about it; only the function publishes here.
        trigger: wakes the failover function; only alarms publish here.
    """

    failures: aws.sns.Topic
    recovery: aws.sns.Topic
    trigger: aws.sns.Topic

    def __init__(self, names: Names, args: TopicsArgs, provider: aws.Provider) -> None:
        super().__init__("postgres-dr:automation:Topics", names.of("topics", Site.RECOVERY))
        self._names = names
        self._args = args
        self._options = on(provider, parent=self)
        self.failures = self._topic("failures", alarms_publish=True, emails=args.failure_emails)
        self.recovery = self._topic("recoveries", alarms_publish=False, emails=args.recovery_emails)
        self.trigger = self._topic("failover-trigger", alarms_publish=True, emails=())
        self.register_outputs({})

    def _topic(self, what: str, *, alarms_publish: bool, emails: Sequence[str]) -> aws.sns.Topic:
        name = self._names.of(what, Site.RECOVERY)
        topic = aws.sns.Topic(name, name=name, kms_master_key_id=self._args.key_arn, opts=self._options)
        policy = topic.arn.apply(
            lambda arn: policies.topic(
                arn, account_id=self._args.account_id, region=self._args.region, alarms_publish=alarms_publish
            )
        )
        aws.sns.TopicPolicy(name, arn=topic.arn, policy=pulumi.Output.json_dumps(policy), opts=self._options)
        for number, address in enumerate(emails, start=1):
            # Each address has to confirm the subscription by mail; until then it is pending.
            aws.sns.TopicSubscription(
                self._names.of(f"{what}-email-{number}", Site.RECOVERY),
                topic=topic.arn,
                protocol="email",
                endpoint=address,
                opts=self._options,
            )
        return topic
