"""A pause holds until somebody ends it, and neither takes anything from another person."""

from __future__ import annotations

import pytest

from failover.settings import Settings
from operations.errors import ChangedMeanwhileError, RefusedError
from tests.operations.terminal import ALICE, BOB, Terminal, healthy_world, silence, world_in_trouble
from worlds.world import ENVIRONMENT


def test_nothing_fails_over_while_paused_and_it_does_after_a_resume() -> None:
    terminal = Terminal(world_in_trouble())
    assert terminal.give("pause --reason rebuild") == 0
    assert terminal.tick()["code"] == "paused"
    assert terminal.give("resume") == 0
    assert "fail over (writer_dead)" in terminal.printed
    assert "The controller's next run begins this failover" in terminal.printed
    assert terminal.tick()["code"] == "closed"


def test_a_pause_says_who_why_and_what_it_means() -> None:
    terminal = Terminal(healthy_world())
    terminal.give("pause --reason rebuild")
    assert terminal.printed.startswith(f"Paused by {ALICE} at 2026-01-01 12:00:06 UTC: rebuild")
    assert "No failover begins" in terminal.printed
    assert "No failover is under way." in terminal.printed
    assert terminal.control["pause"]["by"] == ALICE


def test_a_pause_is_written_also_where_the_function_does_not_answer() -> None:
    terminal = Terminal(healthy_world())
    terminal.function.failure = silence()
    assert terminal.give("pause --reason rebuild") == 0
    assert "The pause is written. What it stops is not known now" in terminal.printed
    assert terminal.control["pause"]["reason"] == "rebuild"


def test_anothers_pause_is_not_taken_over() -> None:
    terminal = Terminal(healthy_world())
    terminal.give("pause --reason rebuild")
    with pytest.raises(RefusedError, match=f"paused by {ALICE}.*nothing was changed"):
        terminal.give("pause --reason mine", by=BOB)
    assert terminal.control["pause"]["reason"] == "rebuild"


def test_a_pause_keeps_the_order_on_record_and_says_that_it_waits() -> None:
    terminal = Terminal(healthy_world())
    terminal.give("failover --planned --yes --no-wait")
    terminal.give("pause --reason wait", by=BOB)
    assert "An order is on record, and is not carried out while paused" in terminal.printed
    assert terminal.control["order"]["by"] == ALICE
    assert terminal.tick()["code"] == "paused"


@pytest.mark.parametrize(
    ("killed_at", "told"),
    [
        ("ec2.", "No failover is under way."),
        ("rds.modify_db_instance", "is opened and stops here."),
        ("rds.promote_read_replica", "has asked for the promotion: it goes on to its end."),
    ],
)
def test_a_pause_says_whether_it_stops_the_failover_under_way(killed_at: str, told: str) -> None:
    terminal = Terminal(healthy_world())
    terminal.give("failover --planned --yes --no-wait")

    def kill(call: int) -> None:
        if terminal.world.called[-1].startswith(killed_at):
            raise KeyboardInterrupt

    if killed_at != "ec2.":
        terminal.world.before = kill
        with pytest.raises(KeyboardInterrupt):
            terminal.tick()
        terminal.world.before = lambda call: None
    terminal.give("pause --reason wait")
    assert told in terminal.printed


def test_a_resume_without_a_pause_changes_nothing() -> None:
    terminal = Terminal(healthy_world())
    assert terminal.give("resume") == 0
    assert terminal.printed.startswith("Nobody has paused. Nothing was changed.")
    assert terminal.control == {}


def test_a_resume_does_not_hide_that_the_setting_pauses() -> None:
    terminal = Terminal(healthy_world(), Settings.from_environment({**ENVIRONMENT, "MODE": "paused"}))
    assert terminal.give("resume") == 1
    assert "still paused, by the dr-automation layer's setting mode" in terminal.printed


def test_a_resume_mends_what_nobody_can_read() -> None:
    terminal = Terminal(world_in_trouble())
    terminal.world.put({"id": "control", "version": 7, "pause": {"by": "somebody"}})
    assert terminal.give("resume") == 0
    assert "written anew" in terminal.printed
    assert terminal.control == {"id": "control", "version": 8}


def test_what_another_person_wrote_meanwhile_is_kept() -> None:
    terminal = Terminal(healthy_world())
    table = terminal.dynamodb

    class Raced:
        """Bob writes right after Alice's read."""

        put_item = staticmethod(table.put_item)

        def get_item(self, **parameters: object) -> object:
            answer = table.get_item(**parameters)
            if terminal.control == {}:
                terminal.dynamodb = table
                terminal.give("pause --reason bobs", by=BOB)
            return answer

    terminal.dynamodb = Raced()
    with pytest.raises(ChangedMeanwhileError, match="no longer version 0"):
        terminal.give("pause --reason mine")
    assert terminal.control["pause"]["reason"] == "bobs"


def test_an_answer_that_got_lost_is_not_taken_for_anothers_write() -> None:
    terminal = Terminal(healthy_world())
    table = terminal.dynamodb

    class WrittenTwice:
        """The SDK tries again after a lost answer, and meets its own write."""

        get_item = staticmethod(table.get_item)

        def put_item(self, **parameters: object) -> object:
            table.put_item(**parameters)
            return table.put_item(**parameters)

    terminal.dynamodb = WrittenTwice()
    assert terminal.give("pause --reason rebuild") == 0
    assert terminal.control["version"] == 1
