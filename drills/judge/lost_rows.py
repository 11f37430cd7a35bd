"""Which rows count as lost, and which other rows should not be as they are.

This is Jepsen's set check (``jepsen.checker/set``, https://jepsen-io.github.io/jepsen/jepsen.checker.html): every
number is attempted once; an acknowledged one that the final read does not return is lost; one that it returns though it
was never attempted is unexpected; an indeterminate one may be there or not. Asynchronous replication may lose the last
acknowledged rows, so the check also takes the data loss that the system reported, and what the old writer accepted
after the switch.

Pure: no clock, no I/O.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from drills.clients.history import Attempt, Outcome
from drills.clients.writes_table import StoredRow
from drills.evidence import ReportedLoss, Switch


@dataclass(frozen=True)
class Judgement:
    """The numbers of the rows in each class. Sorted, each once.

    Attributes:
        attempted: all.
        acknowledged: the client was told that they are committed.
        failed: certainly not committed.
        indeterminate_found: indeterminate, and read back.
        indeterminate_missing: indeterminate, and not read back.
        lost: acknowledged, and not read back.
        lost_beyond_reported_rpo: lost, and acknowledged earlier than the reported data loss reaches back; or after the
            switch and not by the old writer, which no data loss of a failover covers.
        measured_loss_seconds: from the earliest lost acknowledgement to the fault, or to the last lost one where the
            writer continued after it; 0 where nothing was lost.
        unexpected: read back, and never attempted.
        failed_but_found: read back, although the client had been told that they failed.
        duplicates: read back more than once.
        accepted_by_old_writer_after_switch: acknowledged by the old writer after the switch, or stored there after the
            switch and not at the new writer.
    """

    attempted: tuple[int, ...]
    acknowledged: tuple[int, ...]
    failed: tuple[int, ...]
    indeterminate_found: tuple[int, ...]
    indeterminate_missing: tuple[int, ...]
    lost: tuple[int, ...]
    lost_beyond_reported_rpo: tuple[int, ...]
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
        attempts: everything that the clients tried, in any order; no two used the same number.
        read_back: the numbers read back from the final writer, duplicates included.
        fault_at: when something was broken, seconds since 1970.
        reported: the loss that the system reported.
        switch: the move to another writer; None where there was none.
        old_writer_rows: what the old writer holds, if it still answers.

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
    window_start = _window_start(last_loss_at, reported)
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
            if attempt.finished_at.wall < window_start or _is_of_the_new_writer(attempt, switch)
        ),
        measured_loss_seconds=max((last_loss_at - attempt.finished_at.wall for attempt in lost), default=0.0),
        unexpected=tuple(sorted(found - by_number.keys())),
        failed_but_found=tuple(sorted(numbers[Outcome.FAILED] & found)),
        duplicates=tuple(sorted(n for n, times in Counter(read_back).items() if times > 1)),
        accepted_by_old_writer_after_switch=_accepted_after(attempts, found, switch, old_writer_rows),
    )


def _window_start(last_loss_at: float, reported: ReportedLoss) -> float:
    """The earliest moment at which a lost row may have been acknowledged, going by the reported data loss.

    The system reports an upper bound: start of the trouble - last commit that was replayed. Counted back from that
    start, a correct report always covers every lost row: a row is acknowledged after its commit, and a lost one was
    committed after the last commit that was replayed. Counting from a later moment only makes the check stricter:

    - Where the system dates the trouble before the fault, it counts from the fault: the system had no reason to lose
      earlier rows.
    - Where the writer continued after the trouble began (a cut link, a late fence), it counts from the last lost row:
      a system that counts the loss only up to the start of the trouble reports too little.
    """
    if reported.rpo_seconds is None:
        return -math.inf if reported.any_loss_accepted else math.inf
    trouble_since = last_loss_at if reported.trouble_since is None else reported.trouble_since
    return max(last_loss_at, trouble_since) - reported.rpo_seconds


def _is_of_the_new_writer(attempt: Attempt, switch: Switch | None) -> bool:
    if switch is None or attempt.server_address == switch.old_writer_address:
        return False
    return attempt.finished_at.wall > switch.at


def _accepted_after(
    attempts: Sequence[Attempt], found: set[int], switch: Switch | None, old_writer_rows: Iterable[StoredRow]
) -> tuple[int, ...]:
    """Rows the old writer accepted after the switch.

    An acknowledgement counts by the moment it reached the client: after the switch the old writer must not tell anybody
    that a row is committed, whenever it committed it. A row stored at both came by replication and is no split brain.
    """
    if switch is None:
        return ()
    acknowledged = {
        attempt.n
        for attempt in attempts
        if attempt.outcome is Outcome.ACKNOWLEDGED
        and attempt.server_address == switch.old_writer_address
        and attempt.finished_at.wall > switch.at
    }
    stored = {row.n for row in old_writer_rows if row.written_at > switch.at and row.n not in found}
    return tuple(sorted(acknowledged | stored))
