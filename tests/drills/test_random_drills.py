"""Random drills: a seed decides everything, and the rule of the outcome holds for whatever is drawn."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drills.faults import FLAPS, OUTAGE_SECONDS
from drills.scenario import DrillOutcome
from drills.scenarios import scenario_named
from drills.scenarios.maintenance_reboot import REBOOT_SECONDS
from drills.scenarios.random_composition import (
    DEADLY,
    HARMLESS,
    MAX_FAULTS,
    WITH_DEADLY,
    Composition,
    Fault,
    Part,
    compose,
)
from drills.scenarios.random_drills import moves_of, play, random_drill, random_drill_named
from function_runtime.incident import Phase
from tests.drills.recording_system import PRIMARY, staged

SEEDS = st.integers(min_value=1, max_value=10**9)
INDICES = st.integers(min_value=1, max_value=1000)


@given(SEEDS, INDICES)
def test_the_same_seed_and_index_draw_the_same_drill(seed: int, index: int) -> None:
    assert compose(seed, index) == compose(seed, index)


def test_every_fault_is_drawn_sooner_or_later_alone_and_in_company() -> None:
    drawn = [compose(1, index) for index in range(1, 300)]
    assert {fault for composition in drawn for fault in composition.faults} == set(Fault)
    assert {len(composition.parts) for composition in drawn} == set(range(1, MAX_FAULTS + 1))


@given(SEEDS, INDICES)
def test_there_are_one_to_three_faults_each_once_and_in_the_order_of_time(seed: int, index: int) -> None:
    parts = compose(seed, index).parts
    assert 1 <= len(parts) <= MAX_FAULTS
    assert len({part.fault for part in parts}) == len(parts)
    assert [part.at_seconds for part in parts] == sorted(part.at_seconds for part in parts)
    assert all(part.at_seconds >= 0 for part in parts)


@given(SEEDS, INDICES)
def test_one_death_means_a_failover_and_none_means_that_the_writer_stays(seed: int, index: int) -> None:
    composition = compose(seed, index)
    deaths = composition.faults & set(DEADLY)
    if deaths:
        assert len(deaths) == 1
        assert composition.faults - deaths <= set(WITH_DEADLY)
        assert composition.outcomes == {DrillOutcome.FAILED_OVER}
    else:
        assert composition.faults <= set(HARMLESS)
        assert DrillOutcome.FAILED_OVER not in composition.outcomes
    assert (DrillOutcome.HELD in composition.outcomes) == (Fault.REBOOT in composition.faults)
    assert composition.expected in composition.outcomes


@given(SEEDS, INDICES)
def test_the_death_is_the_last_thing_done_to_the_writer_and_the_fault_that_counts(seed: int, index: int) -> None:
    composition = compose(seed, index)
    moves = moves_of(composition)
    assert [move.at_seconds for move in moves] == sorted(move.at_seconds for move in moves)
    if composition.is_deadly:
        assert [move.breaks for move in moves] == [False] * (len(moves) - 1) + [True]
    else:
        assert moves[0].breaks


@given(SEEDS, INDICES)
def test_what_must_be_noticed_lasts_long_enough_to_be(seed: int, index: int) -> None:
    composition = compose(seed, index)
    for part in composition.parts:
        if not composition.is_deadly and part.fault in {Fault.LINK_CUT, Fault.BROKEN_PROBES}:
            assert part.lasts_seconds >= 3 * OUTAGE_SECONDS
        assert (part.fault is Fault.KILLED_CONTROLLER) == bool(part.phase)
    assert OUTAGE_SECONDS < REBOOT_SECONDS


@given(SEEDS, INDICES)
def test_a_random_drill_is_found_again_by_its_name_and_says_what_it_is_made_of(seed: int, index: int) -> None:
    scenario = random_drill(seed, index)
    assert scenario_named(scenario.name).summary == scenario.summary
    assert str(seed) in scenario.summary
    assert all(part.fault in scenario.summary for part in compose(seed, index).parts)


@pytest.mark.parametrize("name", ["random", "random-1", "random-1-", "random-x-1", "primary-crash", "a-random-1-1"])
def test_other_names_are_no_random_drills(name: str) -> None:
    assert random_drill_named(name) is None


def test_a_deadly_drill_prepares_breaks_kills_the_controller_and_waits_for_the_failover(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stage, system = staged(monkeypatch)
    composition = Composition(
        (
            Part(Fault.LOST_TRIGGER, 0.0),
            Part(Fault.LINK_CUT, 2.0),
            Part(Fault.DARK_REGION, 3.5),
            Part(Fault.KILLED_CONTROLLER, 3.5, phase=Phase.FENCED),
        ),
    )
    system.when("kill p", lambda: system.incident_is(Phase.FENCED))
    system.when("kill function at fenced", system.fails_over, after_seconds=20.0)
    play(stage, composition)
    actions = ["unsubscribe failover", "cut link", f"darken {PRIMARY}", "kill p", "kill function at fenced"]
    assert system.done == actions
    assert system.times[:4] == pytest.approx([0.0, 2.0, 3.5, 3.5])
    assert stage.fault is not None
    assert stage.fault.at.monotonic == pytest.approx(3.5)


def test_a_phase_that_is_over_before_it_can_be_killed_in_does_not_end_a_random_drill(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stage, system = staged(monkeypatch)
    system.when("kill p", system.fails_over)
    parts = (Part(Fault.CRASH, 0.0), Part(Fault.KILLED_CONTROLLER, 0.0, phase=Phase.PROMOTING))
    play(stage, Composition(parts))
    assert system.done == ["kill p"]


def test_harmless_faults_overlap_and_are_undone_each_at_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    stage, system = staged(monkeypatch)
    parts = (Part(Fault.LINK_CUT, 0.0, lasts_seconds=12.0), Part(Fault.REBOOT, 1.5))
    play(stage, Composition(parts))
    assert system.done == ["cut link", "slow reboots 25", "reboot p", "heal link"]
    assert system.times == pytest.approx([0.0, 1.5, 1.5, 12.0])


def test_flapping_before_the_death_is_over_when_it_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    stage, system = staged(monkeypatch)
    composition = next(
        each for each in (compose(1, index) for index in range(1, 500)) if each.faults == {Fault.FLAPPING, Fault.CRASH}
    )
    system.when("kill p", system.fails_over)
    play(stage, composition)
    assert system.done == ["freeze p", "thaw p"] * FLAPS + ["kill p"]
