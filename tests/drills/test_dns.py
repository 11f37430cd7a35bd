"""How the writer's name is asked for, and watched."""

from __future__ import annotations

import time

import pytest

from drills.clients.dns import NameNotResolvedError, NameWatch, Resolver, ask
from tests.drills.fakes import FakeDns, closing

FIRST, SECOND = "127.0.0.21", "127.0.0.22"


@pytest.mark.parametrize("alias", [True, False])
def test_a_name_is_found_as_an_address_and_as_an_alias_to_one(alias: bool) -> None:
    dns = FakeDns(FIRST, ttl_seconds=7, alias=alias)
    with closing(dns):
        answer = ask("writer.db.internal", dns.server)
    assert (answer.address, answer.ttl_seconds) == (FIRST, 7)


def test_a_dns_server_that_does_not_answer_is_an_error_that_names_the_name() -> None:
    with pytest.raises(NameNotResolvedError, match=r"writer\.db\.internal"):
        ask("writer.db.internal", ("127.0.0.1", 1), timeout_seconds=0.1)


@pytest.mark.parametrize(
    ("ttl_seconds", "keeps_seconds", "answers"),
    [
        (0, None, [FIRST, SECOND]),
        (3600, None, [FIRST, FIRST]),
        (0, 3600.0, [FIRST, FIRST]),
        (3600, 0.0, [FIRST, SECOND]),
    ],
)
def test_a_resolver_keeps_an_answer_for_its_ttl_or_as_long_as_it_was_told(
    ttl_seconds: int, keeps_seconds: float | None, answers: list[str]
) -> None:
    dns = FakeDns(FIRST, ttl_seconds)
    with closing(dns):
        resolver = Resolver("writer.db.internal", dns.server, keeps_seconds)
        found = [resolver.address()]
        dns.address = SECOND
        found.append(resolver.address())
    assert found == answers


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
