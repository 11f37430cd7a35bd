"""Which scenarios there are, and what each does to a system, in which order."""

from __future__ import annotations

from decimal import Decimal
from functools import partial
from itertools import pairwise

import pytest
import yaml

from drills.faults import FLAP_ANSWERS_SECONDS, FLAP_FROZEN_SECONDS, FLAPS, KILLABLE_PHASES, OUTAGE_SECONDS
from drills.scenario import DrillOutcome, Scenario
from drills.scenarios import DEFAULT_SCENARIO, SCENARIOS, scenario_named
from drills.stage import DrillNotReadyError
from function_runtime.incident import Phase
from lab.settings import assigned
from shared.errors import SettingsError
from shared.layers import REPOSITORY_ROOT, layer
from shared.stack_files import load_configuration
from tests.drills.recording_system import PRIMARY, RECOVERY, System, staged

FAIL_OVER = {
    "primary-crash",
    "primary-frozen",
    "silent-host",
    "region-dark",
    "lag-too-high",
    "controller-killed",
    "old-writer-returns",
    "lost-trigger",
    "latch-holds",
    "record-lost",
    "planned-slow-reboot",
    "writer-hung",
    "standby-busy",
    "crash-in-backup",
    "unprepared-database",
    "promotion-dropped",
}
RESTORED = {"bad-delete", "restore-from-snapshot"}
STAY = {
    "link-cut",
    "sites-apart",
    "probe-broken",
    "maintenance-reboot",
    "flapping",
    "planned-refused",
    "short-blackout",
    "aborted",
    "door-blocked",
    "door-blocked-idle",
    "disk-full",
}


def test_all_scenarios_are_there_and_the_crash_of_the_primary_is_the_default() -> None:
    assert set(SCENARIOS) == FAIL_OVER | STAY | RESTORED
    assert DEFAULT_SCENARIO == "primary-crash"


def test_what_a_replica_repeats_is_brought_back_from_a_snapshot() -> None:
    assert {name: SCENARIOS[name].expected for name in RESTORED} == {
        "bad-delete": DrillOutcome.HELD,
        "restore-from-snapshot": DrillOutcome.RESTORED,
    }


@pytest.mark.parametrize("name", sorted(FAIL_OVER))
def test_a_deadly_failure_calls_for_a_failover_and_nothing_else(name: str) -> None:
    assert SCENARIOS[name].outcomes == {DrillOutcome.FAILED_OVER}
    assert SCENARIOS[name].rto_limit_seconds > 0


@pytest.mark.parametrize("name", sorted(STAY))
def test_a_failure_that_spares_the_writer_never_allows_a_failover(name: str) -> None:
    assert DrillOutcome.FAILED_OVER not in SCENARIOS[name].outcomes


def test_only_what_is_over_before_people_are_needed_may_alert_nobody() -> None:
    quiet = {name for name in STAY if DrillOutcome.HELD in SCENARIOS[name].outcomes}
    assert quiet == {"maintenance-reboot", "short-blackout"}


def test_a_writer_that_can_wake_up_must_really_be_fenced() -> None:
    assert {name for name, each in SCENARIOS.items() if each.demands_fence} == {
        "primary-frozen",
        "old-writer-returns",
        "record-lost",
        "planned-slow-reboot",
    }


def test_the_expected_outcome_is_among_the_outcomes_whether_given_or_not() -> None:
    scenario = Scenario(
        "x", "x", DrillOutcome.HELD, lambda stage: None, 0.0, outcomes=frozenset({DrillOutcome.ALERTED})
    )
    assert scenario.outcomes == {DrillOutcome.HELD, DrillOutcome.ALERTED}


def test_an_unknown_scenario_is_refused_with_the_known_ones() -> None:
    with pytest.raises(SettingsError, match="primary-crash"):
        scenario_named("earthquake")


@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=lambda each: each.name)
def test_every_scenario_asks_only_for_settings_that_exist(scenario: Scenario) -> None:
    assigned(tuple(f"{key}={value}" for key, value in scenario.configuration.items()))


def test_faults_are_measured_by_the_outage_that_the_lab_waits_for() -> None:
    lab = yaml.safe_load((REPOSITORY_ROOT / "projects/dr-automation/Pulumi.lab.yaml").read_text(encoding="utf-8"))
    assert float(lab["config"]["postgres-dr-automation:outageSeconds"]) == OUTAGE_SECONDS


