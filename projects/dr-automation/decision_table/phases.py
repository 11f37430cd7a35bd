"""The page docs/phases.md: of each phase of a failover, what may come out of it, and what follows.

What follows is asked of the incident itself (`function_runtime.incident`), the times of the settings. Which outcomes a
phase has stands here, and a test holds it against what the steps return.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from failover.messages import MOST_TOLD_OF_DROPS
from failover.policy import SHORTEST_DRAIN_SECONDS
from failover.settings import (
    LET_IN_TIMEOUT_SECONDS,
    LONGEST_FENCE_SECONDS,
    PLANNED_PROMOTION_TIMEOUT_SECONDS,
    STEP_PATIENCE_SECONDS,
)
from failover.shown import SHOWN_WITHIN_SECONDS
from function_runtime.fence import Outcome
from function_runtime.incident import (
    ABANDONED,
    IN_AN_EMERGENCY,
    NOT_AWAITED,
    NOT_OPENED,
    WHEN_PLANNED,
    WITHDRAWN,
    Incident,
    Kind,
    Phase,
    Promotion,
    Step,
)
from function_runtime.sites import Site

AT = datetime(2026, 1, 1, tzinfo=UTC)
PAUSED_OR_CANCELLED = "people paused or cancelled it"
ENDED = "a person ended it (`--abandon`)"


@dataclass(frozen=True)
class Ending:
    """One way in which a phase ends.

    Attributes:
        outcome: the word on record.
        when: what has happened.
        planned: whether only a planned failover knows it; None: every kind.
    """

    outcome: str
    when: str
    planned: bool | None = None


@dataclass(frozen=True)
class Told:
    """What a phase does while it does not end.

    Attributes:
        bound: when it ends at the latest, by itself or by a person.
        endings: how it may end.
    """

    bound: str
    endings: tuple[Ending, ...]


BEFORE_THE_CALL = (Ending(WITHDRAWN, PAUSED_OR_CANCELLED, planned=True), Ending(ABANDONED, ENDED))
PHASES: dict[Phase, Told] = {
    Phase.FENCED: Told(
        f"`fenceTimeoutSeconds`, {LONGEST_FENCE_SECONDS:g} s at most; planned, and where the writer hangs, "
        "`plannedFenceTimeoutSeconds`, for a reboot that is seen",
        (
            Ending(Outcome.FENCED, "shut, and its reboot is over; or it answered nobody before"),
            Ending(Outcome.REBOOTING, "shut, and the reboot that RDS shows is not over in time"),
            Ending(Outcome.GROUPS_REPLACED, "shut, and no reboot is seen in time"),
            Ending(Outcome.REFUSED, "RDS changes nothing (failed, gone, access denied)"),
            Ending(Outcome.UNREACHABLE, "RDS does not answer"),
            Ending(
                WITHDRAWN,
                "when the incident is carried on later, a probe commits in the writer, or it answers and people would "
                "have to be asked (not in a forced one); planned: "
                "people paused or cancelled it",
            ),
            Ending(ABANDONED, ENDED),
        ),
    ),
    Phase.DRAINED: Told(
        f"{SHORTEST_DRAIN_SECONDS:g} s, or 6 periods of the lag's metric",
        (
            Ending("drained", "the replica has everything the writer took", planned=True),
            Ending("not_drained", "that cannot be shown in time", planned=True),
            *(replace(each, planned=True) for each in BEFORE_THE_CALL),
        ),
    ),
    Phase.PROMOTING: Told(
        f"planned {PLANNED_PROMOTION_TIMEOUT_SECONDS:g} s; otherwise none: RDS is asked until it accepts, a refusal "
        f"for good is told as STUCK, a wait of {STEP_PATIENCE_SECONDS:g} s as slow; what was asked without an answer "
        f"is settled by what RDS shows within {SHOWN_WITHIN_SECONDS:g} s; `--abandon` ends it",
        (
            Ending(Promotion.ASKED, "RDS has accepted it"),
            Ending(Promotion.ALREADY_PROMOTED, "RDS shows that it has happened"),
            Ending(
                Promotion.NOT_ACCEPTED,
                "RDS refuses for good and the old writer may be used again: it answers, or it is shut, RDS calls it "
                f"operational and {STEP_PATIENCE_SECONDS:g} s are over; planned: refused for good, or the time is over",
            ),
            Ending(
                WITHDRAWN,
                "a last look before RDS is asked: a probe commits in the old writer, or its own site's probes see it, "
                "where the fence is some time ago (not in a forced one); planned: not shut any more, or people paused "
                "or cancelled it",
            ),
            Ending(ABANDONED, ENDED),
        ),
    ),
    Phase.SHOWN: Told(
        f"none: RDS has accepted; it is asked again where it shows a replica for {SHOWN_WITHIN_SECONDS:g} s, "
        f"a planned one only in its {PLANNED_PROMOTION_TIMEOUT_SECONDS:g} s, which people are told "
        f"{MOST_TOLD_OF_DROPS} times at most; after {STEP_PATIENCE_SECONDS:g} s told as slow, an "
        "instance that RDS calls failed, or a metric that CloudWatch does not take, as STUCK; `--abandon` ends it",
        (
            Ending("shown", "it is modifying or rebooting, or has no source; planned: it has none and works"),
            Ending(NOT_AWAITED, f"{ENDED}, and RDS shows the new writer"),
            Ending(
                ABANDONED,
                f"RDS makes no new writer: it shows a replica that is available, or failed; and {ENDED}, a last look "
                "before it is asked again finds that the old writer may be used, or a planned failover's time is over",
            ),
        ),
    ),
    Phase.WRITES: Told(
        "as `shown`; once RDS shows the new writer, `verifyTimeoutSeconds`",
        (
            Ending("commits", "this site's probe has committed a heartbeat in the new writer"),
            Ending(
                "reachable", "RDS shows it and it answers, and lets the probe do no more: it is not prepared for it"
            ),
            Ending("not_confirmed", "RDS shows it, and neither came in time"),
            Ending(NOT_AWAITED, f"{ENDED}, and RDS shows the new writer"),
            Ending(
                ABANDONED,
                f"RDS makes no new writer: it shows a replica that is available, or failed; and {ENDED}, or a last "
                "look before it is asked again finds that the old writer may be used",
            ),
        ),
    ),
    Phase.PROMOTED: Told(
        f"{STEP_PATIENCE_SECONDS:g} s from the first write; `--abandon` ends it",
        (
            Ending("promoted", "RDS shows no source any more"),
            Ending("not_shown", "not in time"),
            Ending(NOT_AWAITED, ENDED),
        ),
    ),
    Phase.OPENED_AGAIN: Told(
        f"{LET_IN_TIMEOUT_SECONDS:g} s; where RDS shows that the new writer was made after all, `shown` follows",
        (
            Ending("opened_again", "the old writer has its own security group"),
            Ending(NOT_OPENED, "not in time: every later run opens it, and the normal decision applies"),
        ),
    ),
    Phase.CLOSED: Told(
        "at once: what no topic takes is kept and said again by later runs",
        (Ending("told", "people are told"),),
    ),
}
OPENING = """# Phases of a failover

