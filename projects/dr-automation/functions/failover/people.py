"""Telling people, through SNS: what must be said, and what only should be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from aws_lambda_powertools import Logger
from botocore.exceptions import ClientError

from failover import handover_messages, messages
from failover.decision import Decision
from failover.settings import Settings
from failover.signals import Signals
from function_runtime.clients import AwsError, Clients
from function_runtime.control import Order
from function_runtime.fence_record import FenceRecord
from function_runtime.handover import Handover
from function_runtime.incident import Incident, Step
from function_runtime.items import AnotherRunIsAtWorkError
from function_runtime.message import Message
from function_runtime.state import Controller, Proposal, State
from function_runtime.trouble import Trouble, Unready

logger = Logger(child=True)

# Of more, the oldest are dropped: an item has an end, and so has people's patience.
MOST_UNHEARD = 20
MOST_SILENCES = 2
MOST_WRITES = 5


class People:
    """Those who are subscribed to the two topics. Telling them never stops what is being done.

    What should be said (a failover's beginning and its steps) is said once, or not at all. What must be said goes
    through the other topic where its own does not take it, then through the other site's, and otherwise into the state
    table, from where later runs repeat it; the run that could not say it counts as failed. Silence costs its time, so a
    topic that was silent once is given only what must be said in the same run, and nothing when it was silent twice.

    Args:
        clients: AWS.
        settings: topics, and what messages name.
        state: the state table.

    Attributes:
        unheard: why people could not be told what they must hear, None where they were.
    """

    def __init__(self, clients: Clients, settings: Settings, state: State) -> None:
        self._clients = clients
        self._settings = settings
        self._state = state
        self._failures, self._recoveries = settings.failures_topic_arn, settings.recoveries_topic_arn
        self._silences: Counter[str] = Counter()
        self.unheard: Exception | None = None

    def tell_alert(self, decision: Decision, signals: Signals, trouble: Trouble) -> None:
        """Must: the writer is in trouble and nothing is done about it."""
        self._must(self._failures, messages.alert(self._settings, decision, signals, trouble))

    def tell_asked(self, decision: Decision, signals: Signals, proposal: Proposal) -> None:
        """Must: a failover waits for a person's approval."""
        self._must(self._failures, messages.asked(self._settings, decision, signals, proposal))

    def tell_not_ready(self, decision: Decision, signals: Signals, unready: Unready) -> None:
        """Must: the writer is well, and a failover would not come by itself, or may soon be needed."""
        self._must(self._failures, messages.not_ready(self._settings, decision, signals, unready))

    def tell_ready_again(self, unready: Unready, decision: Decision) -> None:
        """Must: that is over."""
        self._must(self._recoveries, messages.ready_again(self._settings, unready, decision))

    def tell_answers_again(self, trouble: Trouble, decision: Decision) -> None:
        """Must: the trouble that people were told of is over."""
        self._must(self._recoveries, messages.answers_again(self._settings, trouble, decision))

    def tell_blocked(self, incident: Incident, step: Step, why: str) -> None:
        """Must: a step cannot succeed as things are."""
        self._must(self._failures, messages.blocked(self._settings, incident, step, why))

    def tell_dropped(self, incident: Incident, step: Step) -> None:
        """Must: RDS has dropped the promotion, and was asked again."""
        self._must(self._failures, messages.dropped(self._settings, incident, step))

    def tell_not_given_up(self, incident: Incident, step: Step, why: str) -> None:
        """Must: a failover is to be given up, and RDS may be at its promotion yet."""
        self._must(self._failures, messages.not_given_up(self._settings, incident, step, why))

    def tell_held(self, incident: Incident, why: str) -> None:
        """Must: a pause holds a failover that has begun."""
        self._must(self._failures, messages.held(self._settings, incident, why))

    def tell_waits(self, incident: Incident, step: Step, why: str) -> None:
        """Must: a failover whose old writer is fenced waits for a person's approval."""
        self._must(self._failures, messages.waits(self._settings, incident, step, why))

    def tell_overdue(self, incident: Incident, step: Step, taken: timedelta) -> None:
        """Must: a step takes longer than anybody expects."""
        self._must(self._failures, messages.overdue(self._settings, incident, step, taken))

    def tell_closed(self, incident: Incident, guarded: FenceRecord | None) -> None:
        """Must: a failover is over, and what it cost."""
        self._must(self._recoveries, messages.closed(self._settings, incident, guarded))

    def tell_opened_again(self, incident_id: str) -> None:
        """Must: a writer that could not be opened when its failover was taken back has its clients again."""
        self._must(self._recoveries, messages.opened_again(self._settings, incident_id))

    def tell_state_lost(self, why: str) -> None:
        """Must: nobody can say who the writer is."""
        self._must(self._failures, messages.state_lost(self._settings, why))

    def tell_adopted(self, by: str, writer_site: str) -> None:
        """Must: a person has said who the writer is."""
        self._must(self._recoveries, messages.adopted(self._settings, by, writer_site))

    def tell_not_adopted(self, by: str, why: str) -> None:
        """Must: a person's word which database is the writer cannot be heeded."""
        self._must(self._failures, handover_messages.not_adopted(self._settings, by, why))

    def tell_order_dropped(self, order: Order) -> None:
        """Must: an order is not carried out, because this controller had no authority when it was given."""
        self._must(self._failures, handover_messages.order_dropped(self._settings, order))

    def tell_records_differ(self, controller: Controller, other: Controller) -> None:
        """Must: both sites' controllers may act."""
        self._must(self._failures, handover_messages.records_differ(self._settings, controller, other))

    def tell_handover_lasts(self, handover: Handover, at: datetime, why: str) -> None:
        """Must: a handover does not end."""
        self._must(self._failures, handover_messages.lasts(self._settings, handover, at, why))

    def tell_handover_taken_back(self, handover: Handover, by: str) -> None:
        """Must: it was taken back."""
        self._must(self._recoveries, handover_messages.taken_back(self._settings, handover, by))

    def tell_handed_over(self, handover: Handover) -> None:
        """Must: it is done."""
        self._must(self._recoveries, handover_messages.handed_over(self._settings, handover))

    def tell_opened(self, incident: Incident) -> None:
        """Should: a failover has begun."""
        if not self._silences[self._failures]:
            self._send(self._failures, messages.opened(self._settings, incident))

    def tell_step(self, incident: Incident, step: Step) -> None:
        """Should: a step of it is done."""
        if not self._silences[self._recoveries]:
            self._send(self._recoveries, messages.step_done(self._settings, incident, step))

    def repeat(self) -> None:
        """Say what earlier runs could not."""
        said: list[Message] = []
        for message in self._state.unheard().messages:
            if (error := self._send_anywhere(self._failures, message)) is None:
                said.append(message)
            else:
                self.unheard = error

        def keep() -> None:
            unheard = self._state.unheard()
            left = tuple(message for message in unheard.messages if message not in said)
            self._state.save_unheard(replace(unheard, messages=left))

        if said:
            self._keep(keep)

    def _must(self, topic_arn: str, message: Message) -> None:
        error = self._send_anywhere(topic_arn, message)
        if error is None:
            return
        self.unheard = error

        def keep() -> None:
            unheard = self._state.unheard()
            self._state.save_unheard(replace(unheard, messages=(*unheard.messages, message)[-MOST_UNHEARD:]))

        self._keep(keep)

    def _keep(self, write: Callable[[], object]) -> None:
        for _ in range(MOST_WRITES):
            try:
                write()
            except AnotherRunIsAtWorkError:
                continue  # What it wrote is read again.
            except AwsError as error:
                # Then they hear it twice, or read it in the log of a run that has failed.
                logger.warning("What people have not heard was not recorded", error=str(error))
            return

    def _send_anywhere(self, topic_arn: str, message: Message) -> Exception | None:
        also = self._recoveries if topic_arn == self._failures else self._failures
        error: Exception | None = None
        for topic in (topic_arn, also, self._settings.other_failures_topic_arn):
            if (error := self._send(topic, message)) is None:
                return None
        return error

    def _send(self, topic_arn: str, message: Message) -> Exception | None:
        """Say it; returns why it could not be said."""
        if self._silences[topic_arn] >= MOST_SILENCES:
            return SilentTopicError(f"{topic_arn} did not answer this run before")
        here = self._settings.here
        is_there = topic_arn == self._settings.other_failures_topic_arn
        sns: Any = self._clients.of("sns", self._settings.regions[here.other if is_there else here])
        try:
            sns.publish(TopicArn=topic_arn, Subject=message.subject, Message=message.text)
        except AwsError as error:
            if not isinstance(error, ClientError):
                self._silences[topic_arn] += 1
            logger.warning("People were not told", subject=message.subject, topic=topic_arn, error=str(error))
            return error
        return None


class SilentTopicError(Exception):
    """A topic that is not asked again in this run."""
