"""The simulations: the model of the steps is held against the steps, and both can find what they look for."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any, cast

import pulumi
import pytest

from automation_layer.timings import Timings
from aws_in_memory import durations
from aws_in_memory.aws import Aws
from benchmarks.answered_aws import SECONDS_TO_FENCE
from benchmarks.simulation import carrying_through, lossy_days, playing
from benchmarks.simulation.carrying_through import Carried, carry_through
from benchmarks.simulation.deaths import RTO_CASES
from benchmarks.simulation.looking import look_directly
from benchmarks.simulation.losses import BOTH_WAYS, LOSSY, Bursts, History, whole_periods_lost
from benchmarks.simulation.making import LEFT_ALONE, MOVED, when_busy
from benchmarks.simulation.playing import play
from benchmarks.simulation.replication import Replication
from benchmarks.simulation.running import cases
from benchmarks.simulation.setting import setting
from benchmarks.simulation.tally import Tally, share, tally
from benchmarks.simulation.world import World
from failover.last_look import Life
from failover.policy import Mode, Policy
from shared.settings import SettingsReader
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
CRASHES = RTO_CASES["crash"]


class NothingSet:
    """The settings of a stack that sets none."""

    def get(self, key: str) -> None:
        return None


DEFAULTS = Timings.load(SettingsReader(cast(pulumi.Config, NothingSet())))


@pytest.fixture(params=PROMOTIONS_SECONDS)
def promotion_seconds(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> float:
    seconds = float(request.param)
    monkeypatch.setattr(durations, "SHORTEST_PROMOTION_SECONDS", seconds)
    monkeypatch.setattr(durations, "LONGEST_PROMOTION_SECONDS", seconds)
    return seconds


def carried(world: World) -> Carried:
    found = maybe_carried(world)
    assert found is not None
    return found


def maybe_carried(world: World) -> Carried | None:
    return carry_through(
        NoChance(), setting(), world, began=BEGAN_SECONDS, decided=BEGAN_SECONDS, tick_phase=0, phases=(0, 0)
    )


@pytest.fixture
def modelled(promotion_seconds: float) -> Carried:
    return carried(World())


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
    looked = modelled.looked_seconds
    assert modelled.asked - looked == pytest.approx(real["promoting"][1], abs=2)
    assert modelled.latched - looked == pytest.approx(
        real["shown"][1], abs=2 * setting().failover.poll_interval_seconds
    )


def test_the_model_records_the_writer_as_the_step_does(
    modelled: Carried, real: dict[str, tuple[float, float]], promotion_seconds: float
) -> None:
    """The first heartbeat that is committed once the promotion is over."""
    poll, schedule = setting().failover.poll_interval_seconds, setting().schedule_seconds
    readable_after = {modelled.recorded: durations.PROBE_METRIC_DELAY.most_frequent, real["writes"][1]: 0.0}
    for recorded, delay in readable_after.items():
        committed = modelled.asked + promotion_seconds + delay
        assert committed - 2 <= recorded <= committed + schedule + poll


def played(name: str, runs: int, policy: Callable[[Policy], Policy] | None = None) -> Tally:
    case = next(case for case in cases() if case.name == name)
    return tally(setting(), case if policy is None else replace(case, policy=policy), range(runs))


@pytest.mark.parametrize("name", [name for names in RTO_CASES.values() for name in names])
def test_an_incident_is_detected_no_sooner_than_the_policy_allows(name: str) -> None:
    policy = setting().failover.policy
    found = played(name, 30)
    detections = [detected - fault for fault, detected, _ in found.moved]
    assert len(detections) == 30
    # A failing period counts from its start, which may lie a period before the fault.
    assert min(detections) >= policy.outage_seconds - policy.fine_period_seconds
    assert max(detections) <= 1.5 * policy.outage_seconds


def test_an_incident_that_people_must_decide_is_not_counted_as_recovered() -> None:
    found = played("crash, busy", 5, lambda policy: replace(policy, mode=Mode.MANUAL))
    assert (found.missed, found.rto) == (5, [])
    assert found.codes["manual?"] == 5


def test_every_class_of_events_ends_as_it_must() -> None:
    wrong = {}
    for case in cases():
        found = tally(setting(), case, range(2))
        if found.wrong or found.missed:
            wrong[case.name] = found
    assert not wrong


def test_a_writer_that_is_back_before_its_fence_is_in_force_is_not_replaced() -> None:
    fenced_at = carried(World(down=History.once(0.0))).shut_from
    assert maybe_carried(World(down=History.once(0.0, fenced_at + 1))) is not None, "it comes back behind a shut door"
    dark_for_a_moment = World(dark=History.once(0.0, BEGAN_SECONDS + 1))
    assert maybe_carried(dark_for_a_moment) is None, "nothing could shut it, and it commits when it is looked at"


def test_a_look_that_is_left_out_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Writers that come back while the controller makes up its mind are replaced then."""
    blind = replace(look_directly(chance(0), setting(), World(), 0.0, (0, 0)), life=Life.UNPROVEN)
    for module in (playing, carrying_through):
        monkeypatch.setattr(module, "look_directly", lambda *at, **_: replace(blind, began=at[3], ends=at[3]))
    assert played("blackout of 120 s, busy", 60).wrong > 0


