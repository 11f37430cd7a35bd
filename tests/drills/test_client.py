"""Which writes count as acknowledged, failed or indeterminate, when a client reconnects, and that nothing blocks it.

Most of it is the same for both ways to the writer, so those tests run with both.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import pytest

from drills.clients.deadline import DeadlineConnection
from drills.clients.given import Given
from drills.clients.history import ROWS_IN_BLOCK, Attempt, Outcome
from drills.clients.others import wanted
from drills.clients.routes import ByName, ByUri, Route
from drills.clients.writing_client import Pace, RowNumbers, WritingClient
from lab.rds.certificates import CertificateAuthority
from tests.drills.fakes import FakeDns, FakePostgres, Manner, closing
from tests.drills.targets import drill_target

FIRST, SECOND = "127.0.0.21", "127.0.0.22"
CONNECT_SECONDS = 0.3
NEVER = 3600.0
CALL_SECONDS = 1.0
KEEPING = Pace(0.01, 0.01, NEVER)
RECYCLING = replace(KEEPING, fresh_connection_seconds=0.02)


@dataclass
class Scene:
    first: FakePostgres
    second: FakePostgres
    dns: FakeDns
    routes: dict[str, Route]
    given: Given

    def move(self) -> None:
        """The second server becomes the writer, under the name and in its own right."""
        self.dns.address = SECOND
        self.second.standby = False


@dataclass
class Writing:
    """A client at work."""

    client: WritingClient

    def until(self, reached: Callable[[tuple[Attempt, ...]], bool]) -> tuple[Attempt, ...]:
        deadline = time.monotonic() + 5
        while not reached(self.client.history.attempts):
            assert time.monotonic() < deadline, self.client.history.attempts[-3:]
            time.sleep(0.01)
        return self.client.history.attempts


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    # psycopg would round the first up to two seconds, as libpq does.
    monkeypatch.setattr("psycopg.connection.timeout_from_conninfo", lambda parameters: CONNECT_SECONDS)
    monkeypatch.setattr(DeadlineConnection, "call_seconds", CALL_SECONDS)
    authority = CertificateAuthority(tmp_path)
    first = FakePostgres(FIRST, 0, authority.server_context(FIRST))
    second = FakePostgres(SECOND, first.port, authority.server_context(SECOND))
    second.standby = True
    dns = FakeDns(FIRST)
    given = Given(drill_target(FIRST, SECOND, port=first.port), dns.server, tmp_path / "authority.pem")
    routes: dict[str, Route] = {"name": ByName(given), "uri": ByUri(given)}
    with closing(first, second, dns):
        yield Scene(first, second, dns, routes, given)


@pytest.fixture(params=["name", "uri"])
def writing(scene: Scene, request: pytest.FixtureRequest) -> Iterator[Writing]:
    """A client by each way that keeps its connection."""
    with at_work(scene.routes[request.param], KEEPING) as writing:
        yield writing


@pytest.fixture(params=["name", "uri"])
def recycling(scene: Scene, request: pytest.FixtureRequest) -> Iterator[Writing]:
    """A client by each way that opens new connections besides."""
    with at_work(scene.routes[request.param], RECYCLING) as writing:
        yield writing


@contextmanager
def at_work(route: Route, pace: Pace, numbers: RowNumbers | None = None) -> Iterator[Writing]:
    client = WritingClient(route, RowNumbers() if numbers is None else numbers, pace)
    client.start()
    try:
        yield Writing(client)
    finally:
        client.stop()


def acknowledged_by(address: str, at_least: int = 3, *, fresh: bool = False) -> Callable[[tuple[Attempt, ...]], bool]:
    return lambda attempts: (
        sum(a.outcome is Outcome.ACKNOWLEDGED and a.server_address == address and a.fresh is fresh for a in attempts)
        >= at_least
    )


def saw(outcome: Outcome) -> Callable[[tuple[Attempt, ...]], bool]:
    return lambda attempts: any(attempt.outcome is outcome for attempt in attempts)


def one(attempts: tuple[Attempt, ...], outcome: Outcome) -> Attempt:
    return next(attempt for attempt in attempts if attempt.outcome is outcome)


def test_what_the_server_confirms_is_acknowledged(writing: Writing) -> None:
    attempts = writing.until(acknowledged_by(FIRST, 5))
    assert [attempt.n for attempt in attempts] == list(range(1, len(attempts) + 1))
    assert all(attempt.outcome is Outcome.ACKNOWLEDGED for attempt in attempts)


def test_two_clients_never_use_the_same_number(scene: Scene) -> None:
    numbers = RowNumbers()
    with (
        at_work(scene.routes["name"], RECYCLING, numbers) as by_name,
        at_work(scene.routes["uri"], RECYCLING, numbers) as by_uri,
    ):
        by_name.until(acknowledged_by(FIRST, 10))
        by_uri.until(acknowledged_by(FIRST, 10))
    used = [attempt.n for each in (by_name, by_uri) for attempt in each.client.history.attempts]
    assert sorted(used) == list(range(1, len(used) + 1))


@pytest.mark.parametrize("manner", [Manner.HANG, Manner.HANG_UP, Manner.DIE])
def test_a_write_that_got_no_answer_is_indeterminate_never_failed(
    scene: Scene, writing: Writing, manner: Manner
) -> None:
    writing.until(acknowledged_by(FIRST))
    scene.first.manner = manner
    attempts = writing.until(saw(Outcome.INDETERMINATE))
    assert not saw(Outcome.FAILED)(attempts)


def test_a_frozen_server_holds_the_client_no_longer_than_its_timeout(scene: Scene, writing: Writing) -> None:
    writing.until(acknowledged_by(FIRST))
    scene.first.manner = Manner.HANG
    held = one(writing.until(saw(Outcome.INDETERMINATE)), Outcome.INDETERMINATE)
    assert held.finished_at.seconds_since(held.invoked_at) < 2 * CALL_SECONDS


def test_a_server_that_accepts_and_says_nothing_is_a_failure_to_connect(scene: Scene, writing: Writing) -> None:
    writing.until(acknowledged_by(FIRST))
    scene.first.manner = Manner.SILENT
    scene.first.hang_up()
    failed = one(writing.until(saw(Outcome.FAILED)), Outcome.FAILED)
    assert "timeout expired" in failed.detail
    assert failed.finished_at.seconds_since(failed.invoked_at) < 1.0


def test_a_refused_write_has_certainly_failed_and_the_client_looks_for_the_writer_again(
    scene: Scene, writing: Writing
) -> None:
    writing.until(acknowledged_by(FIRST))
    scene.move()
    scene.first.standby = True
    scene.first.manner = Manner.REFUSE
    attempts = writing.until(acknowledged_by(SECOND))
    assert "read-only" in one(attempts, Outcome.FAILED).detail
    assert not saw(Outcome.INDETERMINATE)(attempts)


def test_the_client_reaches_the_new_writer_when_the_old_one_is_gone(scene: Scene, writing: Writing) -> None:
    writing.until(acknowledged_by(FIRST))
    scene.move()
    scene.first.close()
    attempts = writing.until(acknowledged_by(SECOND))
    assert [attempt.n for attempt in attempts] == list(range(1, len(attempts) + 1))


def test_a_connection_that_works_is_kept_though_there_is_another_writer(scene: Scene, writing: Writing) -> None:
    writing.until(acknowledged_by(FIRST))
    scene.move()
    writing.until(acknowledged_by(FIRST, 10))
    assert (scene.first.clients, scene.second.statements) == (1, 0)


def test_a_frozen_first_host_does_not_hide_the_second(scene: Scene) -> None:
    scene.first.manner = Manner.SILENT
    scene.second.standby = False
    with at_work(scene.routes["uri"], KEEPING) as writing:
        attempts = writing.until(acknowledged_by(SECOND))
        assert attempts[0].outcome is Outcome.ACKNOWLEDGED
        assert CONNECT_SECONDS <= attempts[0].finished_at.seconds_since(attempts[0].invoked_at) < 1.0


def test_a_host_that_is_a_name_is_known_by_its_address(tmp_path: Path) -> None:
    server = FakePostgres("127.0.0.1", 0, CertificateAuthority(tmp_path).server_context("127.0.0.1"))
    target = replace(
        drill_target("127.0.0.1", SECOND),
        writer_libpq_uri=f"postgresql://localhost:{server.port}/app?target_session_attrs=read-write&sslmode=require",
    )
    given = Given(target, ("127.0.0.1", 1), tmp_path / "none.pem")
    with closing(server), at_work(ByUri(given), KEEPING) as writing:
        writing.until(acknowledged_by("127.0.0.1"))


def test_a_client_with_the_uri_does_not_ask_dns(scene: Scene) -> None:
    with at_work(scene.routes["uri"], RECYCLING) as writing:
        writing.until(acknowledged_by(FIRST, fresh=True))
    assert scene.dns.questions == 0


def test_a_jvm_goes_to_the_old_address_though_the_name_has_moved(scene: Scene) -> None:
    (asked,) = wanted(["jvm-like"])
    jvm = asked.client(scene.given, 3, RECYCLING)
    assert isinstance(jvm, WritingClient)
    jvm.start()
    try:
        writing = Writing(jvm)
        writing.until(acknowledged_by(FIRST, 1, fresh=True))
        scene.move()
        moved = len(jvm.history.attempts)
        writing.until(lambda attempts: sum(attempt.fresh for attempt in attempts[moved:]) >= 5)
    finally:
        jvm.stop()
    assert {attempt.server_address for attempt in jvm.history.attempts} == {FIRST}
    assert not jvm.history.is_documented
    assert all(jvm.history.owns(attempt.n) for attempt in jvm.history.attempts)
    assert jvm.history.block == 3


def test_a_driver_of_a_program_of_its_own_writes_with_what_it_is_given(scene: Scene) -> None:
    (asked,) = wanted(["psycopg"])
    client = asked.client(scene.given, 2, KEEPING)
    client.start()
    try:
        deadline = time.monotonic() + 20
        while len(client.history.attempts) < 2:
            assert time.monotonic() < deadline, client.history
            time.sleep(0.02)
    finally:
        client.stop()
    history = client.history
    first = 2 * ROWS_IN_BLOCK + 1
    assert [each.n for each in history.attempts[:2]] == [first, first + 1]
    assert {(each.outcome, each.server_address) for each in history.attempts[:2]} == {(Outcome.ACKNOWLEDGED, FIRST)}
    assert (history.name, history.trouble) == ("psycopg", "")


def test_new_connections_are_opened_besides_the_kept_one_each_for_one_row(scene: Scene, recycling: Writing) -> None:
    attempts = recycling.until(acknowledged_by(FIRST, 3, fresh=True))
    kept_connections = 1
    fresh = [attempt for attempt in attempts if attempt.fresh]
    assert kept_connections + len(fresh) <= scene.first.clients <= kept_connections + len(fresh) + 1


def test_a_new_connection_goes_where_the_writer_is_now_while_the_kept_one_stays(
    scene: Scene, recycling: Writing
) -> None:
    recycling.until(acknowledged_by(FIRST, fresh=True))
    scene.move()
    scene.first.standby = True
    before = len(recycling.client.history.attempts)
    attempts = recycling.until(acknowledged_by(SECOND, fresh=True))
    assert acknowledged_by(FIRST, 1)(attempts[before:])


def test_a_server_that_lets_nobody_in_any_more_does_not_interrupt_the_kept_connection(
    scene: Scene, recycling: Writing
) -> None:
    recycling.until(acknowledged_by(FIRST, fresh=True))
    scene.first.manner = Manner.SHUT_OUT
    attempts = recycling.until(lambda all_: sum(a.fresh and a.outcome is Outcome.FAILED for a in all_) >= 2)
    kept = [attempt for attempt in attempts if not attempt.fresh]
    assert all(attempt.outcome is Outcome.ACKNOWLEDGED for attempt in kept)
    held = [late.finished_at.seconds_since(early.finished_at) for early, late in pairwise(kept)]
    assert max(held) < CONNECT_SECONDS
