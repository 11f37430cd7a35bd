"""What Route 53 answers, computed from zones, record sets and the health checks' status. No I/O."""

from __future__ import annotations

import contextlib
import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

_MAX_CHAIN = 8
_ALIAS_TTL_SECONDS = 60  # An alias has no TTL of its own; Route 53 gives 60 s for one to another AWS resource.

RecordSet = Mapping[str, Any]
IsHealthy = Callable[[str], bool]
Zones = dict[str, list[Any]]
"""Hosted zones by name, with their record sets as Route 53 lists them."""


class NameNotFoundError(LookupError):
    """Route 53 has no record of that name: NXDOMAIN within a zone, REFUSED where ``zone`` is None."""

    def __init__(self, name: str, zone: str | None) -> None:
        self.zone = zone
        super().__init__(
            f"{name}: " + ("no hosted zone has this name" if zone is None else f"no such record in {zone}")
        )


class UnsupportedRoutingError(ValueError):
    """A record set has a routing policy that the lab does not support. The text names both."""


@dataclass(frozen=True)
class Record:
    """One record of an answer.

    Attributes:
        name: its name, with the final dot.
        type: ``A``, ``CNAME`` ...
        values: its values in presentation form.
        ttl_seconds: its TTL.
    """

    name: str
    type: str
    values: tuple[str, ...]
    ttl_seconds: int


def answer(zones: Mapping[str, list[Any]], name: str, record_type: str, is_healthy: IsHealthy) -> tuple[Record, ...]:
    """What Route 53 answers; see `lab.aws.dns.Resolver.resolve`."""
    records: list[Record] = []
    asked = canonical(name)
    for _ in range(_MAX_CHAIN):
        zone = zone_of(zones, asked)
        if zone is None:
            if records:
                break  # A CNAME leads out of the zones: the client asks elsewhere.
            raise NameNotFoundError(asked, None)
        named = [each for each in zones[zone] if canonical(each["Name"]) == asked]
        if not named:
            if records:
                break
            raise NameNotFoundError(asked, zone)
        chosen = _choose([each for each in named if each["Type"] == record_type], zones, is_healthy)
        if chosen is not None:
            records.append(_record(chosen, asked, zones, is_healthy))
            break
        alias = _choose([each for each in named if each["Type"] == "CNAME"], zones, is_healthy)
        if alias is None or record_type == "CNAME":
            break
        record = _record(alias, asked, zones, is_healthy)
        records.append(record)
        target = record.values[0]
        literal = _ipv4(target)
        if literal is not None:
            # The lab's RDS endpoints are addresses, so CNAMEs point to addresses. No resolver can look such a "name"
            # up, so the answer has its address too.
            if record_type == "A":
                records.append(Record(canonical(target), "A", (literal,), record.ttl_seconds))
            break
        asked = canonical(target)
    return tuple(records)


def zone_of(zones: Mapping[str, Any], name: str) -> str | None:
    """The most specific zone that contains a name."""
    holding = [zone for zone in zones if name == zone or name.endswith("." + zone)]
    return max(holding, key=len, default=None)


def _choose(candidates: list[RecordSet], zones: Mapping[str, list[Any]], is_healthy: IsHealthy) -> RecordSet | None:
    """The record set that answers, of those with the same name and type.

    Failover: the primary while it is healthy, else the secondary while that is healthy, else the primary
    ("How Amazon Route 53 chooses records when health checking is configured"). A record without a check is healthy.
    """
    if not candidates:
        return None
    for record in candidates:
        policy = next((key for key in _OTHER_POLICIES if record.get(key)), None)
        if policy is not None:
            raise UnsupportedRoutingError(
                f"{record['Name']} {record['Type']}: the lab does not resolve {policy} routing"
            )
    by_role = {record.get("Failover"): record for record in candidates}
    primary, secondary = by_role.get("PRIMARY"), by_role.get("SECONDARY")
    if primary is None and secondary is None:
        return candidates[0]
    if primary is not None and _is_record_healthy(primary, zones, is_healthy):
        return primary
    if secondary is not None and (primary is None or _is_record_healthy(secondary, zones, is_healthy)):
        return secondary
    return primary


def _is_record_healthy(record: RecordSet, zones: Mapping[str, list[Any]], is_healthy: IsHealthy) -> bool:
    check = record.get("HealthCheckId")
    if check and not is_healthy(check):
        return False
    target = record.get("AliasTarget")
    if target and target["EvaluateTargetHealth"]:
        behind = _alias_target(record, zones)
        return any(_is_record_healthy(each, zones, is_healthy) for each in behind)
    return True


def _record(record: RecordSet, owner: str, zones: Mapping[str, list[Any]], is_healthy: IsHealthy) -> Record:
    """A record set as an answer; an alias record has its target's values under its own name."""
    if record.get("AliasTarget"):
        behind = _choose(_alias_target(record, zones), zones, is_healthy)
        if behind is None:
            raise NameNotFoundError(record["AliasTarget"]["DNSName"], zone_of(zones, owner))
        inner = _record(behind, owner, zones, is_healthy)
        return Record(owner, inner.type, inner.values, inner.ttl_seconds)
    values = tuple(each["Value"] for each in record["ResourceRecords"])
    return Record(owner, record["Type"], values, int(record.get("TTL", _ALIAS_TTL_SECONDS)))


def _alias_target(record: RecordSet, zones: Mapping[str, list[Any]]) -> list[RecordSet]:
    name = canonical(record["AliasTarget"]["DNSName"])
    if name == canonical(record["Name"]):
        return []
    return [
        each
        for each in zones.get(zone_of(zones, name) or "", [])
        if canonical(each["Name"]) == name and each["Type"] == record["Type"]
    ]


_OTHER_POLICIES = ("Weight", "Region", "GeoLocation", "MultiValueAnswer", "CidrRoutingConfig", "GeoProximityLocation")


def canonical(name: str) -> str:
    """A name as it is compared: lower case, with the final dot."""
    return name.rstrip(".").lower() + "."


def _ipv4(target: str) -> str | None:
    with contextlib.suppress(ValueError):
        return str(ipaddress.IPv4Address(target.rstrip(".")))
    return None
