"""How the writer's name is asked for, and watched."""

from __future__ import annotations

import time

import pytest

from drills.clients.dns import NameNotResolvedError, NameWatch, ask
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
