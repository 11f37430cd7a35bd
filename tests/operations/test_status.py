"""Status tells what the controller sees now, or says that it does not."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from failover.report import report
from failover.signals import SIGNAL_NAMES
from operations import status_text
from operations.errors import RefusedError
from operations.report import Report
from tests.operations.terminal import DEPLOYMENT, MANUAL, Terminal, denied, healthy_world, silence, world_in_trouble
from worlds.clock import Clock
from worlds.world import SETTINGS, World


def report_of(world: World) -> Report:
    return Report.of(json.loads(json.dumps(report(world, SETTINGS, Clock(world), {"order": None}))))


def test_a_healthy_system_is_told_in_full() -> None:
    terminal = Terminal(healthy_world())
    assert terminal.give("status") == 0
    for said in ("primary (epoch 0)", "automatic", "hold: do nothing (healthy)", "last incident: none"):
        assert said in terminal.printed


def test_trouble_is_told_with_its_age_and_what_would_be_lost() -> None:
    terminal = Terminal(world_in_trouble(), MANUAL)
    terminal.give("status")
    assert "failing since 2026-01-01 12:00:00 UTC (6 s ago)" in terminal.printed
    assert "fail over as soon as a person approves (manual)" in terminal.printed
    assert "--approve 000001-20260101T120000Z --epoch 1 --dry-run" in terminal.printed


def test_every_signal_is_told_and_explained() -> None:
    lines = status_text.signals(report_of(healthy_world()))[1:]
    assert set(SIGNAL_NAMES) == set(status_text.QUESTIONS)
    assert [line.split("  ")[1] for line in lines] == [name.replace("_", " ") for name in SIGNAL_NAMES]


def test_unknown_is_told_as_unknown() -> None:
    world = healthy_world()
    world.dark = {"ap-southeast-2"}
    lines = {line[2:19].strip(): line[19:].split()[0] for line in status_text.signals(report_of(world))[1:]}
    assert lines["rds healthy"] == "unknown"
    assert lines["answers there"] == "unknown"


def test_an_unknown_loss_is_not_told_as_none() -> None:
    world = world_in_trouble()
    world.lag_seconds = -1
    assert "a failover would lose: unknown" in status_text.lag(report_of(world))


def test_who_paused_when_and_why_is_told() -> None:
    terminal = Terminal(healthy_world())
    terminal.give("pause --reason rebuild")
    terminal.world.sleep(300)
    terminal.give("status")
    assert "mode paused by arn:aws:iam::111122223333:user/alice at 2026-01-01 12:00:06 UTC (5 min ago): rebuild" in (
        terminal.printed
    )


def test_an_incident_under_way_is_told_step_by_step() -> None:
    terminal = Terminal(healthy_world())
    terminal.person.types = ["000001-ordered"]
    terminal.give("failover --planned --no-wait")

    def dies(call: int) -> None:
        if terminal.world.called[-1] == "rds.promote_read_replica":
            raise KeyboardInterrupt

    terminal.world.before = dies
    with pytest.raises(KeyboardInterrupt):
        terminal.tick()
    terminal.world.before = lambda call: None
    terminal.give("status")
    assert "carry the incident under way through" in terminal.printed
    assert "000001-ordered, planned, ordered by arn:aws:iam::111122223333:user/alice, to recovery" in terminal.printed
    assert "fenced fenced (" in terminal.printed
    assert "promoting under way" in terminal.printed


def test_the_last_incident_is_told_with_its_rto_and_loss() -> None:
    terminal = Terminal(world_in_trouble())
    terminal.tick()
    terminal.give("status")
    incident = terminal.world.incidents[0]
    assert f"Recovery time (RTO): {float(incident['rto_seconds']):.1f} s" in terminal.printed
    assert "Data loss: at most" in terminal.printed


def test_a_closed_failover_whose_fence_failed_says_so() -> None:
    world = world_in_trouble()
    world.fence_refused = True
    terminal = Terminal(world)
    terminal.tick()
    terminal.give("status")
    assert "The old writer is NOT known to be fenced" in terminal.printed


def test_machines_get_the_report_as_it_is_and_whose_it_is() -> None:
    terminal = Terminal(healthy_world())
    assert terminal.give("status --json") == 0
    seen = report(terminal.world, terminal.settings, Clock(terminal.world), {"order": None})
    assert json.loads(terminal.printed) == {**json.loads(json.dumps(seen)), **DEPLOYMENT.identity}


@pytest.mark.parametrize("failure", [silence(), denied("Invoke")], ids=["silent", "refused"])
def test_where_the_function_does_not_tell_the_record_is_shown_and_said_to_be_no_more(failure: Exception) -> None:
    terminal = Terminal(world_in_trouble(), MANUAL)
    terminal.tick()
    terminal.function.failure = failure
    assert terminal.give("status") == 1
    assert terminal.printed.startswith("NOT SEEN NOW: failoverFunctionName = failover-recovery-test: ")
    assert "ask (manual)" in terminal.printed
    assert "failing since" in terminal.printed
    assert "yes" not in terminal.printed.split()


def test_a_function_that_fails_is_no_report() -> None:
    terminal = Terminal(healthy_world())
    terminal.world.put({"id": "controller", "version": 1, "epoch": 1, "writer_site": "primary", "incident_id": "gone"})
    with pytest.raises(RefusedError, match="what it holds is damaged"):
        terminal.give("status")


@pytest.mark.parametrize("part", ["mode", "signals", "decision", "incident", "steps", "trouble"])
def test_an_answer_of_another_version_is_no_report(part: str) -> None:
    terminal = Terminal(healthy_world())
    terminal.function.answer = lambda content: {name: value for name, value in content.items() if name != part}
    assert terminal.give("status") == 1
    assert "run the commands of the version that is deployed" in terminal.printed


def test_the_record_tells_machines_that_it_is_only_the_record() -> None:
    terminal = Terminal(healthy_world())
    terminal.give("pause --reason rebuild")
    terminal.function.failure = silence()
    assert terminal.give("status --json") == 1
    told = json.loads(terminal.printed)
    assert told["not_seen"].startswith("failoverFunctionName")
    assert told["recorded"]["control"]["pause"]["reason"] == "rebuild"


def test_where_the_table_does_not_tell_either_it_is_refused() -> None:
    terminal = Terminal(healthy_world())
    terminal.function.failure = silence()
    terminal.world.dark = {"ap-southeast-1"}
    with pytest.raises(RefusedError, match="stateTableName = state: DynamoDB does not tell either"):
        terminal.give("status")


def test_what_people_said_and_nobody_can_read_is_not_told_as_nothing() -> None:
    terminal = Terminal(healthy_world())
    terminal.world.put({"id": "control", "version": 1, "pause": {"by": "somebody"}})
    assert terminal.give("status") == 1
    assert "mode unknown: item control of table state" in terminal.printed
    assert "order unknown" in terminal.printed


def test_ages_are_told_in_the_units_people_think_in() -> None:
    world = world_in_trouble()
    Terminal(world, MANUAL).tick()
    world.now += timedelta(hours=3)
    terminal = Terminal(world, MANUAL)
    terminal.give("status")
    assert "(3 h ago)" in terminal.printed


def test_an_order_that_was_carried_out_is_not_told_as_good() -> None:
    terminal = Terminal(healthy_world())
    terminal.give("failover --planned --yes --no-wait")
    terminal.give("status")
    assert "epoch 1; good for 15 min more" in terminal.printed
    terminal.tick()
    terminal.give("status")
    assert "epoch 1; that epoch has begun, so it is carried out or void" in terminal.printed
