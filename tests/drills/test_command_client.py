"""A client that is a program: what it says is its history, and whatever it does, the drill can end it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from drills.clients.attempt_line import AttemptLine, NonsenseError, read_line
from drills.clients.command_client import CommandClient, Program
from drills.clients.history import ClientHistory, Outcome

SAYS_THREE = """
echo '{"n": 20000001, "outcome": "acknowledged", "server": "127.0.0.21:5432", "seconds": 0.5}'
echo '{"n": 20000002, "outcome": "failed", "error": "refused: password s3cret"}'
echo '{"n": 20000003, "outcome": "indeterminate", "server": null}'
"""
FOREVER = "while :; do sleep 0.05; done"


@contextmanager
def running(script: str) -> Iterator[CommandClient]:
    client = CommandClient(Program("mine", ("sh", "-c", script)), 2, {"FIRST_ROW": "20000001"}, ["s3cret"])
    client.start()
    try:
        yield client
    finally:
        client.stop()


def ended(script: str, *, once: Callable[[CommandClient], bool] = lambda client: client.is_over) -> ClientHistory:
    with running(script) as client:
        until(lambda: once(client))
    return client.history


def until(reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not reached():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def has_said(count: int) -> Callable[[CommandClient], bool]:
    return lambda client: len(client.history.attempts) >= count


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("drills.clients.command_client.STOP_SECONDS", 0.3)


def test_what_a_program_prints_is_its_history() -> None:
    history = ended(SAYS_THREE + FOREVER, once=has_said(3))
    said = [(each.n, each.outcome, each.server_address) for each in history.attempts]
    assert said == [
        (20000001, Outcome.ACKNOWLEDGED, "127.0.0.21"),
        (20000002, Outcome.FAILED, None),
        (20000003, Outcome.INDETERMINATE, None),
    ]
    first = history.attempts[0]
    assert first.finished_at.seconds_since(first.invoked_at) == pytest.approx(0.5)
    assert (history.trouble, history.is_documented, history.block) == ("", False, 2)


def test_the_password_gets_into_no_report() -> None:
    history = ended(SAYS_THREE + "echo s3cret; echo s3cret >&2; exit 3")
    assert "s3cret" not in repr(history)
    assert "exit" not in history.trouble
    assert "nonsense" in history.trouble
    assert "ended by itself, with 3" in history.trouble


def test_a_program_that_cannot_be_started_or_ends_early_is_said_to_have(tmp_path: Path) -> None:
    assert "ended by itself, with 7: no such host" in ended("echo no such host >&2; exit 7").trouble
    client = CommandClient(Program("gone", (str(tmp_path / "gone"),)), 1, {}, [])
    client.start()
    client.stop()
    assert client.is_over
    assert "could not be started" in client.history.trouble


def test_a_program_that_does_not_end_is_killed_with_all_that_it_started_and_its_row_is_indeterminate() -> None:
    script = f"trap '' TERM; {SAYS_THREE} sh -c 'trap \"\" TERM; echo $$ >&2; {FOREVER}'"
    before = set(psutil.Process().children(recursive=True))
    history = ended(script, once=has_said(3))
    assert set(psutil.Process().children(recursive=True)) <= before
    assert "had to be killed" in history.trouble
    last = history.attempts[-1]
    assert (last.n, last.outcome) == (20000004, Outcome.INDETERMINATE)
    assert history.longest_wait_seconds >= 0.3


def test_nonsense_is_reported_once_and_does_not_keep_what_makes_sense_out() -> None:
    history = ended(f"echo hello; echo '{{}}'; {SAYS_THREE} {SAYS_THREE} {FOREVER}", once=has_said(3))
    assert len(history.attempts) == 3
    assert history.trouble == "it printed nonsense: the line 'hello' is no JSON"


def test_numbers_of_others_are_nonsense() -> None:
    assert "FIRST_ROW" in ended('echo \'{"n": 5, "outcome": "failed"}\'; exit').trouble


def test_a_program_that_prints_without_end_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("drills.clients.command_client.MOST_ATTEMPTS", 50)
    assert "it was killed" in ended("while :; do echo x; done").trouble


def test_a_program_rests_when_the_others_do() -> None:
    counting = 'n=20000001; while :; do echo \'{"n": \'$n\', "outcome": "failed"}\'; n=$((n+1)); sleep 0.01; done'
    with running(counting) as client:
        until(lambda: has_said(3)(client))
        client.rest()
        time.sleep(0.1)
        said = len(client.history.attempts)
        time.sleep(0.2)
        assert len(client.history.attempts) == said
        client.go_on()
        until(lambda: has_said(said + 3)(client))
        assert client.history.longest_wait_seconds < 0.2


@pytest.mark.parametrize(
    ("line", "server"),
    [
        ('{"n": 1, "outcome": "acknowledged", "server": "10.0.0.1"}', "10.0.0.1"),
        ('{"n": 1, "outcome": "acknowledged", "server": "10.0.0.1:5432"}', "10.0.0.1"),
        ('{"n": 1, "outcome": "acknowledged", "server": "10.0.0.1/32"}', "10.0.0.1"),
        ('{"n": 1, "outcome": "acknowledged", "server": "[::1]:5432"}', "::1"),
        ('{"n": 1, "outcome": "acknowledged", "server": "db.internal:5432"}', None),
        ('{"n": 1, "outcome": "acknowledged"}', None),
    ],
)
def test_a_server_is_known_by_its_address_however_a_driver_says_it(line: str, server: str | None) -> None:
    assert read_line(line) == AttemptLine(1, Outcome.ACKNOWLEDGED, server, "", None)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "null",
        "[1]",
        '{"n": "1", "outcome": "failed"}',
        '{"n": true, "outcome": "failed"}',
        '{"n": 1, "outcome": "maybe"}',
        '{"n": 1, "outcome": []}',
        '{"n": 1, "outcome": "failed", "server": 5}',
        '{"n": 1, "outcome": "failed", "seconds": -1}',
        '{"n": 1, "outcome": "failed", "seconds": NaN}',
        "x" * 1000,
    ],
)
def test_a_line_that_is_no_attempt_is_refused_and_shown_in_short(line: str) -> None:
    with pytest.raises(NonsenseError) as refused:
        read_line(line)
    assert len(str(refused.value)) < 300
