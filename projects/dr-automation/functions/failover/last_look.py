"""A last look at a writer that is about to be replaced: what was decided rests on readings a minute old.

The probe of each site is asked for one probe now. Only a commit in the writer proves that clients can write, and it
takes the failover back. A handshake proves less, for a writer whose commits hang answers too. No answer proves nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from failover.decision import Action, Decision
from failover.policy import Policy
from failover.sessions import worked_since
from failover.settings import Settings
from failover.signals import Signals
from function_runtime import metrics
from function_runtime.asking import asked
from function_runtime.clients import Clients
from function_runtime.control import Order, OrderKind
from function_runtime.incident import Incident, Kind
from function_runtime.metric_names import SESSION
from function_runtime.probe_answer import ProbeAnswer, question
from function_runtime.readings import Unanswered
from function_runtime.sites import Site
from function_runtime.trouble import Kind as TroubleKind

COMMITS_AFTER_ALL = "commits_after_all"
ANSWERS_AFTER_ALL = "answers_after_all"
NO_DIRECT_WORD = "no_direct_word"
# A run that has just looked acts on it.
FRESH = timedelta(seconds=10)


class Life(StrEnum):
    """What a last look has found. Axis of what it proves."""

    COMMITS = "commits"
    """A probe has committed in the writer."""
    ANSWERS = "answers"
    """It takes connections, and no probe has committed in it."""
    UNPROVEN = "unproven"
    """Nothing answered a probe, or no probe answered."""


@dataclass(frozen=True)
class LastLook:
    """What was found.

    Attributes:
        at: when it was over.
        life: what it proves.
        found: the same for people, one sentence for each probe.
        is_answered: whether any probe has answered, whatever it found.
    """

    at: datetime
    life: Life
    found: tuple[str, ...]
    is_answered: bool = True

    @property
    def in_words(self) -> str:
        """For people."""
        return f"a last look at the writer: {'; '.join(self.found)}"

    def as_item(self) -> dict[str, str]:
        """For the state table."""
        return {"at": self.at.isoformat(), "life": self.life.value, "found": "; ".join(self.found)}


def last_look(
    clients: Clients, settings: Settings, writer: Site, now: Callable[[], datetime], since: datetime | None = None
) -> LastLook:
    """Ask the probes of both sites for one probe of the writer, at the same time: it takes as long as the slower one.

    Args:
        clients: AWS.
        settings: where things are.
        writer: the site of the writer.
        now: the time.
        since: where it was decided a while ago, what the probes have published since then counts too.
    """
    with ThreadPoolExecutor(max_workers=2 * len(Site), thread_name_prefix="look") as pool:
        probed = {site: pool.submit(_probe, clients, settings, site, writer) for site in Site}
        published = {
            site: pool.submit(_has_committed, clients, settings, site, writer, since, now())
            for site in Site
            if since is not None
        }
        answers = {site: each.result() for site, each in probed.items()}
        commits = [site for site, each in published.items() if each.result()]
    found = tuple(_in_words(site, answer) for site, answer in answers.items())
    given = [answer for answer in answers.values() if isinstance(answer, ProbeAnswer)]
    if since is not None:
        found += tuple(f"the {site} site's probes have committed in it since {since:%H:%M:%S} UTC" for site in commits)
    if commits or any(answer.has_committed for answer in given):
        return LastLook(now(), Life.COMMITS, found)
    life = Life.ANSWERS if any(answer.answers for answer in given) else Life.UNPROVEN
    return LastLook(now(), life, found, is_answered=bool(given))


def before_opening(looked: LastLook, signals: Signals, order: Order | None, policy: Policy) -> Decision | None:
    """What is decided in the place of a failover; None where the failover stands. Pure.

    Args:
        looked: what was found.
        signals: what the failover was decided on.
        order: the order that it was decided with.
        policy: for how long it may last before people are told.
    """
    if looked.life is Life.COMMITS:
        # What contradicts itself for long is for people to see: every other sign says that the writer is lost.
        trouble = signals.trouble
        lasts = trouble is not None and looked.at - trouble.since > policy.maintenance_patience
        return Decision(Action.ALERT if lasts else Action.HOLD, COMMITS_AFTER_ALL, looked.in_words)
    is_hung = signals.trouble is not None and signals.trouble.is_hung
    if looked.life is Life.ANSWERS and not is_hung and not _approves(order):
        return Decision(Action.ASK, ANSWERS_AFTER_ALL, looked.in_words)
    if not looked.is_answered and not _approves(order) and _may_have_ended(looked.at, signals, policy):
        reason = f"the newest readings may be on their way, and nobody looks in their place; {looked.in_words}"
        return Decision(Action.HOLD, NO_DIRECT_WORD, reason)
    return None


def _may_have_ended(at: datetime, signals: Signals, policy: Policy) -> bool:
    """Whether the outage is as long as it must be only if it goes on after the newest reading (`Policy.lateness`)."""
    trouble = signals.trouble
    if trouble is None or trouble.kind is not TroubleKind.FAILING:
        return False
    since = trouble.since if trouble.maintenance_at is None else max(trouble.since, trouble.maintenance_at)
    return at - since < timedelta(seconds=policy.outage_seconds) + policy.lateness


def needs_approval(incident: Incident, order: Order | None, at: datetime) -> bool:
    """Whether only a person may let an incident go on whose writer answers, or did when people were asked. Pure.

    Args:
        incident: the incident; that its writer answers was known where it hangs.
        order: the order on record.
        at: now.
    """
    if incident.kind is not Kind.AUTOMATIC or incident.must_be_fenced:
        return False
    return not (_approves(order) and order is not None and order.is_for(incident.incident_id, incident.epoch, at))


def _approves(order: Order | None) -> bool:
    return order is not None and order.kind is OrderKind.APPROVE


def _probe(clients: Clients, settings: Settings, site: Site, writer: Site) -> ProbeAnswer | Unanswered:
    client = clients.of("lambda", settings.regions[site])

    def invoke() -> tuple[Any, bytes]:
        answer = client.invoke(
            FunctionName=settings.probe_functions[site], Payload=json.dumps(question(writer)).encode()
        )
        return answer.get("FunctionError"), answer["Payload"].read()

    invoked = asked(invoke)
    if isinstance(invoked, Unanswered):
        return invoked
    error, payload = invoked
    if error is not None:
        return Unanswered(f"it failed: {payload.decode(errors='replace')}", service_answered=True)
    try:
        answer = ProbeAnswer.from_item(json.loads(payload))
    except ValueError as problem:
        return Unanswered(str(problem), service_answered=True)
    if (answer.observer, answer.database) != (site, writer):
        return Unanswered(f"it speaks of another probe: {answer}", service_answered=True)
    return answer


def _has_committed(
    clients: Clients, settings: Settings, observer: Site, writer: Site, since: datetime, now: datetime
) -> bool:
    """Whether a site's probes have published a commit in the writer, in a period that began since then."""
    period_seconds = settings.policy.fine_period_seconds
    metric = metrics.probed(settings.metric_namespace, SESSION, writer, observer, period_seconds)
    cloudwatch = clients.of("cloudwatch", settings.regions[observer])
    read = asked(lambda: metrics.read(cloudwatch, {"sessions": metric}, since, now)["sessions"])
    return not isinstance(read, Unanswered) and worked_since(read, since)


def _in_words(site: Site, answer: ProbeAnswer | Unanswered) -> str:
    return f"no word of the {site} site's probe ({answer.why})" if isinstance(answer, Unanswered) else answer.in_words()
