"""What a decision depends on, each with the few answers that ``decide`` tells apart."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import product
from types import MappingProxyType
from typing import Any, cast

from failover.answer import Answer
from failover.decide import decide
from failover.decision import Decision, Situation
from failover.policy import Mode, Policy, WhenUnsure
from failover.readiness import CODES, Concern
from failover.signals import Signals
from function_runtime.control import Order, OrderKind
from function_runtime.session_outcome import SessionOutcome
from function_runtime.sites import Site
from function_runtime.trouble import Kind, Unready

ANSWERS = tuple(answer.value for answer in Answer)
WHEN_UNSURE = tuple(when.value for when in WhenUnsure)
CONFIRMING = ("answers_there", "rds_healthy", "witness_sees", "host_reports", "region_answers")
EVIDENCE = "evidence"
LIFE_THERE, LIFE_WITNESSED = "its own site sees it", "the witness sees it"
NONE, DARK_ALONE, WEAK_ALONE, CONFIRMED = "none", "the dark region alone", "weak alone", "strong"
EVIDENCES = (LIFE_THERE, LIFE_WITNESSED, NONE, DARK_ALONE, WEAK_ALONE, CONFIRMED)


@dataclass(frozen=True)
class Input:
    """One thing that ``decide`` may ask for.

    Attributes:
        name: its key.
        heading: for people.
        values: every answer it can have.
    """

    name: str
    heading: str
    values: tuple[str, ...]


def evidence(combination: str) -> str:
    """What five signals together say beyond this site's own probes, by the value of the input ``evidence``."""
    there, rds, witness, host, region = combination.split()
    if there == "yes":
        return LIFE_THERE
    if witness == "yes":
        return LIFE_WITNESSED
    if rds == "no":
        return CONFIRMED
    if "no" in (there, witness, host):
        return CONFIRMED if region == "no" else WEAK_ALONE
    return DARK_ALONE if region == "no" else NONE


COMMON = (
    Input("writer", "Recorded writer", ("the other site", "this site")),
    Input("trouble", "Trouble", ("none", "some", "hung")),
    Input("kind", "Kind of trouble", tuple(kind.value for kind in Kind if kind is not Kind.HUNG)),
    Input("wrong", "What else has been wrong for long", ("nothing", *CODES)),
    Input("commits", "Writer commits for a probe", ANSWERS),
    Input("session", "Probes' sessions", ("hung", "full", "read_only", "another end")),
    Input("age", "Its age against the patience", ("within", "beyond")),
    Input("answers_here", "Writer answers this site's probes", ANSWERS),
    Input("probe_works", "This site's probe reaches its own database", ANSWERS),
)
TOGETHER = Input(EVIDENCE, "Second signal", tuple(" ".join(each) for each in product(ANSWERS, repeat=len(CONFIRMING))))
APART = (
    Input("answers_there", "Writer answers its own site's probes", ANSWERS),
    Input("rds_healthy", "RDS calls the writer operational", ANSWERS),
    Input("witness_sees", "Witness sees the writer", ANSWERS),
    Input("host_reports", "RDS measures the writer's host", ANSWERS),
    Input("region_answers", "Writer's region answers", ANSWERS),
)
REST = (
    Input("committed", "Replica shows commits since", ANSWERS),
    Input("process_lives", "Stream shows a living process", ANSWERS),
    Input("has_shown_life", "Writer has shown life since", ("no", "yes")),
    Input("stream_ended", "Stream has ended since", ANSWERS),
    Input("lets_clients_in", "Writer's security groups let clients in", ANSWERS),
    Input("in_maintenance", "RDS reports work on the writer", ANSWERS),
    Input("witness_awaited", "Witness has yet to speak of it", ("no", "yes")),
    Input("dark_without_witness", "Policy for a dark region alone", WHEN_UNSURE),
    Input("writer_hung", "Policy for a hung writer", WHEN_UNSURE),
    Input("maintenance_overdue", "Policy for overdue work", WHEN_UNSURE),
    Input("mode", "Mode in force", tuple(mode.value for mode in Mode)),
    Input("standby_ready", "Standby is an available replica", ANSWERS),
    Input("catches_up", "Replica catches up for a planned failover", ANSWERS),
    Input("cool_down", "Cool-down", ("never began", "over", "running")),
    Input("loss", "Greatest loss", ("within the limit", "above the limit", "unknown")),
    Input("lag", "Replica's lag", ("known", "unknown")),
)
OF_AN_ORDER = (
    Input("accepted", "Accepted loss", ("none", "too little", "enough")),
    Input("accepts_unknown", "Accepts an unknown loss", ("no", "yes")),
)