@pytest.mark.parametrize(
    "name", [*(name for names in RTO_CASES.values() for name in names), "region dark, busy, calls hang"]
)
def test_the_settings_are_checked_with_a_sum_that_no_incident_exceeds(name: str) -> None:
    """Until the promotion is asked for: all that follows is AWS's, and a backup of the replica is, too."""
    ours = [carried.fenced + carried.looked_seconds - fault for fault, _, carried in played(name, 200).moved]
    assert max(ours) <= DEFAULTS.detection_and_switch_seconds


def test_our_own_part_from_the_decision_to_the_latch_is_seconds() -> None:
    found = [carried.own_seconds for name in CRASHES for _, _, carried in played(name, 100).moved]
    assert share(found, 0.5) < 2


def test_a_backup_after_the_promotion_holds_nobody_up() -> None:
    found = played("crash, busy, promoted and backing up for long", 20).moved
    assert max(carried.recorded - carried.writable for _, _, carried in found) < 120
    assert min(carried.closed - carried.writable for _, _, carried in found) > 300


def test_names_are_not_given_twice() -> None:
    assert len({case.name for case in cases()}) == len(cases())


def test_a_failover_beside_a_living_writer_shows() -> None:
    """RDS's word is wrong, which nothing but the stream could tell, and that is not looked at."""

    def blind(chance: random.Random, fault: float) -> dict[str, Any]:
        return {
            "shut": History.once(fault),
            "refused": History.once(fault - 900),
            "status": lambda at: "failed" if at > fault else "available",
        }

    case = when_busy("door shut, blind", LEFT_ALONE, blind)
    limit = replace(case, policy=lambda policy: replace(policy, max_data_loss_seconds=3600))
    assert tally(setting(), limit, range(10)).wrong > 0


def test_a_class_in_which_nothing_follows_is_missed() -> None:
    case = when_busy("all is well", MOVED, lambda _, __: {})
    assert tally(setting(), case, range(3)).missed == 3
    late = when_busy("crash", MOVED._replace(within_seconds=1), lambda _, fault: {"down": History.once(fault)})
    assert tally(setting(), late, range(3)).late == 3


def test_what_is_left_out_to_be_faster_changes_nothing() -> None:
    for name in ("door shut, idle", "4 of 5 probes lost by chance, busy", "writer hangs, busy", "crash, idle, witness"):
        case = next(case for case in cases() if case.name == name)
        assert play(chance(3), setting(), case) == play(chance(3), setting(), case, is_checked=True)


def test_only_the_receivers_own_ping_renews_the_message_of_an_idle_stream() -> None:
    silent = Replication(World(busy=False, own_writes_end=0.0, own_writes_phase=0.0), timeout_seconds=30)
    silent.commits.append(100.0)
    assert [silent.message(at) for at in (101.0, 114.9, 115.0, 129.0, 131.0)] == [100.0, 100.0, 115.0, 115.0, 130.0]


def test_a_lost_host_leaves_the_receivers_row_until_the_timeout_and_a_closed_connection_does_not() -> None:
    for vanishes, row in ((True, pytest.approx(999.95)), (False, None)):
        stream = Replication(World(down=History.once(1000.0), vanishes=vanishes), timeout_seconds=30)
        assert stream.message(1010.0) == row
        assert stream.message(1031.0) is None


def test_a_receiver_that_has_connected_shows_the_time_at_which_it_started() -> None:
    world = World(busy=False, cut=History.once(100.0, 110.0), restart_seconds=5.0, own_writes_end=0.0)
    stream = Replication(world, timeout_seconds=30)
    assert [stream.message(at) for at in (112.0, 116.0, 131.0)] == [None, 115.0, 130.0]


def test_the_same_seed_makes_the_same_days() -> None:
    first, second = (lossy_days.simulate(chance(3), setting(), LOSSY, days=50) for _ in range(2))
    assert first == second


def test_both_ways_lost_for_long_wake_people_and_move_nothing() -> None:
    """Nothing on probes tells that from a dead writer; its stream does."""
    long = replace(BOTH_WAYS, both=Bursts(1.0, 600.0))
    found = lossy_days.simulate(chance(3), setting(), long, days=20)
    assert found.failovers == 0
    assert found.told["process_lives"] > 0


def test_a_broken_link_alone_wakes_people_and_moves_nothing() -> None:
    cut = replace(LOSSY, link=Bursts(1.0, 600.0))
    found = lossy_days.simulate(chance(3), setting(), cut, days=20)
    assert found.failovers == 0
    assert found.told["answers_its_own_site"] > 0


def test_lost_periods_are_as_frequent_as_they_should_be() -> None:
    found = list(whole_periods_lost(chance(1), 0.01, 100_000))
    assert len(set(found)) == len(found)
    assert len(found) == pytest.approx(1000, rel=0.1)
