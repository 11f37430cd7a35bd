"""The judge: what clients attempted, what they were told, what is there in the end.

This is Jepsen's set check (``jepsen.checker/set``, https://jepsen-io.github.io/jepsen/jepsen.checker.html): every
attempted element is unique; an acknowledged one that the final read does not hold is lost; one that the read holds
though it was never attempted is unexpected; an attempt nobody knows the end of may be there or not. Asynchronous
replication may lose what was acknowledged last, so the check is extended by the loss that the system itself reported,
and by what the old writer went on accepting.

Pure: no clock, no I/O.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from drills.instants import Instant


class Outcome(StrEnum):
    """What the client knows about an attempt."""

    ACKNOWLEDGED = "acknowledged"
    """The server said that it is committed."""
    INDETERMINATE = "indeterminate"
    """The connection broke while it was under way: committed or not, nobody knows."""
    FAILED = "failed"
    """Certainly not executed: never sent, or refused and rolled back."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One row the client tried to write.

    Attributes:
        n: its number, never used again.
        invoked_at: before anything was done for it.
        finished_at: when the client knew the outcome.
        outcome: what it knows.
        server_address: the server it was sent to, or that could not be reached; None where the name did not resolve or
            no host of the URI let the client in.
        detail: the server's or the network's words where it was not acknowledged.
        fresh: whether it was made on a connection of its own, opened for it.
    """

    n: int
    invoked_at: Instant
    finished_at: Instant
    outcome: Outcome
    server_address: str | None
    detail: str = ""
    fresh: bool = False


@dataclass(frozen=True, slots=True)
class StoredRow:
    """A row found on a server.

    Attributes:
        n: its number.
        written_at: by the clock of the server that accepted it, seconds since 1970.
    """

    n: int
    written_at: float


@dataclass(frozen=True)
class ReportedLoss:
    """What the system itself says was lost.

    Attributes:
        rpo_seconds: at most this much of the acknowledged writes; None where it reported nothing, so promised nothing.
        trouble_since: when the trouble began in its eyes, seconds since 1970; None where it saw none.
        any_loss_accepted: whether it said that it cannot bound the loss and an operator accepted that beforehand: then
            no loss is beyond what was said. Of no effect where a bound is reported.
    """

    rpo_seconds: float | None
    trouble_since: float | None
    any_loss_accepted: bool = False

    @property
    def is_unbounded(self) -> bool:
        """Whether every loss is covered."""
        return self.rpo_seconds is None and self.any_loss_accepted


@dataclass(frozen=True)
class Switch:
    """The move from one writer to another, as clients saw it.

    Attributes:
        at: the first moment at which the name answered with the new address or the new writer acknowledged a row of any
            client, seconds since 1970.
        old_writer_address: the server that must accept nothing from then on.
    """

    at: float
    old_writer_address: str


@dataclass(frozen=True)
class Judgement:
    """The numbers of the rows in each class. Sorted, each once.

    Attributes:
        attempted: all.
        acknowledged: the client was told that they are safe.
        failed: certainly not executed.
        indeterminate_found: end unknown, and there.
        indeterminate_missing: end unknown, and not there.
        lost: acknowledged and not there.
        lost_beyond_reported_rpo: lost, and acknowledged before the loss began that the system reported.
        loss_window_starts_at: the earliest acknowledgement that the report covers, seconds since 1970; minus infinity
            where it covers every loss.
        measured_loss_seconds: from the earliest lost acknowledgement to the fault, or to the last lost one where the
            writer went on after it; 0 where nothing was lost.
        unexpected: there, and never attempted.
        failed_but_found: there, although the client was sure that they were not executed.
        duplicates: there more than once.
        accepted_by_old_writer_after_switch: acknowledged by the old writer after the switch, or found there, written
            after the switch and not at the new writer.
    """

    attempted: tuple[int, ...]
    acknowledged: tuple[int, ...]
    failed: tuple[int, ...]
    indeterminate_found: tuple[int, ...]
    indeterminate_missing: tuple[int, ...]
    lost: tuple[int, ...]
    lost_beyond_reported_rpo: tuple[int, ...]
    loss_window_starts_at: float
    measured_loss_seconds: float
    unexpected: tuple[int, ...]
    failed_but_found: tuple[int, ...]
    duplicates: tuple[int, ...]
    accepted_by_old_writer_after_switch: tuple[int, ...]


def judge(
    attempts: Sequence[Attempt],
    read_back: Sequence[int],
    *,
    fault_at: float,
    reported: ReportedLoss,
    switch: Switch | None = None,
    old_writer_rows: Iterable[StoredRow] = (),
) -> Judgement:
    """Judge one history.

    Args:
        attempts: everything that clients tried, in any order; they share the numbers.
        read_back: the numbers that the writer of the end holds, as read, duplicates included.
        fault_at: when something was broken, seconds since 1970.
        reported: the loss that the system reported.
        switch: the move to another writer; None where there was none.
        old_writer_rows: what the old writer holds, where it still answers.

    Raises:
        ValueError: a number was attempted twice, so that no set check is possible.
    """
    by_number = {attempt.n: attempt for attempt in attempts}
    if len(by_number) != len(attempts):
        raise ValueError("a number was attempted twice: the history cannot be judged")
    found = set(read_back)
    numbers: dict[Outcome, set[int]] = {outcome: set() for outcome in Outcome}
    for attempt in attempts:
        numbers[attempt.outcome].add(attempt.n)
    lost = [by_number[n] for n in sorted(numbers[Outcome.ACKNOWLEDGED] - found)]
    last_loss_at = max([fault_at, *(attempt.finished_at.wall for attempt in lost)])
    window_end = _window_end(last_loss_at, reported)
    window_start = -math.inf if reported.is_unbounded else window_end - _promised_seconds(reported)
    return Judgement(
        attempted=tuple(sorted(by_number)),
        acknowledged=tuple(sorted(numbers[Outcome.ACKNOWLEDGED])),
        failed=tuple(sorted(numbers[Outcome.FAILED])),
        indeterminate_found=tuple(sorted(numbers[Outcome.INDETERMINATE] & found)),
        indeterminate_missing=tuple(sorted(numbers[Outcome.INDETERMINATE] - found)),
        lost=tuple(attempt.n for attempt in lost),
        lost_beyond_reported_rpo=tuple(
            attempt.n
            for attempt in lost
            if attempt.finished_at.wall < window_start or (reported.rpo_seconds is None and not reported.is_unbounded)
        ),
        loss_window_starts_at=window_start,
        measured_loss_seconds=max((last_loss_at - attempt.finished_at.wall for attempt in lost), default=0.0),
        unexpected=tuple(sorted(found - by_number.keys())),
        failed_but_found=tuple(sorted(numbers[Outcome.FAILED] & found)),
        duplicates=tuple(sorted(n for n, times in Counter(read_back).items() if times > 1)),
        accepted_by_old_writer_after_switch=_accepted_after(attempts, found, switch, old_writer_rows),
    )


def _promised_seconds(reported: ReportedLoss) -> float:
    return 0.0 if reported.rpo_seconds is None else reported.rpo_seconds


def _window_end(last_loss_at: float, reported: ReportedLoss) -> float:
    """The moment from which the reported seconds of loss are counted back: the latest one the system could mean.

    The system reports an upper bound of (start of the trouble - last commit that was replayed). Counted from the start
    it gives, a correct report is never blamed: a row is acknowledged after its commit, and a lost one was committed
    after the last that was replayed. A later end lets the window begin later, so it only makes the check stricter:

    - A start of the trouble dated before the fault would stretch the window over rows the system had no reason to lose,
      so the window never ends before the fault.
    - A writer that goes on after the trouble began (a cut, a fence that came late) loses those rows too. Whoever counts
      the loss only up to the start of the trouble reports too little, so the window never ends before the last loss.
    """
    return last_loss_at if reported.trouble_since is None else max(last_loss_at, reported.trouble_since)


def _accepted_after(
    attempts: Sequence[Attempt], found: set[int], switch: Switch | None, old_writer_rows: Iterable[StoredRow]
) -> tuple[int, ...]:
    """Rows the old writer took after the switch.

    An acknowledgement counts by the moment it reached the client: from the switch on, the old writer telling anybody
    that a row is safe is wrong, whenever it committed. A row stored at both is no split: replication brought it.
    """
    if switch is None:
        return ()
    told = {
        attempt.n
        for attempt in attempts
        if attempt.outcome is Outcome.ACKNOWLEDGED
        and attempt.server_address == switch.old_writer_address
        and attempt.finished_at.wall > switch.at
    }
    stored = {row.n for row in old_writer_rows if row.written_at > switch.at and row.n not in found}
    return tuple(sorted(told | stored))