def test_flaps_can_be_told_from_answers_and_from_an_outage() -> None:
    lab = load_configuration(layer("dr-automation").folder, "lab", SCENARIOS["flapping"].configuration)
    timings = {key.rpartition(":")[2]: int(value) for key, value in lab.values.items() if value.isdigit()}
    period_seconds, timeout_seconds = timings["metricPeriodSeconds"], timings["probeTimeoutSeconds"]
    asking_seconds = (timings["probesPerRun"] - 1) * timings["probeIntervalSeconds"]
    longest_gap_seconds = timings["scheduleSeconds"] - asking_seconds
    assert longest_gap_seconds < FLAP_ANSWERS_SECONDS
    assert period_seconds <= FLAP_FROZEN_SECONDS - timeout_seconds, "a period may have no answer"
    assert FLAP_FROZEN_SECONDS + longest_gap_seconds < timings["outageSeconds"]
    assert (FLAP_FROZEN_SECONDS + FLAP_ANSWERS_SECONDS) % period_seconds != 0


@pytest.mark.parametrize(
    ("name", "actions"),
    [
        ("primary-crash", ["kill p"]),
        ("primary-frozen", ["freeze p"]),
        ("silent-host", ["silence p"]),
        ("region-dark", [f"darken {PRIMARY}", "kill p"]),
        ("lost-trigger", ["unsubscribe failover", "kill p"]),
    ],
)
def test_a_deadly_failure_hits_the_writer_and_nothing_is_repaired(
    monkeypatch: pytest.MonkeyPatch, name: str, actions: list[str]
) -> None:
    stage, system = staged(monkeypatch)
    system.when(actions[-1], system.fails_over, after_seconds=12.0)
    scenario_named(name).run(stage)
    assert system.done == actions
    assert stage.fault is not None
    assert stage.fault.at.monotonic == system.times[-1]


def test_a_trigger_without_a_subscription_to_remove_ends_the_drill(monkeypatch: pytest.MonkeyPatch) -> None:
    stage, system = staged(monkeypatch)
    monkeypatch.setattr("tests.drills.recording_system.Aws._subscriptions", lambda *_: [{"Subscriptions": []}])
    with pytest.raises(DrillNotReadyError, match="failover"):
        scenario_named("lost-trigger").run(stage)
    assert system.done == []


@pytest.mark.parametrize(
    ("name", "begin", "end"),
    [
        ("link-cut", ["cut link"], ["heal link"]),
        ("sites-apart", [f"darken {PRIMARY} seen from {RECOVERY}"], [f"lighten {PRIMARY}"]),
        (
            "probe-broken",
            [f"point probe-primary in {PRIMARY} at {{1}}", f"point probe-recovery in {RECOVERY} at {{1}}"],
            [f"point probe-primary in {PRIMARY} at {{5432}}", f"point probe-recovery in {RECOVERY} at {{5432}}"],
        ),
    ],
)
def test_what_only_looks_like_a_failure_lasts_three_outages_and_is_repaired(
    monkeypatch: pytest.MonkeyPatch, name: str, begin: list[str], end: list[str]
) -> None:
    stage, system = staged(monkeypatch)
    system.when(begin[-1], lambda: system.decides("alert", "something"), after_seconds=25.0)
    scenario_named(name).run(stage)
    assert system.done == begin + end
    assert system.times[len(begin)] - system.times[0] >= max(25.0, 3 * OUTAGE_SECONDS)


@pytest.mark.parametrize("word", [False, None])
def test_the_sites_are_not_separated_unless_the_witness_can_tell_it_from_a_lost_region(
    monkeypatch: pytest.MonkeyPatch, word: bool | None
) -> None:
    stage, system = staged(monkeypatch)
    system.witness_sees = word
    with pytest.raises(DrillNotReadyError, match="witness"):
        scenario_named("sites-apart").run(stage)
    assert system.done == []


def test_a_reboot_is_longer_than_an_outage_and_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    stage, system = staged(monkeypatch)

    def away(status: str) -> None:
        system.rds_status = status

    system.when("reboot p", lambda: away("rebooting"), after_seconds=0.5)
    system.when("reboot p", lambda: away("available"), after_seconds=11.0)
    scenario_named("maintenance-reboot").run(stage)
    assert system.done == ["slow reboots 25", "reboot p"]
    assert system.rds_status == "available"


def test_a_reboot_that_never_begins_ends_the_drill(monkeypatch: pytest.MonkeyPatch) -> None:
    stage, _ = staged(monkeypatch)
    with pytest.raises(DrillNotReadyError, match="away"):
        scenario_named("maintenance-reboot").run(stage)


def test_flapping_is_away_again_and_again_each_time_for_less_than_an_outage(monkeypatch: pytest.MonkeyPatch) -> None:
    stage, system = staged(monkeypatch)
    system.when("thaw p", lambda: system.decides("alert", "flapping"))
    scenario_named("flapping").run(stage)
    assert system.done == ["freeze p", "thaw p"] * FLAPS
    apart = [later - earlier for earlier, later in pairwise(system.times)]
    assert apart[::2] == pytest.approx([FLAP_FROZEN_SECONDS] * FLAPS)
    assert apart[1::2] == pytest.approx([FLAP_ANSWERS_SECONDS] * (FLAPS - 1))