NOW = datetime(2026, 1, 1, 12, 34, 56, tzinfo=UTC)
POLICY = Policy(
    mode=Mode.AUTOMATIC,
    outage_seconds=180,
    metric_period_seconds=60,
    lag_period_seconds=60,
    max_data_loss_seconds=61,
    cool_down_seconds=3600,
    replication_timeout_seconds=30,
)
LAG_SECONDS = MappingProxyType({"known": 17.3, "unknown": None})
LOSS_SECONDS = MappingProxyType({"within the limit": 17.9, "above the limit": 91.7, "unknown": None})
SESSIONS = MappingProxyType(
    {
        "hung": SessionOutcome.HUNG,
        "full": SessionOutcome.FULL,
        "read_only": SessionOutcome.READ_ONLY,
        "another end": SessionOutcome.NO_ROOM,
    }
)
WRONG = "WHAT IS WRONG"
ACCEPTED_SECONDS = MappingProxyType({"none": None, "too little": 5.57, "enough": 777.0})
AGE_SECONDS = MappingProxyType({"within": 271, "beyond": 1811})
LAST_CLOSED_AT = MappingProxyType(
    {"never began": None, "over": NOW - timedelta(days=1), "running": NOW - timedelta(seconds=1)}
)
# The figures above, as a reason has them, and what they are.
WORDS = MappingProxyType(
    {
        "271 s": "*age*",
        "1811 s": "*age*",
        "17.3 s": "*lag*",
        "17.9 s": "*greatest loss*",
        "91.7 s": "*greatest loss*",
        "5.57 s": "*accepted loss*",
        WRONG: "*what is wrong*",
        f"{NOW - timedelta(days=1):%H:%M:%S} UTC": "*its beginning*",
        "61 s": "*limit*",
        "180 s": "*outage*",
        "360 s": "*drain*",
        f"{NOW - timedelta(seconds=271):%H:%M:%S} UTC": "*its beginning*",
        f"{NOW - timedelta(seconds=1811):%H:%M:%S} UTC": "*its beginning*",
        (NOW + timedelta(seconds=3599)).isoformat(): "*its end*",
        "PERSON": "*a person*",
    }
)
Ask = Callable[[str], str]


class _Asking:
    """Stands for one of ``decide``'s arguments; each attribute is asked for only when ``decide`` reads it."""

    def __init__(self, answers: dict[str, Callable[[], Any]], known: object = None) -> None:
        self._answers, self._known = answers, known

    def __getattr__(self, name: str) -> Any:
        return self._answers[name]() if name in self._answers else getattr(self._known, name)


def decision(order: OrderKind | None, ask: Ask) -> Decision:
    """The decision, where ``ask`` answers for each input that ``decide`` reads, by the input's name.

    Args:
        order: the order there is.
        ask: answers with one of the input's values; may raise.
    """
    trouble = _Asking(
        {
            "has_shown_life": lambda: ask("has_shown_life") == "yes",
            "is_hung": lambda: ask("trouble") == "hung",
            "kind": lambda: Kind.HUNG if ask("trouble") == "hung" else Kind(ask("kind")),
            "since": lambda: NOW - timedelta(seconds=AGE_SECONDS[ask("age")]),
        }
    )
    signals = _Asking(
        {
            **{name: _answering(name, ask) for name in SIGNALS},
            "trouble": lambda: None if ask("trouble") == "none" else trouble,
            "session": lambda: SESSIONS[ask("session")],
            "unready": lambda: (
                None if ask("wrong") == "nothing" else Unready({ask("wrong"): NOW - timedelta(days=1)}, {})
            ),
            "concerns": lambda: (Concern(ask("wrong"), WRONG),),
            "witness_awaited": lambda: ask("witness_awaited") == "yes",
            "lag_before_seconds": lambda: LAG_SECONDS[ask("lag")],
            "loss_bound_seconds": lambda: LOSS_SECONDS[ask("loss")],
        }
    )
    given = _Asking(
        {
            "kind": lambda: order,
            "by": lambda: "PERSON",
            "accepted_loss_seconds": lambda: ACCEPTED_SECONDS[ask("accepted")],
            "accepts_unknown_loss": lambda: ask("accepts_unknown") == "yes",
        }
    )
    situation = _Asking(
        {
            "at": lambda: NOW,
            "here": lambda: Site.RECOVERY,
            "writer": lambda: Site.PRIMARY if ask("writer") == "the other site" else Site.RECOVERY,
            "last_closed_at": lambda: LAST_CLOSED_AT[ask("cool_down")],
            "order": lambda: None if order is None else cast(Order, given),
        }
    )
    policy = _Asking(
        {
            "mode": lambda: Mode(ask("mode")),
            **{name: _unsure(name, ask) for name in ("dark_without_witness", "writer_hung", "maintenance_overdue")},
        },
        POLICY,
    )
    return decide(cast(Signals, signals), cast(Situation, situation), cast(Policy, policy))


SIGNALS = tuple(each.name for each in (*COMMON, *APART, *REST) if each.values == ANSWERS)


def _unsure(name: str, ask: Ask) -> Callable[[], WhenUnsure]:
    return lambda: WhenUnsure(ask(name))


def _answering(name: str, ask: Ask) -> Callable[[], Answer]:
    return lambda: Answer(ask(name))
