"""A process has one session in each database at most, and a probe returns in time whatever its session does."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from function_runtime.session_outcome import SessionOutcome
from function_runtime.sites import Site
from health_probe.deadline import Deadline
from health_probe.one_session import Sessions
from health_probe.session import Login, NoTimeLeftError, SessionResult
from health_probe.settings import Target

PRIMARY = Login(Target("primary", 5432, "ap-southeast-2"), Site.RECOVERY, None)
RECOVERY = Login(Target("recovery", 5432, "ap-southeast-1"), Site.RECOVERY, None)
WORKS = SessionResult(SessionOutcome.WORKS, heartbeat_at=1.0)
SHORT_SECONDS = 0.2
LONG_SECONDS = 5.0


class Server:
    """A database whose sessions stop where a test says, until it lets them go on."""

    def __init__(self, *, stops_before_the_commit: bool = False, stops_after_it: bool = False) -> None:
        self.stops_before_the_commit = stops_before_the_commit
        self.stops_after_it = stops_after_it
        self.goes_on = threading.Event()
        self.opened = 0
        self.commits = 0
        self.ended = 0

    def hold(self, login: Login, deadline: Deadline, about_to_commit: Callable[[], None]) -> SessionResult:
        self.opened += 1
        try:
            if self.stops_before_the_commit:
                self.goes_on.wait(LONG_SECONDS)
            about_to_commit()
            self.commits += 1
            if self.stops_after_it:
                self.goes_on.wait(LONG_SECONDS)
        except NoTimeLeftError:
            return SessionResult(SessionOutcome.NOT_ENDED, "late")
        finally:
            self.ended += 1
        return WORKS


@contextmanager
def asking(server: Server) -> Iterator[Callable[[Login], SessionOutcome]]:
    """Ask through the sessions of one process; each probe is over in time."""
    sessions = Sessions(server.hold)

    def ask(login: Login) -> SessionOutcome:
        began = time.monotonic()
        result = sessions.ask(login, Deadline(SHORT_SECONDS))
        assert time.monotonic() - began < SHORT_SECONDS + 1
        return result.outcome

    try:
        yield ask
    finally:
        server.goes_on.set()


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + LONG_SECONDS
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_session_that_works_is_followed_by_another() -> None:
    server = Server()
    with asking(server) as ask:
        assert [ask(PRIMARY), ask(PRIMARY)] == [SessionOutcome.WORKS] * 2
    assert server.opened == 2


def test_a_commit_that_is_not_answered_is_hung_as_long_as_it_is_open_and_nothing_piles_up() -> None:
    server = Server(stops_after_it=True)
    with asking(server) as ask:
        # As many runs as one likes: they share the process.
        assert [ask(PRIMARY) for _ in range(3)] == [SessionOutcome.HUNG] * 3
        assert server.opened == 1
        server.stops_after_it = False
        server.goes_on.set()
        until(lambda: server.ended == 1)
        assert ask(PRIMARY) is SessionOutcome.WORKS
        assert server.opened == 2


def test_a_session_that_sent_no_commit_says_nothing_about_commits_and_sends_none_later() -> None:
    server = Server(stops_before_the_commit=True)
    with asking(server) as ask:
        assert [ask(PRIMARY), ask(PRIMARY)] == [SessionOutcome.NOT_ENDED] * 2
        assert server.opened == 1
        server.goes_on.set()
        until(lambda: server.ended == 1)
        assert server.commits == 0


def test_a_commit_is_not_sent_where_too_little_time_is_left_for_its_answer() -> None:
    server = Server()

    def slow(login: Login, deadline: Deadline, about_to_commit: Callable[[], None]) -> SessionResult:
        time.sleep(SHORT_SECONDS * 0.7)
        return server.hold(login, deadline, about_to_commit)

    assert Sessions(slow).ask(PRIMARY, Deadline(SHORT_SECONDS)).outcome is SessionOutcome.NOT_ENDED
    assert server.commits == 0


def test_an_open_session_in_one_database_is_none_in_the_other() -> None:
    server = Server(stops_after_it=True)
    with asking(server) as ask:
        assert [ask(PRIMARY), ask(RECOVERY)] == [SessionOutcome.HUNG] * 2
        assert server.opened == 2


def test_the_run_can_end_while_a_session_is_open() -> None:
    server = Server(stops_after_it=True)
    with asking(server) as ask:
        ask(PRIMARY)
        assert all(each.daemon for each in threading.enumerate() if each.name == "probe-session")


def test_a_fault_of_the_probe_itself_is_told_and_is_no_evidence(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[threading.ExceptHookArgs] = []
    monkeypatch.setattr(threading, "excepthook", told.append)

    def broken(login: Login, deadline: Deadline, about_to_commit: Callable[[], None]) -> SessionResult:
        raise RuntimeError("a mistake in the probe")

    assert Sessions(broken).ask(PRIMARY, Deadline(SHORT_SECONDS)).outcome is SessionOutcome.NOT_ENDED
    until(lambda: bool(told))
    assert str(told[0].exc_value) == "a mistake in the probe"
