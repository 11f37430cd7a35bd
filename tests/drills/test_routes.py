"""How the multi-host URI is split into hosts."""

from __future__ import annotations

from dataclasses import replace

import pytest
from psycopg.conninfo import conninfo_to_dict

from drills.clients.connection import NotConnectedError
from drills.clients.routes import ByUri
from lab.target import Credentials
from tests.drills.targets import drill_target

CREDENTIALS = Credentials("admin", "it's secret")
URI = "postgresql://first.example:15432,10.0.0.2:15433/app?target_session_attrs=read-write&sslmode=verify-full"
NOTHING_THERE = "postgresql://127.0.0.1:1,127.0.0.2:1/app?target_session_attrs=read-write&connect_timeout=3"


def by_uri(text: str) -> ByUri:
    target = replace(drill_target("a", "b"), writer_uri=text, credentials=CREDENTIALS)
    return ByUri(target, default_timeout_seconds=2.0)


def test_each_host_keeps_its_port_its_place_and_what_the_uri_says_of_all() -> None:
    hosts = [conninfo_to_dict(host.conninfo) for host in by_uri(URI).hosts]
    assert [(host["host"], host["port"]) for host in hosts] == [("first.example", "15432"), ("10.0.0.2", "15433")]
    for host in hosts:
        assert (host["target_session_attrs"], host["sslmode"], host["dbname"]) == ("read-write", "verify-full", "app")
        assert (host["user"], host["password"]) == ("admin", "it's secret")


def test_one_port_is_for_all_hosts_and_without_one_it_is_the_default() -> None:
    for text, ports in (
        ("postgresql://a,b/app", ["5432", "5432"]),
        ("host=a,b port=6000 dbname=app", ["6000", "6000"]),
        ("postgresql://a:6000,b/app", ["6000", "5432"]),
    ):
        assert [conninfo_to_dict(host.conninfo)["port"] for host in by_uri(text).hosts] == ports


@pytest.mark.parametrize(("more", "seconds"), [("&connect_timeout=5", 5.0), ("", 2.0), ("&connect_timeout=0", 2.0)])
def test_no_host_is_waited_for_for_ever(more: str, seconds: float) -> None:
    assert by_uri(URI + more).timeout_seconds == seconds


def test_a_uri_with_no_writer_says_for_each_host_why_not_and_never_the_password() -> None:
    with pytest.raises(NotConnectedError, match=r"127\.0\.0\.1: .*refused.*; 127\.0\.0\.2: .*refused") as caught:
        by_uri(NOTHING_THERE).connect()
    assert caught.value.address is None
    assert "secret" not in str(caught.value)
