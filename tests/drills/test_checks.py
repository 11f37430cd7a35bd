"""Which drills pass and which fail."""

from __future__ import annotations

from dataclasses import replace

import pytest

from drills.clients.history import Attempt, ClientHistory, Outcome
from drills.clients.routes import ByName, ByUri
from drills.clients.writes_table import StoredRow
from drills.evidence import Evidence
from drills.records.state_table import RecordedFence
from drills.report.report import DrillReport, report_of
from drills.scenario import DrillOutcome, Scenario
from drills.scenarios import scenario_named
from function_runtime.control import Order, OrderKind
from function_runtime.incident import Phase
from operations.orders import new_order
from tests.drills.stories import (
    FAULT_WALL,
    INCIDENT_ID,
    LOST,
    LOST_OF_THE_URI,
    NEW,
    OLD,
    acknowledged,
    held,
    moment,
    never_recovered,
    recovered,
    time,
    unfinished,
)

CRASH = scenario_named("primary-crash")
HOLD = Scenario("hold", "It must stay.", DrillOutcome.HELD, CRASH.run, rto_limit_seconds=0.0)
FAULT = recovered().fault


def reported(evidence: Evidence) -> DrillReport:
    return report_of(CRASH, evidence)


def client_of(story: Evidence, name: str) -> ClientHistory:
    return next(client for client in story.clients if client.name == name)


def with_client(story: Evidence, history: ClientHistory) -> Evidence:
    if history.name == ByName.name:
        return replace(story, by_name=history)
    return replace(story, by_uri=history)


def with_stored(story: Evidence, row: StoredRow) -> Evidence:
    """The same with one more row at the final writer."""
    final = story.final_writer
    assert final.rows is not None
    return replace(story, final_writer=replace(final, rows=(*final.rows, row)))


def never_answered_again(history: ClientHistory) -> ClientHistory:
    """The same without any acknowledgement after the fault."""
    unsure = set(history.acknowledged_after(FAULT.at))
    return replace(
        history,
        attempts=tuple(
            replace(each, outcome=Outcome.INDETERMINATE) if each in unsure else each for each in history.attempts
        ),
    )


def failed_checks(report: DrillReport) -> list[str]:
    return [check.name for check in report.checks if not check.passed]


def test_a_recovery_with_a_loss_within_the_reported_one_passes() -> None:
    report = reported(recovered())
    assert failed_checks(report) == []
    assert report.passed
    assert report.outcome == "failed_over"
    assert report.rto_seconds is not None
    assert abs(report.rto_seconds - 18.4) < 0.01
    assert (report.writes.lost, report.writes.lost_beyond_reported_rpo) == (3, 0)
    assert "3 acknowledged writes were lost" in report.verdict


def test_the_two_clients_stand_side_by_side_and_add_up() -> None:
    report = reported(recovered())
    by_name, by_uri = report.clients
    assert by_name.rto_seconds == pytest.approx(18.4)
    assert by_uri.rto_seconds == pytest.approx(15.4)
    assert by_name.outage_seconds > by_uri.outage_seconds > 15
    assert (by_name.writes.lost, by_uri.writes.lost) == (len(LOST), len(LOST_OF_THE_URI))
    assert (by_name.writes.on_fresh_connections, by_uri.writes.on_fresh_connections) == (0, 14)
    for figure in ("attempted", "acknowledged", "indeterminate", "failed", "read_back", "lost"):
        assert getattr(by_name.writes, figure) + getattr(by_uri.writes, figure) == getattr(report.writes, figure)


@pytest.mark.parametrize("name", [ByName.name, ByUri.name])
def test_one_client_that_never_recovers_fails_the_drill(name: str) -> None:
    story = with_client(recovered(), never_answered_again(client_of(recovered(), name)))
    assert failed_checks(reported(story)) == ["Writes of every client are accepted again within 75 s"]


