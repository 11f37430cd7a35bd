"""The simulations: the model of the steps is held against the steps, and both can find what they look for."""

from __future__ import annotations

import math
import random
from dataclasses import replace
from datetime import datetime

import pytest

from aws_in_memory import durations
from aws_in_memory.aws import Aws
from benchmarks.answered_aws import SECONDS_TO_FENCE
from benchmarks.simulation import incidents, lossy_days
from benchmarks.simulation.carrying_through import Carried, carry_through
from benchmarks.simulation.incidents import Kind
from benchmarks.simulation.losses import BOTH_WAYS, LOSSY, Bursts, whole_periods_lost
from benchmarks.simulation.setting import setting
from failover.policy import Mode
from failover.promote import verify_period_seconds
from tests.benchmarks.answered import failed_over


class NoChance(random.Random):
    """Every duration is its most frequent or its middle one, and nothing rare happens."""

    def triangular(self, low: float = 0.0, high: float = 1.0, mode: float | None = None) -> float:
        return (low + high) / 2 if mode is None else mode

    def uniform(self, a: float, b: float) -> float:
        return (a + b) / 2

    def random(self) -> float:
        return 0.999


def chance(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 - no secret


def steps_of(aws: Aws) -> dict[str, tuple[datetime, datetime]]:
    (incident,) = aws.incidents
    return {
        step["phase"]: (datetime.fromisoformat(step["started_at"]), datetime.fromisoformat(step["finished_at"]))
        for step in incident["steps"]
    }


BEGAN_SECONDS = 5.0
# The second ends when the first run's budget is used up and the next tick is still to come.
PROMOTIONS_SECONDS = (150.0, 255.0, 500.0)


@pytest.fixture(params=PROMOTIONS_SECONDS)
def promotion_seconds(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> float:
    seconds = float(request.param)
    monkeypatch.setattr(durations, "SHORTEST_PROMOTION_SECONDS", seconds)
    monkeypatch.setattr(durations, "LONGEST_PROMOTION_SECONDS", seconds)
    return seconds


@pytest.fixture
def modelled(promotion_seconds: float) -> Carried:
    return carry_through(
        NoChance(), setting(), began=BEGAN_SECONDS, decided=BEGAN_SECONDS, tick_phase=0, probe_phase=0, dark=False
    )


@pytest.fixture
def real(promotion_seconds: float, monkeypatch: pytest.MonkeyPatch) -> dict[str, tuple[float, float]]:
    """Each step's beginning and end; the first run begins as the modelled one does."""
    assert durations.GROUP_CHANGE.most_frequent == SECONDS_TO_FENCE
    monkeypatch.setattr(random, "uniform", NoChance().uniform)
    steps = steps_of(failed_over(monkeypatch, promotion_seconds))
    origin = steps["opened"][1].timestamp() - BEGAN_SECONDS
    return {phase: (start.timestamp() - origin, end.timestamp() - origin) for phase, (start, end) in steps.items()}


def test_the_model_fences_and_promotes_as_the_steps_do(modelled: Carried, real: dict[str, tuple[float, float]]) -> None:
    # Calls take their time in the model only: a few of them for the first steps, one a poll for the others.
    assert modelled.fenced == pytest.approx(real["fenced"][1], abs=2)
    assert modelled.asked == pytest.approx(real["promoting"][1], abs=2)
    assert modelled.noticed == pytest.approx(real["promoted"][1], abs=2 * setting().failover.poll_interval_seconds)


def test_the_model_verifies_as_the_step_does(modelled: Carried, real: dict[str, tuple[float, float]]) -> None:
    """Only a period that began after the promotion counts, and not for long; the real step's AWS shows it at once."""
    period, poll = verify_period_seconds(setting().failover), setting().failover.poll_interval_seconds
    timeout = setting().failover.verify_timeout_seconds
    readable_after = {
        (modelled.noticed, modelled.verified): durations.PROBE_METRIC_DELAY.most_frequent,
        real["verified"]: 0.0,
    }
    for (noticed, verified), delay in readable_after.items():
        counts_from = math.ceil(noticed / period) * period
        given_up = noticed + timeout
        assert min(counts_from + delay, given_up) <= verified
        assert verified <= min(counts_from + delay + setting().schedule_seconds, given_up) + poll


@pytest.mark.parametrize("kind", Kind)
def test_an_incident_is_detected_no_sooner_than_the_policy_allows(kind: Kind) -> None:
    at = setting()
    detections = []
    for seed in range(100):
        incident = incidents.simulate(chance(seed), at, kind)
        assert incident.detected is not None, incident.last_code
        detections.append(incident.detected - incident.fault)
    # A failing period counts from its start, which may lie a period before the fault.
    assert min(detections) >= at.failover.policy.outage_seconds - at.failover.policy.metric_period_seconds
    assert max(detections) <= 2.5 * at.failover.policy.outage_seconds


def test_an_incident_that_people_must_decide_is_not_counted_as_recovered() -> None:
    at = setting()
    manual = replace(at, failover=replace(at.failover, policy=replace(at.failover.policy, mode=Mode.MANUAL)))
    incident = incidents.simulate(chance(1), manual, Kind.CRASH)
    assert incident.rto_seconds == float("inf")
    assert incident.last_code == "manual"


def test_the_same_seed_makes_the_same_days() -> None:
    first, second = (lossy_days.simulate(chance(3), setting(), LOSSY, days=50) for _ in range(2))
    assert first == second


def test_the_days_can_show_a_false_failover() -> None:
    """Both ways to a database that nobody writes to are lost for long: nothing tells that from a dead one."""
    long = replace(BOTH_WAYS, both=Bursts(1.0, 600.0))
    assert lossy_days.simulate(chance(3), setting(), long, days=20).failovers > 0


def test_a_broken_link_alone_wakes_people_and_moves_nothing() -> None:
    cut = replace(LOSSY, link=Bursts(1.0, 600.0))
    found = lossy_days.simulate(chance(3), setting(), cut, days=20)
    assert found.failovers == 0
    assert found.told["answers_its_own_site"] > 0


def test_lost_periods_are_as_frequent_as_they_should_be() -> None:
    found = list(whole_periods_lost(chance(1), 0.01, 100_000))
    assert len(set(found)) == len(found)
    assert len(found) == pytest.approx(1000, rel=0.1)
