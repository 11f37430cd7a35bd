"""Telling people, through SNS: what must be said, and what only should be."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from aws_lambda_powertools import Logger

from failover import messages
from failover.decide import Decision
from failover.settings import Settings
from failover.signals import Signals
from function_runtime.clients import AwsError, Clients
from function_runtime.incident import Incident, Step
from function_runtime.message import Message
from function_runtime.state import Proposal
from function_runtime.trouble import Trouble

logger = Logger(child=True)


class People:
    """Those who are subscribed to the two topics.

    What only should be said (a failover's beginning and its steps) never holds the failover up: where SNS does not
    answer once, the rest of the run says nothing more. What must be said raises botocore's errors, and the next run
    says it again.

    Args:
        clients: AWS.
        settings: topics, and what messages name.
    """

    def __init__(self, clients: Clients, settings: Settings) -> None:
        self._clients = clients
        self._settings = settings
        self._heard = True

    def tell_alert(self, decision: Decision, signals: Signals, trouble: Trouble) -> None:
        """Must: the writer is in trouble and nothing is done about it."""
        self._send(self._settings.failures_topic_arn, messages.alert(self._settings, decision, signals, trouble))

    def tell_asked(self, decision: Decision, signals: Signals, proposal: Proposal) -> None:
        """Must: a failover waits for a person's approval."""
        self._send(self._settings.failures_topic_arn, messages.asked(self._settings, decision, signals, proposal))

    def tell_answers_again(self, trouble: Trouble, decision: Decision) -> None:
        """Must: the trouble that people were told of is over."""
        self._send(self._settings.recovery_topic_arn, messages.answers_again(self._settings, trouble, decision))

    def tell_blocked(self, incident: Incident, step: Step, why: str) -> None:
        """Must: a step cannot succeed as things are."""
        self._send(self._settings.failures_topic_arn, messages.blocked(self._settings, incident, step, why))

    def tell_held(self, incident: Incident, why: str) -> None:
        """Must: a pause holds a failover that has begun."""
        self._send(self._settings.failures_topic_arn, messages.held(self._settings, incident, why))

    def tell_overdue(self, incident: Incident, step: Step, taken: timedelta) -> None:
        """Must: a step takes longer than anybody expects."""
        self._send(self._settings.failures_topic_arn, messages.overdue(self._settings, incident, step, taken))

    def tell_closed(self, incident: Incident) -> None:
        """Must: a failover is over, and what it cost."""
        self._send(self._settings.recovery_topic_arn, messages.closed(self._settings, incident))

    def tell_opened(self, incident: Incident) -> None:
        """Should: a failover has begun."""
        self._try_to(lambda: self._send(self._settings.failures_topic_arn, messages.opened(self._settings, incident)))

    def tell_step(self, incident: Incident, step: Step) -> None:
        """Should: a step of it is done."""
        self._try_to(
            lambda: self._send(self._settings.recovery_topic_arn, messages.step_done(self._settings, incident, step))
        )

    def _try_to(self, tell: Callable[[], None]) -> None:
        if not self._heard:
            return
        try:
            tell()
        except AwsError as error:
            self._heard = False
            logger.warning("People were not told", error=str(error))

    def _send(self, topic_arn: str, message: Message) -> None:
        sns: Any = self._clients.of("sns", self._settings.regions[self._settings.here])
        sns.publish(TopicArn=topic_arn, Subject=message.subject, Message=message.text)
