"""A DNS server that answers from the account's Route 53: zones, record sets, failover by health checks."""

from __future__ import annotations

import logging
import socketserver
import threading
import time
from typing import TYPE_CHECKING

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset
from botocore.exceptions import BotoCoreError, ClientError

from lab.aws.dns_answers import IsHealthy, NameNotFoundError, Record, UnsupportedRoutingError, Zones, answer, canonical

if TYPE_CHECKING:
    from mypy_boto3_route53 import Route53Client

_LOG = logging.getLogger(__name__)


class Resolver:
    """Resolves names from the hosted zones of the account, private ones before public ones. Thread-safe."""

    def __init__(self, route53: Route53Client, is_healthy: IsHealthy, max_age_seconds: float = 0.5) -> None:
        """Nothing is read yet.

        Args:
            route53: a client of the account.
            is_healthy: tells a health check's status by its id, for each answer.
            max_age_seconds: how long the zones are cached.
        """
        self._route53 = route53
        self._is_healthy = is_healthy
        self._max_age_seconds = max_age_seconds
        self._zones: Zones = {}
        self._read_at = float("-inf")
        self._lock = threading.Lock()

    def resolve(self, name: str, record_type: str = "A") -> tuple[Record, ...]:
        """The answer to a query: the CNAMEs on the way, then the records of the type, if there are any.

        Args:
            name: with or without the final dot.
            record_type: the record type.

        Raises:
            NameNotFoundError: there is no such name.
            UnsupportedRoutingError: a record has another routing policy than failover.
            ClientError, BotoCoreError: Route 53 did not answer.
        """
        return answer(self._current(), name, record_type, self._is_healthy)

    def address(self, name: str) -> tuple[str, int]:
        """The first address of a name, and the lowest TTL in seconds on the way to it.

        Raises:
            NameNotFoundError: there is no such name, or it has no address.
            UnsupportedRoutingError, ClientError, BotoCoreError: see `resolve`.
        """
        records = self.resolve(name)
        if not records or records[-1].type != "A":
            raise NameNotFoundError(name, None)
        return records[-1].values[0], min(record.ttl_seconds for record in records)

    def _current(self) -> Zones:
        with self._lock:
            if time.monotonic() - self._read_at > self._max_age_seconds:
                self._zones = self._read()
                self._read_at = time.monotonic()
            return self._zones

    def _read(self) -> Zones:
        zones: Zones = {}
        listed = [
            zone for page in self._route53.get_paginator("list_hosted_zones").paginate() for zone in page["HostedZones"]
        ]
        # Private ones last: they replace a public zone of the same name.
        for zone in sorted(listed, key=lambda each: bool(each.get("Config", {}).get("PrivateZone"))):
            pages = self._route53.get_paginator("list_resource_record_sets").paginate(HostedZoneId=zone["Id"])
            zones[canonical(zone["Name"])] = [record for page in pages for record in page["ResourceRecordSets"]]
        return zones


class DnsServer:
    """A DNS server on a UDP port of the loopback interface."""

    def __init__(self, resolver: Resolver, port: int = 0) -> None:
        """Nothing listens yet; port 0 is any free port."""
        self._resolver = resolver
        self._port = port
        self._server: socketserver.ThreadingUDPServer | None = None

    def start(self) -> None:
        """Start answering.

        Raises:
            OSError: the port is in use.
        """
        resolver = self._resolver

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                data, connection = self.request
                reply = respond(data, resolver)
                if reply is not None:
                    connection.sendto(reply, self.client_address)

        server = socketserver.ThreadingUDPServer(("127.0.0.1", self._port), Handler)
        server.daemon_threads = True
        self._server = server
        threading.Thread(target=server.serve_forever, args=(0.1,), name="lab-dns", daemon=True).start()

    def stop(self) -> None:
        """Stop answering and free the port."""
        server, self._server = self._server, None
        if server is not None:
            server.shutdown()
            server.server_close()

    @property
    def address(self) -> tuple[str, int]:
        """Host and port.

        Raises:
            RuntimeError: it has not been started.
        """
        if self._server is None:
            raise RuntimeError("the DNS server has not been started")
        host, port = self._server.server_address[:2]
        return str(host), int(port)


def respond(data: bytes, resolver: Resolver) -> bytes | None:
    """The response to a datagram; None where it is no DNS query."""
    try:
        query = dns.message.from_wire(data)
    except dns.exception.DNSException:
        return None
    if query.flags & dns.flags.QR or query.opcode() != dns.opcode.QUERY or len(query.question) != 1:
        return None
    question = query.question[0]
    response = dns.message.make_response(query)
    response.flags |= dns.flags.AA
    try:
        records = resolver.resolve(question.name.to_text(), dns.rdatatype.to_text(question.rdtype))
    except NameNotFoundError as missing:
        response.set_rcode(dns.rcode.REFUSED if missing.zone is None else dns.rcode.NXDOMAIN)
        return response.to_wire()
    except (UnsupportedRoutingError, ClientError, BotoCoreError) as error:
        _LOG.warning("%s is not answered: %s", question.name, error)
        response.set_rcode(dns.rcode.SERVFAIL)
        return response.to_wire()
    for record in records:
        values = [canonical(value) if record.type == "CNAME" else value for value in record.values]
        response.answer.append(dns.rrset.from_text_list(record.name, record.ttl_seconds, "IN", record.type, values))
    return response.to_wire()
