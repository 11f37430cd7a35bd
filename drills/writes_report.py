"""The writes of a drill in figures: of all clients together, and of each beside the other."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from drills.client_history import ClientHistory
from drills.evidence import Evidence
from drills.history import Judgement


@dataclass(frozen=True)
class Writes:
    """Counts of rows; the classes are those of the judge.

    Attributes:
        read_back: how many rows the writer of the end holds.
        on_fresh_connections: how many of the acknowledged ones had a connection of their own.
    """

    attempted: int
    acknowledged: int
    indeterminate: int
    failed: int
    read_back: int
    lost: int
    lost_beyond_reported_rpo: int
    accepted_by_old_writer_after_switch: int
    indeterminate_found: int
    unexpected: int
    duplicates: int
    failed_but_found: int
    on_fresh_connections: int


@dataclass(frozen=True)
class ClientReport:
    """One client's drill.

    Attributes:
        name: the way by which it finds the writer.
        writes: counts of its rows.
        outage_seconds: the longest time without an acknowledged write of its own, from the last one before the fault.
        rto_seconds: from the fault to its first write acknowledged by the new writer; None where there is none.
    """

    name: str
    writes: Writes
    outage_seconds: float
    rto_seconds: float | None


def writes_of(evidence: Evidence, judgement: Judgement) -> Writes:
    """The counts of all clients together, and of rows that no client wrote."""
    everything = {*judgement.attempted, *judgement.unexpected, *judgement.accepted_by_old_writer_after_switch}
    return _writes(everything, evidence.clients, evidence, judgement)


def client_reports(evidence: Evidence, judgement: Judgement) -> tuple[ClientReport, ...]:
    """Each client by itself. The rows are judged together: what one of them lost is a loss of the whole."""
    return tuple(
        ClientReport(
            name=client.name,
            writes=_writes({attempt.n for attempt in client.attempts}, (client,), evidence, judgement),
            outage_seconds=client.outage_seconds(evidence.fault.at),
            rto_seconds=evidence.rto_seconds(client),
        )
        for client in evidence.clients
    )


def _writes(numbers: set[int], clients: tuple[ClientHistory, ...], evidence: Evidence, judgement: Judgement) -> Writes:
    def count(rows: Collection[int]) -> int:
        return len(numbers.intersection(rows))

    read_back = () if evidence.final_writer.rows is None else evidence.final_writer.rows
    return Writes(
        attempted=count(judgement.attempted),
        acknowledged=count(judgement.acknowledged),
        indeterminate=count(judgement.indeterminate_found) + count(judgement.indeterminate_missing),
        failed=count(judgement.failed),
        read_back=sum(row.n in numbers for row in read_back),
        lost=count(judgement.lost),
        lost_beyond_reported_rpo=count(judgement.lost_beyond_reported_rpo),
        accepted_by_old_writer_after_switch=count(judgement.accepted_by_old_writer_after_switch),
        indeterminate_found=count(judgement.indeterminate_found),
        unexpected=count(judgement.unexpected),
        duplicates=count(judgement.duplicates),
        failed_but_found=count(judgement.failed_but_found),
        on_fresh_connections=sum(attempt.fresh for client in clients for attempt in client.acknowledged),
    )
