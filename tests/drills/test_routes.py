"""With which of libpq's settings the two clients that every drill has connect: those that the deployment prints."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict

from drills.clients.connection import Endpoint, NotConnectedError
from drills.clients.given import Given
from drills.clients.routes import ByName, ByUri, Route
from lab.target import Credentials
from tests.drills.fakes import FakeDns, closing
from tests.drills.targets import drill_target

URI = (
    "postgresql://10.0.0.1:15432,10.0.0.2:15432/app?target_session_attrs=read-write&sslmode=verify-full"
    "&connect_timeout=5&tcp_user_timeout=10000&keepalives_idle=5"
)
NOTHING_THERE = "postgresql://127.0.0.1:1,127.0.0.2:1/app?target_session_attrs=read-write&connect_timeout=3"
OWN = {"user": "admin", "password": "it's secret", "sslrootcert": "authority.pem", "application_name": "drill"}


def given(uri: str, dns_server: tuple[str, int] = ("127.0.0.1", 1)) -> Given:
    target = replace(drill_target("a", "b"), writer_libpq_uri=uri, credentials=Credentials("admin", "it's secret"))
    return Given(target, dns_server, Path("authority.pem"))


@pytest.fixture
def tried(monkeypatch: pytest.MonkeyPatch) -> list[Endpoint]:
    """Where a route would have connected."""
    tried: list[Endpoint] = []
    monkeypatch.setattr("drills.clients.routes.ServerConnection", tried.append)
    return tried


def parameters(route: Route, tried: list[Endpoint]) -> dict[str, object]:
    route.connect()
    return dict(conninfo_to_dict(tried.pop().conninfo))


def test_the_client_with_the_uri_has_what_the_uri_says_and_its_own_credentials(tried: list[Endpoint]) -> None:
    assert parameters(ByUri(given(URI)), tried) == conninfo_to_dict(URI) | OWN


def test_the_client_with_the_name_has_the_same_deadlines_and_verifies_the_authority_alone(
    tried: list[Endpoint],
) -> None:
    dns = FakeDns("10.0.0.2")
    with closing(dns):
        found = parameters(ByName(given(URI, dns.server)), tried)
    own = {"host": "writer.db.internal", "hostaddr": "10.0.0.2", "port": "5432", "sslmode": "verify-ca"}
    assert found == conninfo_to_dict(URI) | OWN | own


def test_a_uri_with_no_writer_says_for_each_host_why_not_and_never_the_password() -> None:
    with pytest.raises(NotConnectedError, match=r"127\.0\.0\.1.*refused.*127\.0\.0\.2.*refused") as caught:
        ByUri(given(NOTHING_THERE)).connect()
    assert caught.value.address is None
    assert "secret" not in str(caught.value)
