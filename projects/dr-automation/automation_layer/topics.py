"""The topics: failures and recovery for people (R5), trigger for the failover function."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
        regions: the region of each site.
        key_arns: KMS key of each site for messages.
        failure_emails: who is told about failures.
        recovery_emails: who is told about recovery.
    """

    account_id: str
    regions: Mapping[Site, str]
    key_arns: Mapping[Site, pulumi.Input[str]]
    failure_emails: Sequence[str]
    recovery_emails: Sequence[str]


class Topics(pulumi.ComponentResource):
    """Three encrypted topics in the recovery site, which outlives the loss of the primary site, and one in the primary.

    An alarm can notify topics of its own region only, so failures have a topic in each site.

    Attributes:
        failures: what goes wrong; alarms of the recovery site, the failover function and the fence-guards publish here.
        primary_failures: the one in the primary site, for its alarms, and for its fence-guard where the other topic is
            silent; the same people are subscribed.
        recovery: what the failover did about it; only the function publishes here.
        trigger: wakes the failover function; only alarms publish here.
    """

    failures: aws.sns.Topic
    primary_failures: aws.sns.Topic
    recovery: aws.sns.Topic
    trigger: aws.sns.Topic

    def __init__(self, names: Names, args: TopicsArgs, providers: Mapping[Site, aws.Provider]) -> None:
        super().__init__("postgres-dr:automation:Topics", names.of("topics", Site.RECOVERY))
        self._names = names
        self._args = args
        self._options = {site: on(provider, parent=self) for site, provider in providers.items()}
        self.failures = self._topic("failures", Site.RECOVERY, alarms_publish=True, emails=args.failure_emails)
        self.primary_failures = self._topic("failures", Site.PRIMARY, alarms_publish=True, emails=args.failure_emails)
        self.recovery = self._topic("recoveries", Site.RECOVERY, alarms_publish=False, emails=args.recovery_emails)
        self.trigger = self._topic("failover-trigger", Site.RECOVERY, alarms_publish=True, emails=())
        self.register_outputs({})

    def failures_at(self, site: Site) -> aws.sns.Topic:
        """The topic of failures in a site."""
        return self.primary_failures if site is Site.PRIMARY else self.failures

    def _topic(self, what: str, site: Site, *, alarms_publish: bool, emails: Sequence[str]) -> aws.sns.Topic:
        name, options = self._names.of(what, site), self._options[site]
        topic = aws.sns.Topic(name, name=name, kms_master_key_id=self._args.key_arns[site], opts=options)
        policy = topic.arn.apply(
            lambda arn: policies.topic(
                arn, account_id=self._args.account_id, region=self._args.regions[site], alarms_publish=alarms_publish
            )
        )
        aws.sns.TopicPolicy(name, arn=topic.arn, policy=pulumi.Output.json_dumps(policy), opts=options)
        for number, address in enumerate(emails, start=1):
            # Each address has to confirm each subscription by mail; until then it is pending.
            aws.sns.TopicSubscription(
                self._names.of(f"{what}-email-{number}", site),
                topic=topic.arn,
                protocol="email",
                endpoint=address,
                opts=options,
            )
        return topic
