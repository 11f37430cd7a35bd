"""DNS answers come from the zone, the records and the health checks that are there."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import pytest
from botocore.exceptions import EndpointConnectionError

from lab.aws.dns import Resolver
from lab.aws.dns_answers import NameNotFoundError, Record, UnsupportedRoutingError, answer
from lab.aws.dns_server import DnsServer
from shared.errors import SettingsError

ZONE = "db.internal."
WRITER = "writer.db.internal."


def failover(role: str, value: str, check: str | None = None, name: str = WRITER) -> dict[str, Any]:
    record = {
        "Name": name,
        "Type": "CNAME",
        "SetIdentifier": role,
        "Failover": role,
        "TTL": 5,
        "ResourceRecords": [{"Value": value}],
    }
    return record if check is None else {**record, "HealthCheckId": check}


def simple(name: str, record_type: str, value: str, ttl: int = 30) -> dict[str, Any]:
    return {"Name": name, "Type": record_type, "TTL": ttl, "ResourceRecords": [{"Value": value}]}


PRIMARY = failover("PRIMARY", "127.10.0.10", "latch")
SECONDARY = failover("SECONDARY", "127.20.0.10")
ZONES: dict[str, list[Any]] = {ZONE: [PRIMARY, SECONDARY]}


def address(zones: dict[str, list[Any]], is_healthy: Callable[[str], bool], name: str = WRITER) -> str:
    return answer(zones, name, "A", is_healthy)[-1].values[0]


def test_the_primary_answers_while_it_is_healthy() -> None:
    assert address(ZONES, lambda _: True) == "127.10.0.10"


def test_the_secondary_answers_when_the_primary_is_not() -> None:
    assert address(ZONES, lambda check: check != "latch") == "127.20.0.10"


def test_the_primary_answers_when_both_are_not() -> None:
    zones = {ZONE: [PRIMARY, failover("SECONDARY", "127.20.0.10", "other")]}
    assert address(zones, lambda _: False) == "127.10.0.10"
    assert address(zones, lambda check: check == "other") == "127.20.0.10"


def test_a_primary_without_a_check_is_always_healthy() -> None:
    assert address({ZONE: [failover("PRIMARY", "127.10.0.10"), SECONDARY]}, lambda _: False) == "127.10.0.10"


def test_a_secondary_alone_answers() -> None:
    assert address({ZONE: [SECONDARY]}, lambda _: True) == "127.20.0.10"


def test_an_alias_to_an_address_is_answered_with_the_address() -> None:
    assert answer(ZONES, "Writer.DB.internal", "A", lambda _: True) == (
        Record(WRITER, "CNAME", ("127.10.0.10",), 5),
        Record("127.10.0.10.", "A", ("127.10.0.10",), 5),
    )
    assert [record.type for record in answer(ZONES, WRITER, "AAAA", lambda _: True)] == ["CNAME"]


def test_a_chain_is_followed_to_its_end() -> None:
    zones = {ZONE: [simple("a." + ZONE, "CNAME", "b." + ZONE, 7), simple("b." + ZONE, "A", "127.10.0.9", 9)]}
    assert [(record.type, record.ttl_seconds) for record in answer(zones, "a." + ZONE, "A", lambda _: True)] == [
        ("CNAME", 7),
        ("A", 9),
    ]


def test_a_chain_that_leaves_the_zones_ends_there() -> None:
    zones = {ZONE: [simple("a." + ZONE, "CNAME", "elsewhere.example.")]}
    assert [record.type for record in answer(zones, "a." + ZONE, "A", lambda _: True)] == ["CNAME"]


def test_a_loop_ends() -> None:
    zones = {ZONE: [simple("a." + ZONE, "CNAME", "b." + ZONE), simple("b." + ZONE, "CNAME", "a." + ZONE)]}
    assert {record.type for record in answer(zones, "a." + ZONE, "A", lambda _: True)} == {"CNAME"}


def test_an_alias_record_answers_under_its_own_name_and_can_ask_for_its_targets_health() -> None:
    target = {**simple("b." + ZONE, "A", "127.10.0.9"), "HealthCheckId": "latch"}
    pointed = {"HostedZoneId": "Z", "DNSName": "b." + ZONE, "EvaluateTargetHealth": True}
    alias = {"Name": "a." + ZONE, "Type": "A", "SetIdentifier": "p", "Failover": "PRIMARY", "AliasTarget": pointed}
    other = {**simple("a." + ZONE, "A", "127.20.0.9"), "SetIdentifier": "s", "Failover": "SECONDARY"}
    zones = {ZONE: [alias, other, target]}
    assert answer(zones, "a." + ZONE, "A", lambda _: True) == (Record("a." + ZONE, "A", ("127.10.0.9",), 30),)
    assert address(zones, lambda _: False, "a." + ZONE) == "127.20.0.9"


def test_the_most_specific_zone_answers() -> None:
    zones = {"internal.": [simple(WRITER, "A", "127.0.9.9")], **ZONES}
    assert address(zones, lambda _: True) == "127.10.0.10"


def test_names_that_are_not_there() -> None:
    with pytest.raises(NameNotFoundError) as within:
        answer(ZONES, "reader.db.internal", "A", lambda _: True)
    with pytest.raises(NameNotFoundError) as outside:
        answer(ZONES, "notdb.internal", "A", lambda _: True)
    assert (within.value.zone, outside.value.zone) == (ZONE, None)


def test_other_routing_is_refused_by_name() -> None:
    weighted = {**simple(WRITER, "A", "127.10.0.10"), "SetIdentifier": "w", "Weight": 1}
    with pytest.raises(UnsupportedRoutingError, match="Weight"):
        answer({ZONE: [weighted]}, WRITER, "A", lambda _: True)


class Route53:
    """Lists what it was given, and counts how often it was asked."""

    def __init__(self, zones: dict[str, list[Any]], private: bool = True, seconds: float = 0) -> None:
        self.zones, self.private, self.reads = zones, private, 0
        self.seconds, self.is_down = seconds, False

    def get_paginator(self, operation: str) -> Any:
        return type("Paginator", (), {"paginate": lambda _, **given: self._pages(operation, **given)})()

    def _pages(self, operation: str, HostedZoneId: str = "") -> list[dict[str, Any]]:  # noqa: N803
        if operation == "list_hosted_zones":
            self.reads += 1
            time.sleep(self.seconds)
            if self.is_down:
                raise EndpointConnectionError(endpoint_url="https://route53.amazonaws.com")
            return [
                {"HostedZones": [{"Id": z, "Name": z, "Config": {"PrivateZone": self.private}} for z in self.zones]}
            ]
        return [{"ResourceRecordSets": self.zones[HostedZoneId]}]


@pytest.fixture
def served() -> Iterator[tuple[DnsServer, dict[str, bool]]]:
    health = {"latch": True}
    server = DnsServer(Resolver(Route53(dict(ZONES)), health.__getitem__))  # type: ignore[arg-type]
    server.start()
    yield server, health
    server.stop()


def ask(server: DnsServer, name: str, record_type: str = "A") -> dns.message.Message:
    host, port = server.address
    return dns.query.udp(dns.message.make_query(name, record_type), host, port=port, timeout=2)


def test_the_server_answers_with_the_records_ttl_and_follows_health_at_once(
    served: tuple[DnsServer, dict[str, bool]],
) -> None:
    server, health = served
    first = ask(server, WRITER)
    assert [each.to_text() for each in first.answer] == [
        "writer.db.internal. 5 IN CNAME 127.10.0.10.",
        "127.10.0.10. 5 IN A 127.10.0.10",
    ]
    health["latch"] = False
    assert ask(server, WRITER).answer[-1][0].to_text() == "127.20.0.10"


def test_the_server_says_what_it_does_not_know_and_for_how_long_that_may_be_kept(
    served: tuple[DnsServer, dict[str, bool]],
) -> None:
    server, _ = served
    missing = ask(server, "reader.db.internal")
    assert missing.rcode() is dns.rcode.NXDOMAIN
    assert [(each.rdtype, each.ttl, each[0].minimum) for each in missing.authority] == [(dns.rdatatype.SOA, 1, 1)]
    assert ask(server, "www.example.com").rcode() is dns.rcode.REFUSED
    for record_type in ("TXT", "AAAA"):
        assert [each.rdtype for each in ask(server, WRITER, record_type).answer] == [dns.rdatatype.CNAME]


def test_it_answers_over_tcp_too_one_question_after_another(served: tuple[DnsServer, dict[str, bool]]) -> None:
    host, port = served[0].address
    with socket.create_connection((host, port), timeout=2) as connection:
        for record_type in ("A", "AAAA"):
            dns.query.send_tcp(connection, dns.message.make_query(WRITER, record_type, use_edns=0))
            response, _ = dns.query.receive_tcp(connection)
            assert response.answer[0].to_text() == "writer.db.internal. 5 IN CNAME 127.10.0.10."


def test_however_many_ask_at_once_route_53_is_asked_once_and_threads_stay_few() -> None:
    route53 = Route53(dict(ZONES), seconds=0.3)
    server = DnsServer(Resolver(route53, lambda _: True, max_age_seconds=60))  # type: ignore[arg-type]
    server.start()
    before = threading.active_count()
    asking = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(200)]
    for each in asking:
        each.settimeout(5)
        each.sendto(dns.message.make_query(WRITER, "A").to_wire(), server.address)
    threads = threading.active_count() - before
    answers = [dns.message.from_wire(each.recv(512)).answer[-1][0].to_text() for each in asking]
    for each in asking:
        each.close()
    server.stop()
    assert answers == ["127.10.0.10"] * 200
    assert (route53.reads, threads <= 1) == (1, True)


def test_while_route_53_does_not_answer_names_resolve_as_before() -> None:
    route53 = Route53(dict(ZONES))
    resolver = Resolver(route53, lambda _: True, max_age_seconds=0)  # type: ignore[arg-type]
    server = DnsServer(resolver)
    server.start()
    route53.is_down = True
    assert ask(server, WRITER).rcode() is dns.rcode.SERVFAIL, "it has never known"
    route53.is_down = False
    assert ask(server, WRITER).rcode() is dns.rcode.NOERROR
    route53.is_down = True
    assert ask(server, WRITER).rcode() is dns.rcode.NOERROR
    server.stop()


def test_a_stopped_server_frees_its_port_and_a_port_in_use_is_refused() -> None:
    server = DnsServer(Resolver(Route53({}), bool))  # type: ignore[arg-type]
    with pytest.raises(RuntimeError, match="not been started"):
        _ = server.address
    server.start()
    port = server.address[1]
    again = DnsServer(Resolver(Route53({}), bool), port)  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match=f"--dns-port = {port}: another program has"):
        again.start()
    server.stop()
    again.start()
    again.stop()


def test_an_address_comes_with_the_time_the_whole_way_may_be_kept() -> None:
    route53 = Route53({ZONE: [simple("a." + ZONE, "CNAME", "b." + ZONE, 7), simple("b." + ZONE, "A", "127.1.0.9", 9)]})
    resolver = Resolver(route53, bool, max_age_seconds=60)  # type: ignore[arg-type]
    assert resolver.address("a." + ZONE) == ("127.1.0.9", 7)
    resolver.address("a." + ZONE)
    assert route53.reads == 1, "what it knows of the zones is kept for a moment"