What may come out of each phase, and which one follows; read out of the code by `nox -s decisions`, do not edit it by
hand. A failover that is *taken back* goes to `opened_again`: the old writer stays the writer, gets its clients back,
and the incident is closed.

A run that ends in between changes nothing: the next one goes on with the same phase. A pause holds every failover but a
planned one before its promotion is asked for, until it is resumed or ended with `nox -s failover -- --abandon`.
"""


def next_after(kind: Kind, phase: Phase, outcome: str) -> Phase | None:
    """The phase that follows when a phase of a failover of this kind comes out so."""
    order = WHEN_PLANNED if kind is Kind.PLANNED else IN_AN_EMERGENCY
    good = {
        Phase.OPENED: "opened",
        Phase.FENCED: Outcome.FENCED.value,
        Phase.DRAINED: "drained",
        Phase.PROMOTING: Promotion.ASKED.value,
        Phase.SHOWN: "shown",
        Phase.WRITES: "commits",
        Phase.PROMOTED: "promoted",
    }
    before = order[: order.index(phase)] if phase in order and phase is not Phase.CLOSED else (Phase.OPENED,)
    steps = [Step(each, AT, AT, good[each], "") for each in before]
    if phase is Phase.OPENED_AGAIN:
        steps.append(Step(Phase.FENCED, AT, AT, WITHDRAWN, ""))
    incident = Incident(
        incident_id="000001-x",
        kind=kind,
        new_writer=Site.RECOVERY,
        epoch=1,
        phase=phase,
        opened_at=AT,
        trouble_since=AT,
        decision={},
        signals={},
        lag_before_seconds=None,
        data_loss_seconds=None,
        owner="-",
        lease_until=AT,
        steps=(*steps, Step(phase, AT, AT, outcome, "")),
    )
    return incident.next_phase


def page() -> str:
    """The page."""
    return "\n".join([OPENING, *_sections()])


def _sections() -> Iterator[str]:
    for phase, told in PHASES.items():
        yield f"## {phase}\n"
        yield f"Bound: {told.bound}.\n"
        yield "| outcome | when | next, in an emergency | next, planned |"
        yield "|---|---|---|---|"
        for ending in told.endings:
            emergency = "-" if ending.planned else _name(next_after(Kind.AUTOMATIC, phase, ending.outcome))
            planned = _name(next_after(Kind.PLANNED, phase, ending.outcome))
            yield f"| `{ending.outcome}` | {ending.when} | {emergency} | {planned} |"
        yield ""


def _name(phase: Phase | None) -> str:
    if phase is Phase.OPENED_AGAIN:
        return "taken back: `opened_again`"
    return "the end" if phase is None else f"`{phase}`"
