"""The result of one drill, from which the page, the JSON and the exit code are made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from drills.clients.history import ClientHistory
from drills.clients.writes_table import StoredRow
from drills.evidence import Evidence, ReadBack
from drills.judge.check import Check
from drills.judge.checks import checks_of, observed_outcome, spoken
from drills.judge.client_checks import HUNG_SECONDS
from drills.judge.lost_rows import Judgement, judge
from drills.records.state_table import Decision, decision_of
from drills.scenario import DrillOutcome, Scenario


@dataclass(frozen=True)
class Writes:
    """Counts of rows in the classes of `Judgement`.

    Attributes:
        read_back: how many of the rows the final writer holds.
        on_fresh_connections: how many of the acknowledged ones were written on a connection of their own.
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
    on_fresh_connections: int


@dataclass(frozen=True)
class ClientReport:
    """One client's part of a drill.

    Attributes:
        history: what it tried, how it is called, and whether the drill is judged by it.
        writes: counts of its rows.
        outage_seconds: its longest time without an acknowledged write, from the last one before the fault.
        rto_seconds: from the fault to its first write acknowledged by the new writer; None where there is none.
        after_promotion_seconds: the same from when the controller or a client first saw the new writer take writes.
        after_name_moved_seconds: the same from when the writer's name moved.
    """

    history: ClientHistory
    writes: Writes
    outage_seconds: float
    rto_seconds: float | None
    after_promotion_seconds: float | None
    after_name_moved_seconds: float | None

    @property
    def name(self) -> str:
        """What the report calls it."""
        return self.history.name

    @property
    def hung(self) -> bool:
        """Whether an attempt took longer than any documented deadline."""
        return self.history.longest_wait_seconds > HUNG_SECONDS


