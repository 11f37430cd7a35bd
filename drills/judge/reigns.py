"""Which database was the writer when, by the incidents, and what does not fit that. Pure.

From the promotion until the name has settled it may point to either, and moves once: from the old writer to the new
one. At any other time it points to the recorded writer, and to nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from drills.clients.dns import Answer
from drills.evidence import Evidence
from function_runtime.incident import Incident, Phase
from shared.sites import Site

# The word moves with the promotion. The name follows when the alarm on it has been evaluated (alarmPeriodSeconds in
# projects/dr-automation/Pulumi.lab.yaml, 10), and the health check has copied that.
SETTLES_SECONDS = 15.0


@dataclass(frozen=True)
class Period:
    """A time in which the same answers are right.

    Attributes:
        begins_at: seconds since 1970.
        ends_at: the same.
        old: the address that is right at first.
        new: the address that is right at last; the same where no failover is under way.
    """

    begins_at: float
    ends_at: float
    old: str
    new: str


def name_faults(evidence: Evidence) -> list[str]:
    """What was wrong with the answers for the writer's name; nothing where all were right."""
    answers = evidence.name_changes
    if not answers:
        return ["the name was never answered"]
    faults = []
    for period in _periods(evidence):
        shown = _within(answers, period)
        right = [[period.old], [period.new], [period.old, period.new]]
        if [answer.address for answer in shown] not in right:
            seen = ", ".join(f"{each.address} since {evidence.at(each.at):.1f} s" for each in shown) or "nothing"
            faults.append(
                f"from {evidence.at(period.begins_at):.1f} s to {evidence.at(period.ends_at):.1f} s {period.old}"
                + (f", then {period.new}," if period.new != period.old else "")
                + f" was right, and the answers were {seen}"
            )
    return faults


def second_writers(evidence: Evidence) -> tuple[int, ...]:
    """The rows that a database acknowledged while another one was the writer.

    A new writer's time begins with the first row that it acknowledges in its failover.
    """
    acknowledged = sorted(
        (attempt for client in evidence.clients for attempt in client.acknowledged),
        key=lambda attempt: attempt.finished_at.monotonic,
    )
    writer, pending = evidence.writer, list(_failovers(evidence))
    wrong = []
    for attempt in acknowledged:
        if (
            pending
            and attempt.server_address == evidence.addresses[writer.other]
            and attempt.finished_at.wall >= pending[0].opened_at.timestamp()
        ):
            pending.pop(0)
            writer = writer.other
        if attempt.server_address != evidence.addresses[writer]:
            wrong.append(attempt.n)
    return tuple(wrong)


def _periods(evidence: Evidence) -> list[Period]:
    periods = []
    writer = evidence.writer
    begins_at = evidence.name_changes[0].at.wall
    for incident in _failovers(evidence):
        promoting = [step.started_at for step in incident.steps if step.phase is Phase.PROMOTING]
        moves_at = (promoting or [incident.opened_at])[0].timestamp()
        closed_at = evidence.finished_at.wall if incident.closed_at is None else incident.closed_at.timestamp()
        settled_at = min(closed_at + SETTLES_SECONDS, evidence.finished_at.wall)
        old, new = _addresses(evidence, writer)
        periods += [Period(begins_at, moves_at, old, old), Period(moves_at, settled_at, old, new)]
        writer, begins_at = writer.other, settled_at
    old, _ = _addresses(evidence, writer)
    return [*periods, Period(begins_at, evidence.finished_at.wall, old, old)]


def _failovers(evidence: Evidence) -> Sequence[Incident]:
    """Those that were carried through; one that was taken back has no new writer."""
    return [incident for incident in evidence.incidents if not incident.is_taken_back]


def _addresses(evidence: Evidence, writer: Site) -> tuple[str, str]:
    return evidence.addresses[writer], evidence.addresses[writer.other]


def _within(answers: Sequence[Answer], period: Period) -> list[Answer]:
    """The answers that were valid in a period: the last one from before it, and those that came in it."""
    before = [answer for answer in answers if answer.at.wall <= period.begins_at]
    return [*before[-1:], *(answer for answer in answers if period.begins_at < answer.at.wall < period.ends_at)]