@pytest.mark.parametrize("name", [ByName.name, ByUri.name])
def test_a_write_of_either_client_that_the_old_writer_took_after_the_switch_fails_the_drill(name: str) -> None:
    story, taken = recovered(), acknowledged(9_000, 20.0, OLD, fresh=True)
    history = client_of(story, name)
    story = with_client(story, replace(history, attempts=(*history.attempts, taken)))
    story = with_stored(story, StoredRow(taken.n, FAULT_WALL + 20.0))
    report = reported(story)
    assert failed_checks(report) == ["The old writer accepted nothing after the switch"]
    assert report.writes.accepted_by_old_writer_after_switch == 1
    accepted = {each.name: each.writes.accepted_by_old_writer_after_switch for each in report.clients}
    assert accepted == {ByName.name: 0, ByUri.name: 0} | {name: 1}


def test_the_switch_is_the_first_that_either_client_or_the_name_shows() -> None:
    """The URI found the new writer before the name moved: what the old one accepts in between counts."""
    story = recovered()
    between = acknowledged(9_000, 16.0, OLD)
    history = replace(story.by_name, attempts=(*story.by_name.attempts, between))
    report = reported(replace(story, by_name=history))
    assert report.writes.accepted_by_old_writer_after_switch == 1


@pytest.mark.parametrize("reported_seconds", [1.4, 600.0])
def test_a_row_that_the_new_writer_acknowledged_and_lost_is_covered_by_no_reported_loss(
    reported_seconds: float,
) -> None:
    story, gone = recovered(), acknowledged(9_000, 24.0, NEW)
    assert story.final_writer.rows is not None
    kept = (*story.final_writer.rows, *(StoredRow(n, FAULT_WALL - 0.1) for n in (*LOST, *LOST_OF_THE_URI)))
    history = replace(story.by_name, attempts=(*story.by_name.attempts, gone))
    story = replace(
        story,
        by_name=history,
        final_writer=replace(story.final_writer, rows=kept),
        incidents=(replace(story.incidents[0], data_loss_seconds=reported_seconds),),
    )
    assert failed_checks(reported(story)) == [
        "No acknowledged row is lost beyond the data loss that the system reported"
    ]


RAN = "Every client ran to the end of the drill, and was still acknowledged there"


def test_a_documented_client_that_hangs_after_its_first_row_at_the_new_writer_fails_the_drill() -> None:
    first = acknowledged(20_000_500, 16.0, NEW)
    before = [acknowledged(20_000_001 + i, -6.0 + i * 0.05) for i in range(100)]
    hung = Attempt(20_000_501, moment(16.1), moment(73.0), Outcome.INDETERMINATE, None, "it had to be killed")
    pool = ClientHistory("psycopg_pool", (*before, first, hung), block=2)
    story = replace(recovered(), others=(pool,))
    assert story.final_writer.rows is not None
    rows = (*story.final_writer.rows, *(StoredRow(each.n, each.finished_at.wall) for each in (*before, first)))
    story = replace(story, final_writer=replace(story.final_writer, rows=rows))
    assert failed_checks(reported(story)) == [RAN]
    ended = replace(story, others=(replace(pool, attempts=(*before, first), trouble="it ended by itself, with 1"),))
    assert failed_checks(reported(ended)) == [RAN]
    theirs = replace(story, others=(replace(pool, is_documented=False),))
    assert failed_checks(reported(theirs)) == [], "the system is not judged by it"


def test_what_the_old_writer_takes_when_the_new_one_commits_already_fails_the_drill_before_any_client_sees_it() -> None:
    story, taken = recovered(), acknowledged(9_000, 15.2, OLD)
    history = replace(story.by_name, attempts=(*story.by_name.attempts, taken))
    incident = replace(story.incidents[0], data_loss_seconds=20.0)
    assert failed_checks(reported(replace(story, by_name=history, incidents=(incident,)))) == [
        "The old writer accepted nothing after the switch"
    ]


def test_without_a_failover_both_clients_must_write_again() -> None:
    report = report_of(HOLD, held())
    assert failed_checks(report) == []
    assert "alerted nobody" in report.verdict
    mute = with_client(held(), never_answered_again(held().by_uri))
    assert failed_checks(report_of(HOLD, mute)) == ["Every client can write at the end"]


