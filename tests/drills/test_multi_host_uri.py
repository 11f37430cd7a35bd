"""How the multi-host URI is taken apart."""

from __future__ import annotations

import pytest
from psycopg.conninfo import conninfo_to_dict

from drills.connection import NotConnectedError
from drills.multi_host_uri import MultiHostUri
from lab.target import Credentials

CREDENTIALS = Credentials("admin", "it's secret")
URI = "postgresql://first.example:15432,10.0.0.2:15433/app?target_session_attrs=read-write&sslmode=verify-full"
NOTHING_THERE = "postgresql://127.0.0.1:1,127.0.0.2:1/app?target_session_attrs=read-write&connect_timeout=3"


def uri_of(text: str) -> MultiHostUri:
    return MultiHostUri.of(text, CREDENTIALS, default_timeout_seconds=2.0)


def test_each_host_keeps_its_port_its_place_and_what_the_uri_says_of_all() -> None:
    hosts = [conninfo_to_dict(host.conninfo) for host in uri_of(URI).hosts]
    assert [(host["host"], host["port"]) for host in hosts] == [("first.example", "15432"), ("10.0.0.2", "15433")]
    for host in hosts:
        assert (host["target_session_attrs"], host["sslmode"], host["dbname"]) == ("read-write", "verify-full", "app")
        assert (host["user"], host["password"]) == ("admin", "it's secret")


def test_one_port_is_for_all_hosts_and_none_is_the_usual_one() -> None:
    for text, ports in (
        ("postgresql://a,b/app", ["5432", "5432"]),
        ("host=a,b port=6000 dbname=app", ["6000", "6000"]),
        ("postgresql://a:6000,b/app", ["6000", "5432"]),
    ):
        assert [conninfo_to_dict(host.conninfo)["port"] for host in uri_of(text).hosts] == ports


@pytest.mark.parametrize(("more", "seconds"), [("&connect_timeout=5", 5.0), ("", 2.0), ("&connect_timeout=0", 2.0)])
def test_each_host_has_the_time_the_uri_gives_and_never_all_the_time(more: str, seconds: float) -> None:
    assert uri_of(URI + more).timeout_seconds == seconds


def test_a_uri_with_no_writer_says_of_each_host_why_not_and_never_the_password() -> None:
    with pytest.raises(NotConnectedError, match=r"127\.0\.0\.1: .*refused.*; 127\.0\.0\.2: .*refused") as caught:
        uri_of(NOTHING_THERE).connect()
    assert caught.value.address is None
    assert "secret" not in str(caught.value)
