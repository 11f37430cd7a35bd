"""A pause holds until somebody resumes, and neither overwrites what another person wrote."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from aws_in_memory.deployed import ENVIRONMENT, healthy, writer_dead
from failover.settings import Settings
from function_runtime.sites import Site
from function_runtime.state import ControlUnreadableError
from operations.errors import ChangedMeanwhileError, RefusedError
from tests.operations.terminal import ALICE, BOB, Terminal, silence


def test_nothing_fails_over_while_paused_and_it_does_after_a_resume() -> None:
    terminal = Terminal(writer_dead())
    assert terminal.give("pause --reason rebuild") == 0
    assert terminal.printed.startswith(f"Paused by {ALICE} at 2026-01-01 12:00:06 UTC: rebuild")
    assert terminal.control["pause"]["by"] == ALICE
    assert terminal.tick()["code"] == "paused"
    terminal.aws.sleep(300)
    assert terminal.give("resume") == 0
    assert f"It was paused by {ALICE} at 2026-01-01 12:00:06 UTC (5 min ago): rebuild" in terminal.printed
    assert "The controller's next run begins this failover" in terminal.printed
    assert terminal.tick()["code"] == "closed"


def test_a_pause_is_written_even_if_the_function_does_not_answer() -> None:
    terminal = Terminal(healthy())
    terminal.function.failure = silence()
    assert terminal.give("pause --reason rebuild") == 0
    assert "Whether a failover is under way is not known" in terminal.printed
    assert terminal.control["pause"]["reason"] == "rebuild"


def test_another_persons_pause_is_not_replaced() -> None:
    terminal = Terminal(healthy())
    terminal.give("pause --reason rebuild")
    with pytest.raises(RefusedError, match=f"paused by {ALICE}.*nothing was changed"):
        terminal.give("pause --reason mine", by=BOB)
    assert terminal.control["pause"]["reason"] == "rebuild"


def test_a_pause_keeps_the_order_on_record_and_says_that_it_waits() -> None:
    terminal = Terminal(healthy())
    terminal.give("failover --planned --yes --no-wait")
    terminal.give("pause --reason wait", by=BOB)
    assert "It is not carried out while failovers are paused" in terminal.printed
    assert terminal.control["order"]["by"] == ALICE
    assert terminal.tick()["code"] == "paused"


@pytest.mark.parametrize(
    ("killed_at", "told"),
    [
        (None, "No failover is under way."),
        ("rds.modify_db_instance", "taken back: primary stays the writer"),
        ("rds.promote_read_replica", "has asked RDS to promote: no pause and no cancellation stops it now."),
    ],
)
def test_a_pause_says_whether_it_stops_the_failover_under_way(killed_at: str | None, told: str) -> None:
    terminal = Terminal(healthy())
    terminal.give("failover --planned --yes --no-wait")
    if killed_at is not None:
        terminal.tick_killed_at(killed_at)
    terminal.give("pause --reason wait")
    assert told in terminal.printed


def test_a_resume_without_a_pause_changes_nothing() -> None:
    terminal = Terminal(healthy())
    assert terminal.give("resume") == 0
    assert terminal.printed.startswith("Failovers are not paused. Nothing was changed.")
    assert terminal.control == {}


def test_a_resume_does_not_hide_that_the_setting_pauses() -> None:
    terminal = Terminal(healthy(), Settings.from_environment({**ENVIRONMENT, "MODE": "paused"}))
    assert terminal.give("resume") == 1
    assert "still paused, by the dr-automation layer's setting mode" in terminal.printed


def test_an_unreadable_item_is_refused_by_a_pause_and_replaced_by_a_resume() -> None:
    terminal = Terminal(writer_dead())
    terminal.aws.put({"id": "control", "version": 7, "pause": {"by": "somebody"}})
    with pytest.raises(ControlUnreadableError, match="write it anew with `nox -s resume`"):
        terminal.give("pause --reason rebuild")
    assert terminal.give("resume") == 0
    assert "Replaced by an empty item" in terminal.printed
    assert terminal.control == {"id": "control", "version": 8}


def test_what_another_person_writes_at_the_same_time_is_kept() -> None:
    terminal = Terminal(healthy())
    table = terminal.dynamodb[Site.RECOVERY]

    def bob_writes_after_the_read(**parameters: object) -> object:
        answer = table.get_item(**parameters)
        if terminal.control == {} and parameters["Key"] == {"id": {"S": "control"}}:
            terminal.dynamodb[Site.RECOVERY] = table
            terminal.give("pause --reason bobs", by=BOB)
        return answer

    terminal.dynamodb[Site.RECOVERY] = SimpleNamespace(get_item=bob_writes_after_the_read, put_item=table.put_item)
    with pytest.raises(ChangedMeanwhileError, match="no longer version 0"):
        terminal.give("pause --reason mine")
    assert terminal.control["pause"]["reason"] == "bobs"


def test_a_write_that_the_sdk_repeats_is_not_taken_for_another_persons() -> None:
    terminal = Terminal(healthy())
    table = terminal.dynamodb[Site.RECOVERY]

    def written_twice(**parameters: object) -> object:
        table.put_item(**parameters)
        return table.put_item(**parameters)

    terminal.dynamodb[Site.RECOVERY] = SimpleNamespace(get_item=table.get_item, put_item=written_twice)
    assert terminal.give("pause --reason rebuild") == 0
    assert terminal.control["version"] == 1