@dataclass(frozen=True)
class DrillReport:
    """One drill, judged.

    Attributes:
        scenario: what was rehearsed.
        evidence: what was recorded.
        judgement: which rows were lost, and the other classes of rows.
        checks: the conditions that must all hold.
    """

    scenario: Scenario
    evidence: Evidence
    judgement: Judgement
    checks: tuple[Check, ...]

    @property
    def passed(self) -> bool:
        """Whether every check holds."""
        return all(check.passed for check in self.checks)

    @property
    def page_name(self) -> str:
        """The file name of the report's page."""
        return f"drill-{self.scenario.name}.html"

    @property
    def outcome(self) -> DrillOutcome:
        """What the system did."""
        return observed_outcome(self.evidence)

    @property
    def rto_seconds(self) -> float | None:
        """From the fault to the first write that the new writer acknowledged to the client with the writer's name."""
        return self.evidence.rto_seconds(self.evidence.by_name)

    @property
    def rpo_seconds(self) -> float | None:
        """The upper bound of the data loss as the system reported it; None where it reported none."""
        return self.evidence.reported_loss.rpo_seconds

    @cached_property
    def writes(self) -> Writes:
        """The counts of all judged clients together, and of rows that none of them wrote."""
        judgement = self.judgement
        rows = {*judgement.attempted, *judgement.unexpected, *judgement.accepted_by_old_writer_after_switch}
        return self._writes(rows, self.evidence.judged.clients, judgement)

    @cached_property
    def clients(self) -> tuple[ClientReport, ...]:
        """Each client by itself."""
        return tuple(self._client(client) for client in self.evidence.clients)

    @cached_property
    def astray(self) -> frozenset[int]:
        """The rows of any client that the old writer accepted after the switch."""
        judgements = (self.judgement, *self._of_others.values())
        return frozenset(n for each in judgements for n in each.accepted_by_old_writer_after_switch)

    @cached_property
    def _of_others(self) -> dict[str, Judgement]:
        """The rows of those that the drill is judged by are judged together, those of another one for itself."""
        others = (client for client in self.evidence.others if not client.is_documented)
        return {client.name: judgement_of(self.evidence, (client,)) for client in others}

    def _client(self, client: ClientHistory) -> ClientReport:
        evidence = self.evidence
        judgement = self._of_others.get(client.name, self.judgement)
        rto, promoted_at, moved = evidence.rto_seconds(client), evidence.promoted_at, evidence.name_moved
        return ClientReport(
            history=client,
            writes=self._writes({attempt.n for attempt in client.attempts}, (client,), judgement),
            outage_seconds=client.outage_seconds(evidence.fault.at),
            rto_seconds=rto,
            after_promotion_seconds=None if rto is None or promoted_at is None else rto - evidence.at(promoted_at),
            after_name_moved_seconds=None if rto is None or moved is None else rto - evidence.at(moved.at),
        )

    @property
    def decision(self) -> Decision | None:
        """The incident's decision; without an incident, the last one the controller recorded."""
        if self.evidence.incident is not None:
            return decision_of(self.evidence.incident.decision)
        after = self.evidence.controller_after
        return None if after is None else after.decision

    @property
    def reason(self) -> str:
        """The controller's reason; where the drill could not be completed, why not."""
        if self.evidence.unfinished:
            return "; ".join(self.evidence.unfinished)
        return "the controller recorded no decision" if self.decision is None else self.decision.reason

    @property
    def figures(self) -> tuple[str, str, str, str]:
        """Outcome, RTO, acknowledged rows lost and reported data loss, in words, for the index."""
        return (
            spoken(self.outcome),
            "-" if self.rto_seconds is None else f"{self.rto_seconds:.1f} s",
            str(self.writes.lost),
            "-" if self.rpo_seconds is None else f"at most {self.rpo_seconds:.3g} s",
        )

    @property
    def verdict(self) -> str:
        """The result in a sentence."""
        failed = [check for check in self.checks if not check.passed]
        if failed:
            more = "" if len(failed) == 1 else f" {len(failed) - 1} more of {len(self.checks)} checks failed."
            return f"This check failed: \u201c{failed[0].name}\u201d ({failed[0].evidence}).{more}"
        restored = self.evidence.restoration
        if restored is not None:
            came = f"{len(restored.rows) if restored.count is None else restored.count} rows came back"
            took, point = self.evidence.recovery_time_seconds, self.evidence.recovery_point_seconds
            return f"{came} from a copied snapshot, {took:.1f} s after the order; it was {point:.1f} s old at the loss."
        if self.outcome is not DrillOutcome.FAILED_OVER:
            told = "alerted people" if self.outcome is DrillOutcome.ALERTED else "alerted nobody"
            return f"The system correctly did not fail over, and {told}; no acknowledged write was lost."
        incident = self.evidence.incident
        by = None if incident is None else incident.ordered_by
        how = "automatically" if by is None else f"with the approval of {by}"
        taken = ", ".join(
            f"{client.rto_seconds:.1f} s through the {client.name}"
            for client in self.clients
            if client.rto_seconds is not None and client.history.block == 0
        )
        return f"The system recovered {how}: writes were accepted again after {taken}; {self._loss_words()}."

    def _loss_words(self) -> str:
        lost = self.writes.lost
        if lost == 0:
            return "no acknowledged write was lost"
        within = (
            f"and {self.evidence.unknown_loss_accepted_by} had accepted a loss without a known bound"
            if self.rpo_seconds is None
            else f"within the {self.rpo_seconds:.1f} s that the system reported"
        )
        return f"{lost} acknowledged {'write was' if lost == 1 else 'writes were'} lost, {within}"

    def _writes(self, numbers: set[int], clients: tuple[ClientHistory, ...], judgement: Judgement) -> Writes:

        def count(*rows: tuple[int, ...]) -> int:
            return sum(len(numbers.intersection(each)) for each in rows)

        read_back = self.evidence.final_writer.rows
        return Writes(
            attempted=count(judgement.attempted),
            acknowledged=count(judgement.acknowledged),
            indeterminate=count(judgement.indeterminate_found, judgement.indeterminate_missing),
            failed=count(judgement.failed),
            read_back=0 if read_back is None else sum(row.n in numbers for row in read_back),
            lost=count(judgement.lost),
            lost_beyond_reported_rpo=count(judgement.lost_beyond_reported_rpo),
            accepted_by_old_writer_after_switch=count(judgement.accepted_by_old_writer_after_switch),
            indeterminate_found=count(judgement.indeterminate_found),
            on_fresh_connections=sum(attempt.fresh for client in clients for attempt in client.acknowledged),
        )


def report_of(scenario: Scenario, evidence: Evidence) -> DrillReport:
    """Judge a drill."""
    judged = evidence.judged
    judgement = judgement_of(evidence, judged.clients)
    return DrillReport(scenario, evidence, judgement, checks_of(scenario, judged, judgement))


def judgement_of(evidence: Evidence, clients: Sequence[ClientHistory]) -> Judgement:
    """Judge the rows of some clients; what happened when is known from those that the drill is judged by."""

    def of_them(read: ReadBack) -> list[StoredRow]:
        return [row for row in read.rows or () if any(client.owns(row.n) for client in clients)]

    return judge(
        [attempt for client in clients for attempt in client.attempts],
        [row.n for row in of_them(evidence.final_writer)],
        fault_at=evidence.fault.at.wall,
        reported=evidence.reported_loss,
        switch=evidence.judged.switch,
        old_writer_rows=of_them(evidence.old_writer),
    )
