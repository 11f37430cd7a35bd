"""The table of decisions in the documents says what the controller does (C2, D4)."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings

from aws_in_memory.drawn import POLICIES, SIGNALS, SITUATIONS
from decision_table.page import page
from failover.answer import Answer
from failover.decide import decide
from failover.decision import Situation
from failover.policy import Policy
from failover.signals import Signals
from function_runtime.control import Order, OrderKind
from function_runtime.trouble import Kind

pytestmark = pytest.mark.exhaustive

PAGE = Path(__file__).resolve().parents[4] / "docs" / "decision-table.md"
HEADINGS = {
    "Without an order": None,
    "With an approval": OrderKind.APPROVE,
    "With an order for a planned failover": OrderKind.PLANNED,
    "With an order for a forced failover": OrderKind.FORCED,
}
ABOUT_THE_DECISION = ("Action", "Code", "Reason", "Combinations")


def test_the_page_is_what_the_code_says() -> None:
    assert PAGE.read_text() == page(), "run `nox -s decisions` and look at what changed"


def tables() -> dict[OrderKind | None, list[dict[str, str]]]:
    """The page as a person reads it: of each table its rows, by column heads."""
    read: dict[OrderKind | None, list[dict[str, str]]] = {}
    for section in PAGE.read_text().split("\n## ")[1:]:
        lines = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("|")]
        head, _, *rows = lines
        read[HEADINGS[section.splitlines()[0]]] = [dict(zip(head, row, strict=True)) for row in rows]
    return read


TABLES = tables()


def test_there_is_a_table_for_each_order_and_it_says_how_much_it_stands_for() -> None:
    assert set(TABLES) == {None, *OrderKind}
    for section in PAGE.read_text().split("\n## ")[1:]:
        rows = TABLES[HEADINGS[section.splitlines()[0]]]
        combinations = sum(int(row["Combinations"].replace(",", "")) for row in rows)
        assert f"{len(rows)} rows for {combinations:,} combinations." in section


def told(answer: Answer) -> str:
    return {Answer.YES: "yes", Answer.NO: "no", Answer.UNKNOWN: "unknown"}[answer]


def second_signal(signals: Signals) -> str:
    """As the page explains it, not as the generator counts it."""
    if signals.answers_there is Answer.YES:
        return "its own site sees it"
    if signals.witness_sees is Answer.YES:
        return "the witness sees it"
    dark = signals.region_answers is Answer.NO
    if signals.rds_healthy is Answer.NO:
        return "strong"
    if Answer.NO in (signals.answers_there, signals.witness_sees, signals.host_reports):
        return "strong" if dark else "weak alone"
    return "the dark region alone" if dark else "none"


def cool_down(situation: Situation, policy: Policy) -> str:
    if situation.last_closed_at is None:
        return "never began"
    passed = (situation.at - situation.last_closed_at).total_seconds()
    return "running" if passed < policy.cool_down_seconds else "over"


def loss(signals: Signals, policy: Policy) -> str:
    if signals.loss_bound_seconds is None:
        return "unknown"
    return "within the limit" if signals.loss_bound_seconds <= policy.max_data_loss_seconds else "above the limit"


def wrong(signals: Signals, policy: Policy, at: datetime) -> str:
    """The first of those that last that people have not been told of, or the first."""
    unready = signals.unready
    if unready is None:
        return "nothing"
    lasting = [
        each.code
        for each in signals.concerns
        if (at - unready.since[each.code]).total_seconds() >= 1.75 * policy.outage_seconds
    ]
    return next((code for code in lasting if code not in unready.told), next(iter(lasting), "nothing"))


def session(signals: Signals) -> str:
    name = "" if signals.session is None else signals.session.name.lower()
    return name if name in ("hung", "full", "read_only") else "another end"


def accepted(signals: Signals, order: Order) -> str:
    if order.accepted_loss_seconds is None:
        return "none"
    at_stake = signals.lag_before_seconds if signals.loss_bound_seconds is None else signals.loss_bound_seconds
    return "too little" if at_stake is not None and order.accepted_loss_seconds < at_stake else "enough"


def answers(signals: Signals, situation: Situation, policy: Policy) -> dict[str, str]:
    """What a person with the page in hand would answer to each column head."""
    trouble, order = signals.trouble, situation.order
    is_silent = trouble is not None and trouble.kind is Kind.SILENT and signals.answers_here is Answer.UNKNOWN
    patience = (1.75 if is_silent else 5) * policy.outage_seconds
    found = {
        "Recorded writer": "this site" if situation.writer is situation.here else "the other site",
        "Trouble": "none" if trouble is None else trouble.kind.value,
        "Its age against the patience": "no trouble, no age",
        "Writer answers this site's probes": told(signals.answers_here),
        "This site's probe reaches its own database": told(signals.probe_works),
        "Second signal": second_signal(signals),
        "RDS calls the writer operational": told(signals.rds_healthy),
        "Replica shows commits since": told(signals.committed),
        "Stream shows a living process": told(signals.process_lives),
        "Writer has shown life since": "yes" if trouble is not None and trouble.lived_at is not None else "no",
        "Writer commits for a probe": told(signals.commits),
        "Stream has ended since": told(signals.stream_ended),
        "RDS measures the writer's host": told(signals.host_reports),
        "What else has been wrong for long": wrong(signals, policy, situation.at),
        "Probes' sessions": session(signals),
        "Policy for a hung writer": policy.writer_hung.value,
        "Policy for overdue work": policy.maintenance_overdue.value,
        "Writer's security groups let clients in": told(signals.lets_clients_in),
        "RDS reports work on the writer": told(signals.in_maintenance),
        "Witness has yet to speak of it": "yes" if signals.witness_awaited else "no",
        "Policy for a dark region alone": policy.dark_without_witness.value,
        "Mode in force": policy.mode.value,
        "Standby is an available replica": told(signals.standby_ready),
        "Replica catches up for a planned failover": told(signals.catches_up),
        "Cool-down": cool_down(situation, policy),
        "Greatest loss": loss(signals, policy),
        "Replica's lag": "unknown" if signals.lag_before_seconds is None else "known",
    }
    if trouble is not None:
        age = (situation.at - trouble.since).total_seconds()
        found["Its age against the patience"] = (
            "beyond" if age > timedelta(seconds=patience).total_seconds() else "within"
        )
    if order is not None:
        found["Accepted loss"] = accepted(signals, order)
        found["Accepts an unknown loss"] = "yes" if order.accepts_unknown_loss else "no"
    return found


def meant_by(row: dict[str, str]) -> dict[str, frozenset[str]]:
    """The answers that a row's cells stand for, by column, without the columns in which any will do."""
    cells = {head: cell for head, cell in row.items() if head not in ABOUT_THE_DECISION and cell != "any"}
    kinds = ("failing", "silent", "flapping")
    return {
        head: frozenset((*(words := cell.split(" or ")), *(kinds if "any kind" in words else ())))
        for head, cell in cells.items()
    }


