"""What a person orders: a planned failover of a healthy pair, or one whatever the signals say."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from aws_in_memory import drawn
from aws_in_memory.clock import START as NOW
from aws_in_memory.drawn import READ_POLICY as POLICY
from failover.answer import Answer
from failover.decide import decide
from failover.decision import Action, Decision, Situation
from failover.policy import Mode, Policy
from failover.signals import Signals
from function_runtime.control import Order, OrderKind
from function_runtime.sites import Site

ORDER = Order(OrderKind.PLANNED, "000001-ordered", 1, "arn:person", NOW, NOW + timedelta(minutes=15))
PAUSED = replace(POLICY, mode=Mode.PAUSED)


def decided(signals: Signals, policy: Policy = POLICY, **order: Any) -> Decision:
    given = replace(ORDER, **order)
    return decide(signals, Situation(NOW, Site.RECOVERY, Site.PRIMARY, last_closed_at=None, order=given), policy)


def test_a_healthy_pair_is_switched_over() -> None:
    decision = decided(drawn.HEALTHY)
    assert (decision.action, decision.code) == (Action.FAIL_OVER, "planned")
    assert decided(drawn.HEALTHY, PAUSED).code == "paused"


@pytest.mark.parametrize("answer", [Answer.NO, Answer.UNKNOWN])
@pytest.mark.parametrize("signal", ["answers_here", "probe_works", "rds_healthy", "standby_ready", "catches_up"])
def test_whatever_is_not_certain_stops_a_planned_failover(signal: str, answer: Answer) -> None:
    changed: dict[str, Any] = {signal: answer}
    decision = decided(replace(drawn.HEALTHY, **changed))
    assert (decision.action, decision.code) == (Action.ALERT, "planned_not_healthy")
    assert decision.reason.endswith(": not known or not so")


def test_a_writer_that_comes_and_goes_is_not_switched_over() -> None:
    decision = decided(replace(drawn.HEALTHY, trouble=drawn.DEAD.trouble))
    assert decision.reason == "a planned failover needs a healthy pair: the writer is unstable"


@pytest.mark.parametrize(
    ("changed", "order", "code"),
    [
        ({}, {"accepts_unknown_loss": True}, "forced"),
        ({}, {"accepted_loss_seconds": 2.0}, "forced"),
        ({}, {"accepted_loss_seconds": 1.75}, "loss_not_accepted"),
        ({}, {}, "loss_not_accepted"),
        ({"loss_bound_seconds": None}, {"accepted_loss_seconds": 1.0}, "forced"),
        ({"loss_bound_seconds": None}, {"accepted_loss_seconds": 0.75}, "loss_not_accepted"),
        ({"loss_bound_seconds": None, "lag_before_seconds": None}, {"accepted_loss_seconds": 9}, "loss_not_accepted"),
        ({"loss_bound_seconds": None, "lag_before_seconds": None}, {"accepts_unknown_loss": True}, "forced"),
        ({"standby_ready": Answer.UNKNOWN}, {"accepts_unknown_loss": True}, "standby_not_ready"),
        ({"answers_here": Answer.YES}, {"accepts_unknown_loss": True}, "forced"),
    ],
)
def test_a_forced_failover_needs_a_standby_and_a_loss_that_is_accepted(
    changed: dict[str, Any], order: dict[str, Any], code: str
) -> None:
    signals = replace(drawn.DEAD, **changed)
    decision = decided(signals, kind=OrderKind.FORCED, **order)
    assert (decision.action, decision.code) == (Action.FAIL_OVER if code == "forced" else Action.ALERT, code)
    assert decided(signals, PAUSED, kind=OrderKind.FORCED, **order).code == "paused"


def test_a_forced_failover_is_somebodys() -> None:
    assert decided(drawn.DEAD, kind=OrderKind.FORCED, accepts_unknown_loss=True).reason.startswith("arn:person forced")