def test_a_lag_too_high_is_made_first_asked_about_and_only_then_approved(monkeypatch: pytest.MonkeyPatch) -> None:
    stage, system = staged(monkeypatch)
    began = system.clock.seconds
    system.lag_seconds = lambda: system.clock.seconds - began
    proposal = {"incident_id": "000001-x", "epoch": 1, "code": "loss_above_limit", "loss_bound_seconds": Decimal("9.2")}
    system.when("kill p", lambda: system.decides("ask", "loss_above_limit", proposal=proposal))
    system.when("write control", system.fails_over, after_seconds=10.0)
    scenario_named("lag-too-high").run(stage)
    assert system.done == ["stall_replication r", "kill p", "write control"]
    assert system.times[1] - system.times[0] > 8
    assert system.times[2] - system.times[1] >= 12
    order = system.table["control"]["order"]
    assert (order["kind"], order["incident_id"], order["epoch"]) == ("approve", "000001-x", 1)
    assert (order["accepted_loss_seconds"], order["accepts_unknown_loss"]) == (10, False)
    assert stage.fault is not None
    assert stage.fault.at.monotonic == system.times[1]


def test_a_controller_that_does_not_ask_about_the_lag_fails_the_drill(monkeypatch: pytest.MonkeyPatch) -> None:
    stage, system = staged(monkeypatch)
    system.lag_seconds = lambda: 9.0
    system.when("kill p", system.fails_over)
    with pytest.raises(DrillNotReadyError, match="did not ask"):
        scenario_named("lag-too-high").run(stage)


def test_a_controller_that_asks_and_does_not_wait_fails_the_drill(monkeypatch: pytest.MonkeyPatch) -> None:
    stage, system = staged(monkeypatch)
    system.lag_seconds = lambda: 9.0
    system.when("kill p", lambda: system.decides("ask", "loss_above_limit"))
    system.when("kill p", lambda: system.incident_is(Phase.OPENED), after_seconds=3.0)
    monkeypatch.setattr("drills.stage.Stage.keep_writing", lambda _, seconds: slept(system, seconds))
    with pytest.raises(DrillNotReadyError, match="before it was answered"):
        scenario_named("lag-too-high").run(stage)


def test_the_controller_is_killed_once_at_each_phase(monkeypatch: pytest.MonkeyPatch) -> None:
    stage, system = staged(monkeypatch)
    system.when("kill p", lambda: system.incident_is(Phase.OPENED))
    for phase, following in pairwise(KILLABLE_PHASES):
        system.when(f"kill function at {phase}", partial(system.incident_is, following))
    system.when(f"kill function at {KILLABLE_PHASES[-1]}", system.fails_over)
    scenario_named("controller-killed").run(stage)
    assert system.done == ["kill p", *(f"kill function at {phase}" for phase in KILLABLE_PHASES)]


def test_a_controller_that_could_not_be_killed_often_enough_ends_the_drill(monkeypatch: pytest.MonkeyPatch) -> None:
    stage, system = staged(monkeypatch)
    system.when("kill p", system.fails_over)
    with pytest.raises(DrillNotReadyError, match="killed in 0 of 6"):
        scenario_named("controller-killed").run(stage)
    assert system.done == ["kill p"]


def test_the_old_writer_comes_back_after_its_region_and_clients_write_on(monkeypatch: pytest.MonkeyPatch) -> None:
    stage, system = staged(monkeypatch)
    system.when("kill p", system.fails_over, after_seconds=12.0)
    guard = {"id": "fence#primary", "epoch": 1, "outcome": "fenced", "detail": "quarantined"}
    system.when(f"lighten {PRIMARY}", lambda: system.table.update({"fence#primary": guard}))
    scenario_named("old-writer-returns").run(stage)
    assert system.done == [f"darken {PRIMARY}", "kill p", f"lighten {PRIMARY}", "start p"]
    assert system.clock.seconds - system.times[-1] >= 10


def test_the_old_writer_comes_back_even_where_no_guard_has_acted(monkeypatch: pytest.MonkeyPatch) -> None:
    stage, system = staged(monkeypatch)
    system.when("kill p", system.fails_over)
    scenario_named("old-writer-returns").run(stage)
    assert system.done[-1] == "start p"


def test_the_old_writer_does_not_come_back_where_there_was_no_failover(monkeypatch: pytest.MonkeyPatch) -> None:
    stage, system = staged(monkeypatch)
    system.taking_writes = None
    scenario_named("old-writer-returns").run(stage)
    assert system.done == [f"darken {PRIMARY}", "kill p"]


def slept(system: System, seconds: float) -> None:
    system.clock.sleep(seconds)
    system.settle()
