"""The parameter group of an instance that is there already against the parameters this layer sets. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from data_layer.adoption import Effect, Facet
from data_layer.parameters import Parameter

# What a standby must have at least as large as its writer: PostgreSQL stops replaying otherwise.
# https://www.postgresql.org/docs/14/hot-standby.html#HOT-STANDBY-ADMIN
NEEDED_BY_A_STANDBY = (
    "max_connections",
    "max_locks_per_transaction",
    "max_prepared_transactions",
    "max_wal_senders",
    "max_worker_processes",
)


@dataclass(frozen=True)
class Group:
    """A parameter group.

    Attributes:
        name: its name.
        values: of its parameters, those that are set.
        set_by_hand: the names of those that are not RDS's defaults.
    """

    name: str
    values: Mapping[str, str]
    set_by_hand: frozenset[str]


def parameter_facets(group: Group, declared: Sequence[Parameter]) -> Iterator[Facet]:
    """What of the group differs from the layer's parameters.

    Args:
        group: the instance's.
        declared: the layer's own and what the stack adds.
    """
    ours = {parameter.name: parameter for parameter in declared}
    for name in sorted(group.set_by_hand - ours.keys()):
        value = group.values.get(name, "")
        note = (
            "the replica needs at least as much, or it stops replaying"
            if name in NEEDED_BY_A_STANDBY
            else (
                "logical subscribers have no slot on the new writer: they begin again after a failover"
                if name == "rds.logical_replication"
                else "the replica, and so the next writer, would not have it"
            )
        )
        yield Facet(
            name, value, "RDS's default", Effect.SETTING, note, settings={"furtherParameters": f"{name}={value}"}
        )
    for name, parameter in sorted(ours.items()):
        there = group.values.get(name, "RDS's default")
        if there != parameter.value:
            yield Facet(name, there, parameter.value, Effect.PARAMETER, _why(name))


def differing(group: Group, declared: Sequence[Parameter]) -> list[Parameter]:
    """The layer's parameters that the group does not have."""
    return [parameter for parameter in declared if group.values.get(parameter.name) != parameter.value]


def _why(name: str) -> str:
    match name:
        case "rds.force_ssl":
            return "until it is set, clients may connect without TLS; then they are refused: see who does first"
        case "max_slot_wal_keep_size":
            return "until it is set, a replica that is gone makes the writer keep WAL until its disk is full"
    return ""