def test_an_outcome_that_is_not_allowed_fails_the_drill_though_everything_else_is_well() -> None:
    people_must_hear = replace(HOLD, expected=DrillOutcome.ALERTED, outcomes=frozenset())
    assert failed_checks(report_of(people_must_hear, held())) == [
        "The system reacted as this failure requires: alerted"
    ]


def test_whatever_of_the_allowed_outcomes_came_is_judged_by_its_own_conditions() -> None:
    either = replace(CRASH, outcomes=frozenset({DrillOutcome.HELD, DrillOutcome.FAILED_OVER}))
    assert report_of(either, recovered()).passed
    assert report_of(either, held()).passed
    assert not report_of(CRASH, held()).passed
    assert not report_of(HOLD, recovered()).passed


def order(incident_id: str = INCIDENT_ID, *, accepts_unknown_loss: bool = True) -> Order:
    return new_order(
        OrderKind.APPROVE, incident_id, 1, "an operator", time(1.0), accepts_unknown_loss=accepts_unknown_loss
    )


def without_a_bound(order: Order | None) -> Evidence:
    story = recovered()
    return replace(story, incidents=(replace(story.incidents[0], data_loss_seconds=None),), order=order)


def test_a_loss_that_cannot_be_bounded_passes_where_an_operator_accepted_that_for_this_incident() -> None:
    report = reported(without_a_bound(order()))
    assert failed_checks(report) == []
    assert (report.writes.lost, report.writes.lost_beyond_reported_rpo) == (3, 0)
    assert "an operator had accepted a loss without a known bound" in report.verdict


@pytest.mark.parametrize("given", [None, order("another incident"), order(accepts_unknown_loss=False)])
def test_a_loss_that_is_not_bounded_fails_where_nobody_accepted_that(given: Order | None) -> None:
    report = reported(without_a_bound(given))
    assert failed_checks(report) == [
        "No acknowledged row is lost beyond the data loss that the system reported",
        "The data loss is reported, or an operator accepted a loss without a known bound",
    ]


FENCE_DEMANDED = "The old writer is fenced"


def test_where_a_fence_is_demanded_an_attempt_on_record_is_not_enough() -> None:
    demanding = replace(CRASH, demands_fence=True)
    assert failed_checks(report_of(demanding, recovered())) == [FENCE_DEMANDED]
    for guard, passes in (
        (RecordedFence(1, "fenced", ""), True),
        (RecordedFence(0, "fenced", "of an earlier failover"), False),
        (RecordedFence(1, "refused", "access denied"), False),
    ):
        assert report_of(demanding, replace(recovered(), guard_fence=guard)).passed is passes
    incident = recovered().incidents[0]
    steps = tuple(replace(step, outcome="fenced") if step.phase is Phase.FENCED else step for step in incident.steps)
    assert report_of(demanding, replace(recovered(), incidents=(replace(incident, steps=steps),))).passed


def test_a_drill_without_recovery_fails() -> None:
    report = reported(never_recovered())
    assert not report.passed
    assert report.rto_seconds is None
    assert "Writes of every client are accepted again within 75 s" in failed_checks(report)


def test_a_drill_that_stopped_in_the_middle_fails_with_the_cause_as_its_reason() -> None:
    report = reported(unfinished())
    assert not report.passed
    assert report.reason == unfinished().unfinished[0]
    assert report.reason in report.verdict


def test_a_row_the_old_writer_took_after_the_switch_fails_the_drill() -> None:
    story = recovered()
    split = (StoredRow(121, FAULT_WALL + 19.0),)
    report = reported(replace(story, old_writer=replace(story.old_writer, rows=split, takes_writes=True, why_not="")))
    assert failed_checks(report) == ["The old writer accepted nothing after the switch"]


def test_a_loss_that_was_reported_too_small_fails_the_drill() -> None:
    story = recovered()
    small = replace(story.incidents[0], data_loss_seconds=0.0, trouble_since=time(0.0))
    report = reported(replace(story, incidents=(small,)))
    assert report.writes.lost_beyond_reported_rpo == len(LOST) + len(LOST_OF_THE_URI)
    assert not report.passed
