"""What the writing client takes for acknowledged, for failed and for unknown, and that nothing can hold it up."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from lab.drill.client import Pace, WritingClient
from lab.drill.history import Attempt, Outcome
from lab.drill.names import NameNotResolvedError, NameWatch, ask
from lab.rds.certificates import CertificateAuthority
from tests.drill.fakes import FakeDns, FakePostgres, Manner, closing
from tests.drill.targets import drill_target

FIRST, SECOND = "127.0.0.21", "127.0.0.22"
QUICK = Pace(0.01, 0.01, connect_timeout_seconds=0.3, statement_timeout_seconds=0.3)


@dataclass
class Scene:
    first: FakePostgres
    second: FakePostgres
    dns: FakeDns
    client: WritingClient

    def write_until(self, reached: Callable[[tuple[Attempt, ...]], bool]) -> tuple[Attempt, ...]:
        deadline = time.monotonic() + 5
        while not reached(self.client.attempts):
            assert time.monotonic() < deadline, self.client.attempts[-3:]
            time.sleep(0.01)
        return self.client.attempts


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    authority = CertificateAuthority(tmp_path)
    first = FakePostgres(FIRST, 0, authority.server_context(FIRST))
    second = FakePostgres(SECOND, first.port, authority.server_context(SECOND))
    dns = FakeDns(FIRST)
    target = drill_target(FIRST, SECOND, port=first.port)
    client = WritingClient(target, dns.server, QUICK)
    with closing(first, second, dns):
        client.start()
        yield Scene(first, second, dns, client)
        client.stop()


def acknowledged_by(address: str, at_least: int = 3) -> Callable[[tuple[Attempt, ...]], bool]:
    return lambda attempts: (
        sum(a.outcome is Outcome.ACKNOWLEDGED and a.server_address == address for a in attempts) >= at_least
    )


def saw(outcome: Outcome) -> Callable[[tuple[Attempt, ...]], bool]:
    return lambda attempts: any(attempt.outcome is outcome for attempt in attempts)


def one(attempts: tuple[Attempt, ...], outcome: Outcome) -> Attempt:
    return next(attempt for attempt in attempts if attempt.outcome is outcome)


def test_what_the_server_confirms_is_acknowledged_and_no_number_is_used_twice(scene: Scene) -> None:
    attempts = scene.write_until(acknowledged_by(FIRST, 5))
    assert [attempt.n for attempt in attempts] == list(range(1, len(attempts) + 1))
    assert all(attempt.outcome is Outcome.ACKNOWLEDGED for attempt in attempts)


@pytest.mark.parametrize("manner", [Manner.HANG, Manner.HANG_UP, Manner.DIE])
def test_a_write_that_got_no_answer_is_indeterminate_never_failed(scene: Scene, manner: Manner) -> None:
    scene.write_until(acknowledged_by(FIRST))
    scene.first.manner = manner
    attempts = scene.write_until(saw(Outcome.INDETERMINATE))
    assert not saw(Outcome.FAILED)(attempts)


def test_a_frozen_server_holds_the_client_no_longer_than_its_timeout(scene: Scene) -> None:
    scene.write_until(acknowledged_by(FIRST))
    scene.first.manner = Manner.HANG
    held = one(scene.write_until(saw(Outcome.INDETERMINATE)), Outcome.INDETERMINATE)
    assert held.finished_at.seconds_since(held.invoked_at) < 1.0


def test_a_server_that_accepts_and_says_nothing_is_a_failure_to_connect(scene: Scene) -> None:
    scene.write_until(acknowledged_by(FIRST))
    scene.first.manner = Manner.SILENT
    scene.first.hang_up()
    failed = one(scene.write_until(saw(Outcome.FAILED)), Outcome.FAILED)
    assert "no answer" in failed.detail
    assert failed.finished_at.seconds_since(failed.invoked_at) < 1.0


def test_a_refused_write_has_certainly_failed_and_the_client_asks_for_the_name_again(scene: Scene) -> None:
    scene.write_until(acknowledged_by(FIRST))
    scene.dns.address = SECOND
    scene.first.manner = Manner.REFUSE
    attempts = scene.write_until(acknowledged_by(SECOND))
    assert "read-only" in one(attempts, Outcome.FAILED).detail
    assert not saw(Outcome.INDETERMINATE)(attempts)


def test_the_client_reaches_the_new_writer_under_the_same_name(scene: Scene) -> None:
    scene.write_until(acknowledged_by(FIRST))
    scene.dns.address = SECOND
    scene.first.close()
    attempts = scene.write_until(acknowledged_by(SECOND))
    assert [attempt.n for attempt in attempts] == list(range(1, len(attempts) + 1))


def test_a_connection_that_works_is_kept_though_the_name_has_moved(scene: Scene) -> None:
    scene.write_until(acknowledged_by(FIRST))
    scene.dns.address = SECOND
    scene.write_until(acknowledged_by(FIRST, 10))
    assert scene.second.statements == 0


@pytest.mark.parametrize("alias", [True, False])
def test_a_name_is_found_as_an_address_and_as_an_alias_to_one(alias: bool) -> None:
    dns = FakeDns(FIRST, ttl_seconds=7, alias=alias)
    with closing(dns):
        answer = ask("writer.db.internal", dns.server)
    assert (answer.address, answer.ttl_seconds) == (FIRST, 7)


def test_a_dns_server_that_does_not_answer_is_an_error_that_names_the_name() -> None:
    with pytest.raises(NameNotResolvedError, match=r"writer\.db\.internal"):
        ask("writer.db.internal", ("127.0.0.1", 1), timeout_seconds=0.1)


def test_the_watch_remembers_each_move_of_the_name() -> None:
    dns = FakeDns(FIRST)
    with closing(dns):
        watch = NameWatch("writer.db.internal", dns.server, interval_seconds=0.01)
        watch.start()
        for address in (SECOND, FIRST):
            asked = dns.questions
            while dns.questions < asked + 3:
                time.sleep(0.01)
            dns.address = address
        asked = dns.questions
        while dns.questions < asked + 3:
            time.sleep(0.01)
        watch.stop()
    assert [answer.address for answer in watch.changes] == [FIRST, SECOND, FIRST]