def test_any_combination_is_in_exactly_one_row_and_decided_as_it_says() -> None:
    seen = set()
    meant = {order: [(row, meant_by(row).items()) for row in rows] for order, rows in TABLES.items()}

    @settings(max_examples=5000, deadline=None, derandomize=True)
    @given(SIGNALS, SITUATIONS, POLICIES)
    def look_up(signals: Signals, situation: Situation, policy: Policy) -> None:
        found = answers(signals, situation, policy)
        rows = [
            row
            for row, cells in meant[None if situation.order is None else situation.order.kind]
            if all(found[head] in words for head, words in cells)
        ]
        decision = decide(signals, situation, policy)
        assert [(row["Action"], row["Code"].strip("`")) for row in rows] == [(decision.action.value, decision.code)]
        seen.add(decision.code)

    look_up()
    in_the_tables = {row["Code"].strip("`") for rows in TABLES.values() for row in rows}
    assert seen == in_the_tables, "what was drawn has led to every decision that there is"


@pytest.mark.parametrize("order", [None, *OrderKind])
def test_a_word_of_a_table_matters_to_it(order: OrderKind | None) -> None:
    """No column says the same in every row, and no two neighbours differ in nothing."""
    rows = TABLES[order]
    for head in rows[0]:
        assert len({row[head] for row in rows}) > 1, head
    assert len({tuple(row.items()) for row in rows}) == len(rows)
