"""The writer's name in DNS: asking for it, caching it for its TTL, and watching it move."""

from __future__ import annotations

import ipaddress
import threading
import time
from dataclasses import dataclass

import dns.exception
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdatatype

from drills.instants import Instant

MAX_ALIASES = 8


class NameNotResolvedError(Exception):
    """The DNS server returned no address for the name."""


@dataclass(frozen=True)
class Answer:
    """One answer of the DNS server.

    Attributes:
        at: when it came.
        address: the literal IP.
        ttl_seconds: how long it may be cached.
    """

    at: Instant
    address: str
    ttl_seconds: int


def ask(name: str, dns_server: tuple[str, int], timeout_seconds: float = 1.0) -> Answer:
    """Ask the DNS server for the name's address.

    Follows CNAME records within the answer. A CNAME whose target is a literal IP ends there: in a lab, an RDS endpoint
    may be one.

    Raises:
        NameNotResolvedError: no answer in time, or one without an address.
    """
    query = dns.message.make_query(name, dns.rdatatype.A)
    try:
        response = dns.query.udp(query, dns_server[0], timeout=timeout_seconds, port=dns_server[1])
    except (dns.exception.DNSException, OSError) as error:
        raise NameNotResolvedError(f"{name}: {type(error).__name__} from the DNS server") from error
    if response.rcode() is not dns.rcode.NOERROR:
        raise NameNotResolvedError(f"{name}: {dns.rcode.to_text(response.rcode())}")
    owner = dns.name.from_text(name)
    ttl_seconds: int | None = None
    for _ in range(MAX_ALIASES):
        found = [(rrset.rdtype, rrset) for rrset in response.answer if rrset.name == owner]
        kinds = dict(found)
        addresses = kinds.get(dns.rdatatype.A)
        if addresses is not None:
            return Answer(Instant.now(), addresses[0].to_text(), _shorter(ttl_seconds, addresses.ttl))
        alias = kinds.get(dns.rdatatype.CNAME)
        if alias is None:
            break
        ttl_seconds = _shorter(ttl_seconds, alias.ttl)
        target: dns.name.Name = alias[0].target
        literal = target.to_text(omit_final_dot=True)
        if _is_ip(literal):
            return Answer(Instant.now(), literal, ttl_seconds)
        owner = target
    raise NameNotResolvedError(f"{name}: the answer holds no address")


class Resolver:
    """Caches the DNS server's answers, as a client's resolver does. Threads may share it."""

    def __init__(self, name: str, dns_server: tuple[str, int], keeps_seconds: float | None = None) -> None:
        """Know the name.

        Args:
            name: what is asked for.
            dns_server: address and UDP port.
            keeps_seconds: how long an answer is kept, whatever its TTL; None for the TTL.
        """
        self.name = name
        self._dns_server = dns_server
        self._keeps_seconds = keeps_seconds
        self._kept: Answer | None = None

    def address(self) -> str:
        """The name's address.

        Raises:
            NameNotResolvedError: the cached answer has expired and the DNS server gave no other.
        """
        kept = self._kept
        if kept is None or time.monotonic() >= kept.at.monotonic + self._keeps(kept):
            kept = ask(self.name, self._dns_server)
            self._kept = kept
        return kept.address

    def _keeps(self, answer: Answer) -> float:
        return answer.ttl_seconds if self._keeps_seconds is None else self._keeps_seconds


class NameWatch(threading.Thread):
    """Asks for the name continuously and records each change of the answer.

    The writing clients resolve the name only when they reconnect; this shows when the name moved, and whether it moved
    back.

    Attributes:
        times_asked: how often it was answered.
        longest_gap_seconds: the longest time between two answers.
    """

    def __init__(self, name: str, dns_server: tuple[str, int], interval_seconds: float = 0.1) -> None:
        super().__init__(name="drill-name-watch", daemon=True)
        self._watched = name
        self._dns_server = dns_server
        self._interval_seconds = interval_seconds
        self._done = threading.Event()
        self._changes: list[Answer] = []
        self._last: Answer | None = None
        self.times_asked = 0
        self.longest_gap_seconds = 0.0

    def run(self) -> None:
        """Watch until `stop`."""
        while not self._done.wait(self._interval_seconds):
            try:
                answer = ask(self._watched, self._dns_server)
            except NameNotResolvedError:
                continue  # No answer is not a change; the client's attempts show that the name did not resolve.
            if self._last is not None:
                self.longest_gap_seconds = max(self.longest_gap_seconds, answer.at.seconds_since(self._last.at))
            self._last = answer
            self.times_asked += 1
            if not self._changes or self._changes[-1].address != answer.address:
                self._changes.append(answer)

    def stop(self) -> None:
        """End the watch and wait for its last query."""
        self._done.set()
        self.join()

    @property
    def changes(self) -> tuple[Answer, ...]:
        """The first answer, then each one that differed from the one before it."""
        return tuple(self._changes)


def _shorter(ttl_seconds: int | None, other: int) -> int:
    return other if ttl_seconds is None else min(ttl_seconds, other)


def _is_ip(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
