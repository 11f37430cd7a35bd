"""Resolving names from the account's Route 53: zones, record sets, failover by health checks."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from lab.aws.dns_answers import IsHealthy, NameNotFoundError, Record, Zones, answer, canonical, zone_of

if TYPE_CHECKING:
    from mypy_boto3_route53 import Route53Client


class NotReadError(RuntimeError):
    """Nothing is known of the zones."""


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
        self._zones: Zones | None = None
        self._read_at = float("-inf")

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
        if not self.is_fresh():
            self.read()
        return self.known(name, record_type)

    def known(self, name: str, record_type: str = "A") -> tuple[Record, ...]:
        """The answer from the zones as they were read last, however long ago; it asks nobody.

        Raises:
            NotReadError: they have never been read.
            NameNotFoundError, UnsupportedRoutingError: see `resolve`.
        """
        if self._zones is None:
            raise NotReadError("Route 53 has not told its zones yet")
        return answer(self._zones, name, record_type, self._is_healthy)

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

    def zone_of(self, name: str) -> str | None:
        """The zone of a name, as the zones were read last; None where none has it."""
        return zone_of(self._zones or {}, canonical(name))

    def is_known(self) -> bool:
        """Whether the zones have ever been read."""
        return self._zones is not None

    def is_fresh(self) -> bool:
        """Whether the zones were read a short time ago."""
        return time.monotonic() - self._read_at <= self._max_age_seconds

    def read(self) -> None:
        """Read the zones.

        Raises:
            ClientError, BotoCoreError: Route 53 did not answer; what was read last is kept.
        """
        began = time.monotonic()
        zones = self._listed()
        self._zones, self._read_at = zones, began

    def _listed(self) -> Zones:
        zones: Zones = {}
        listed = [
            zone for page in self._route53.get_paginator("list_hosted_zones").paginate() for zone in page["HostedZones"]
        ]
        # Private ones last: they replace a public zone of the same name.
        for zone in sorted(listed, key=lambda each: bool(each.get("Config", {}).get("PrivateZone"))):
            pages = self._route53.get_paginator("list_resource_record_sets").paginate(HostedZoneId=zone["Id"])
            zones[canonical(zone["Name"])] = [record for page in pages for record in page["ResourceRecordSets"]]
        return zones
