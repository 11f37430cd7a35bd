"""The topics of a site: failures and recoveries for people (R5), trigger for its controller."""

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
    """What the topics of a site are made of.

    Attributes:
        site: where they are.
        account_id: the account.
        region: the site's region.
        key_arn: KMS key of the site for messages.
        failure_emails: who is told about failures.
        recovery_emails: who is told about recoveries.
    """

    site: Site
    account_id: str
    region: str
    key_arn: pulumi.Input[str]
    failure_emails: Sequence[str]
    recovery_emails: Sequence[str]


class Topics(pulumi.ComponentResource):
    """Three encrypted topics in each site, with the same people behind them: one region may be lost.

    An alarm can notify topics of its own region only.

    Attributes:
        failures: what goes wrong; alarms and functions of the site publish here, and the other site's functions where
            their own topic is silent.
        recoveries: what was done about it; only the site's controller publishes here.
        trigger: wakes the site's controller; only alarms publish here.
    """

    failures: aws.sns.Topic
    recoveries: aws.sns.Topic
    trigger: aws.sns.Topic

    def __init__(self, names: Names, args: TopicsArgs, provider: aws.Provider) -> None:
        super().__init__("postgres-dr:automation:Topics", names.of("topics", args.site))
        self._names = names
        self._args = args
        self._options = on(provider, parent=self)
        self.failures = self._topic("failures", alarms_publish=True, emails=args.failure_emails)
        self.recoveries = self._topic("recoveries", alarms_publish=False, emails=args.recovery_emails)
        self.trigger = self._topic("failover-trigger", alarms_publish=True, emails=())
        self.register_outputs({})

    def _topic(self, what: str, *, alarms_publish: bool, emails: Sequence[str]) -> aws.sns.Topic:
        args, options = self._args, self._options
        name = self._names.of(what, args.site)
        topic = aws.sns.Topic(name, name=name, kms_master_key_id=args.key_arn, opts=options)
        policy = topic.arn.apply(
            lambda arn: policies.topic(
                arn, account_id=args.account_id, region=args.region, alarms_publish=alarms_publish
            )
        )
        aws.sns.TopicPolicy(name, arn=topic.arn, policy=pulumi.Output.json_dumps(policy), opts=options)
        for number, address in enumerate(emails, start=1):
            # Each address has to confirm each subscription by mail; until then it is pending.
            aws.sns.TopicSubscription(
                self._names.of(f"{what}-email-{number}", args.site),
                topic=topic.arn,
                protocol="email",
                endpoint=address,
                opts=options,
            )
        return topic
