"""At which second, and in whose words, a decision turns into another."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from aws_in_memory import drawn
from aws_in_memory.clock import START as NOW
from aws_in_memory.drawn import READ_POLICY as POLICY
from failover.answer import Answer
from failover.decide import decide
from failover.decision import Action, Decision, Situation
from failover.policy import Mode, Policy, WhenUnsure
from failover.readiness import Concern
from failover.signals import Signals
from function_runtime.control import Order, OrderKind
from function_runtime.sites import Site
from function_runtime.trouble import Kind, Trouble, Unready

DEAD = replace(drawn.DEAD, answers_there=Answer.NO)
AT_WORK = replace(drawn.DEAD, in_maintenance=Answer.YES)
APPROVAL = Order(OrderKind.APPROVE, "000001-lost", 1, "arn:person", NOW, NOW + timedelta(minutes=15))
PATIENCE = POLICY.maintenance_patience
NOT_YET = timedelta(microseconds=1)


def decided(
    signals: Signals, *, lasting: timedelta | None = None, order: Order | None = None, policy: Policy = POLICY
) -> Decision:
    if lasting is not None:
        signals = replace(signals, trouble=replace(signals.trouble, since=NOW - lasting))  # type: ignore[type-var]
    return decide(signals, Situation(NOW, Site.RECOVERY, Site.PRIMARY, last_closed_at=None, order=order), policy)


@pytest.mark.parametrize("writer", [AT_WORK, replace(drawn.HUNG, in_maintenance=Answer.YES)])
def test_work_on_the_writer_is_waited_for_to_the_end_of_patience(writer: Signals) -> None:
    assert decided(writer, lasting=PATIENCE).code == "maintenance"
    late = decided(writer, lasting=PATIENCE + NOT_YET)
    assert (late.action, late.code) == (Action.ASK, "maintenance_overdue")


def test_work_that_does_not_end_is_a_failover_by_a_persons_word_alone_or_by_a_setting_and_a_second_signal() -> None:
    late = PATIENCE + NOT_YET
    approved = decided(AT_WORK, lasting=late, order=APPROVAL)
    assert (approved.action, approved.code) == (Action.FAIL_OVER, "approved")
    assert "RDS reports work on it, for too long" in approved.reason
    by_setting = replace(POLICY, maintenance_overdue=WhenUnsure.FAILOVER)
    assert decided(AT_WORK, lasting=late, policy=by_setting).code == "one_signal_only"
    confirmed = decided(replace(AT_WORK, answers_there=Answer.NO), lasting=late, policy=by_setting)
    assert (confirmed.action, confirmed.code) == (Action.FAIL_OVER, "writer_dead")
    assert "for too long" not in confirmed.reason


def test_a_persons_word_is_no_second_signal_where_rds_reports_no_work() -> None:
    assert decided(drawn.DEAD, order=APPROVAL).code == "one_signal_only"


def test_a_loss_up_to_the_limit_is_accepted_by_the_setting_and_up_to_what_was_said_by_a_person() -> None:
    limit = POLICY.max_data_loss_seconds
    assert decided(replace(DEAD, loss_bound_seconds=limit)).action is Action.FAIL_OVER
    more = replace(DEAD, loss_bound_seconds=limit + 5)
    assert decided(more).code == "loss_above_limit"
    assert decided(more, order=replace(APPROVAL, accepted_loss_seconds=limit + 5)).action is Action.FAIL_OVER
    assert decided(more, order=replace(APPROVAL, accepted_loss_seconds=limit + 4)).code == "loss_above_limit"
    assert decided(more, order=APPROVAL).code == "loss_above_limit"


def test_the_reason_says_what_is_at_stake() -> None:
    assert "the loss is at most 2 s" in decided(DEAD).reason
    unknown = decided(replace(DEAD, loss_bound_seconds=None), order=replace(APPROVAL, accepts_unknown_loss=True))
    assert "what it would lose is unknown" in unknown.reason


def test_the_reason_says_whether_a_probe_fails_or_is_silent_at_its_own_database() -> None:
    assert "does not reach" in decided(replace(DEAD, probe_works=Answer.NO)).reason
    assert "is not known to reach" in decided(replace(DEAD, probe_works=Answer.UNKNOWN)).reason


def test_what_people_have_not_heard_of_comes_first_and_then_what_came_first() -> None:
    concerns = (Concern("lag_unknown", "no lag"), Concern("probes_lost", "few probes"))
    long_ago = dict.fromkeys((each.code for each in concerns), NOW - timedelta(hours=1))
    unready = Unready(long_ago, {})
    unwell = replace(drawn.HEALTHY, concerns=concerns, unready=unready)
    assert decided(unwell).code == "lag_unknown"
    for told, code in (
        (["lag_unknown"], "probes_lost"),
        (["probes_lost"], "lag_unknown"),
        (["lag_unknown", "probes_lost"], "lag_unknown"),
    ):
        heard = replace(unwell, unready=replace(unready, told=tuple(told)))
        assert decided(heard).code == code


def test_a_probe_that_fell_silent_after_its_first_failures_is_told_of_after_patience() -> None:
    unproven = replace(drawn.DEAD, answers_here=Answer.UNKNOWN, trouble=Trouble(Kind.FAILING, NOW, NOW))
    assert decided(unproven, lasting=PATIENCE).code == "outage_too_short"
    late = decided(unproven, lasting=PATIENCE + NOT_YET)
    assert (late.action, late.code) == (Action.ALERT, "not_watched")


def test_nobody_is_asked_while_failovers_are_paused_and_a_healthy_writer_stays_healthy() -> None:
    paused = replace(POLICY, mode=Mode.PAUSED)
    asked = decided(drawn.HUNG, policy=paused)
    assert (asked.action, asked.code) == (Action.ALERT, "paused")
    assert asked.reason.endswith("its commits hang; and failovers are paused")
    assert decided(drawn.HEALTHY, policy=paused).code == "healthy"


def test_the_witness_is_waited_for_only_where_the_dark_region_is_all_there_is() -> None:
    dark = replace(drawn.DEAD, region_answers=Answer.NO)
    at_once = replace(POLICY, dark_without_witness=WhenUnsure.FAILOVER)
    assert decided(replace(dark, witness_awaited=True), policy=at_once).code == "witness_awaited"
    assert decided(dark, policy=at_once).code == "writer_dead"
    assert decided(replace(dark, answers_there=Answer.NO, witness_awaited=True)).code == "writer_dead"
    assert decided(replace(DEAD, witness_awaited=True)).code == "writer_dead"
