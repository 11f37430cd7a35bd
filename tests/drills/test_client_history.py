"""How a client's outage is measured."""

from __future__ import annotations

from dataclasses import replace

import pytest

from drills.clients.history import Attempt, ClientHistory, Outcome
from tests.drills.stories import NEW, OLD, acknowledged, moment

FAULT = moment(0.0)


def failed(n: int, at_seconds: float) -> Attempt:
    return Attempt(n, moment(at_seconds - 0.01), moment(at_seconds), Outcome.FAILED, OLD)


def outage_of(*attempts: Attempt) -> float:
    return ClientHistory("client", attempts).outage_seconds(FAULT)


def test_an_outage_begins_with_the_last_acknowledgement_before_the_fault() -> None:
    assert outage_of(acknowledged(1, -2.0), acknowledged(2, -0.5), acknowledged(3, 9.0)) == pytest.approx(9.5)


def test_a_silence_before_the_fault_is_no_outage() -> None:
    assert outage_of(acknowledged(1, -60.0), acknowledged(2, -0.5), acknowledged(3, 1.0)) == pytest.approx(1.5)


def test_the_longest_of_several_silences_counts() -> None:
    moments = (-0.5, 1.0, 5.0, 6.0)
    assert outage_of(*(acknowledged(n, at) for n, at in enumerate(moments))) == pytest.approx(4.0)


def test_an_outage_that_does_not_end_lasts_until_the_client_stopped() -> None:
    assert outage_of(acknowledged(1, -0.5), failed(2, 1.0), failed(3, 30.0)) == pytest.approx(30.5)


def test_a_client_to_which_nothing_was_ever_acknowledged_measures_no_outage() -> None:
    assert outage_of(failed(1, -1.0), failed(2, 1.0)) == 0.0
    assert outage_of() == 0.0


def test_acknowledgements_after_the_fault_can_leave_a_server_out() -> None:
    history = ClientHistory("client", (acknowledged(1, -1.0), acknowledged(2, 1.0), acknowledged(3, 2.0, NEW)))
    assert [attempt.n for attempt in history.acknowledged_after(FAULT)] == [2, 3]
    assert [attempt.n for attempt in history.acknowledged_after(FAULT, not_by=OLD)] == [3]
    assert [attempt.n for attempt in history.acknowledged_before(FAULT)] == [1]


def test_an_acknowledgement_of_a_server_that_is_not_told_counts() -> None:
    nobody = replace(acknowledged(2, 1.0), server_address=None)
    history = ClientHistory("client", (acknowledged(1, -1.0), nobody))
    assert outage_of(*history.attempts) == pytest.approx(2.0)
    assert history.acknowledged_after(FAULT, not_by=OLD) == (nobody,)
