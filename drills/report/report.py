"""The result of one drill, from which the page, the JSON and the exit code are made."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from drills.clients.history import ClientHistory
from drills.evidence import Evidence
from drills.judge.check import Check
from drills.judge.checks import checks_of, observed_outcome, spoken
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
        name: how the client finds the writer.
        writes: counts of its rows.
        outage_seconds: its longest time without an acknowledged write, from the last one before the fault.
        rto_seconds: from the fault to its first write acknowledged by the new writer; None where there is none.
    """

    name: str
    writes: Writes
    outage_seconds: float
    rto_seconds: float | None


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
        """The counts of both clients together, and of rows that neither wrote."""
        judgement = self.judgement
        rows = {*judgement.attempted, *judgement.unexpected, *judgement.accepted_by_old_writer_after_switch}
        return self._writes(rows, self.evidence.clients)

    @cached_property
    def clients(self) -> tuple[ClientReport, ...]:
        """Each client by itself."""
        return tuple(
            ClientReport(
                name=client.name,
                writes=self._writes({attempt.n for attempt in client.attempts}, (client,)),
                outage_seconds=client.outage_seconds(self.evidence.fault.at),
                rto_seconds=self.evidence.rto_seconds(client),
            )
            for client in self.evidence.clients
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
            if client.rto_seconds is not None
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

    def _writes(self, numbers: set[int], clients: tuple[ClientHistory, ...]) -> Writes:
        """The rows are judged together: what one client lost is a loss of the whole."""

        def count(*rows: tuple[int, ...]) -> int:
            return sum(len(numbers.intersection(each)) for each in rows)

        judgement, read_back = self.judgement, self.evidence.final_writer.rows
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
    judgement = judge(
        evidence.attempts,
        [] if evidence.final_writer.rows is None else [row.n for row in evidence.final_writer.rows],
        fault_at=evidence.fault.at.wall,
        reported=evidence.reported_loss,
        switch=evidence.switch,
        old_writer_rows=() if evidence.old_writer.rows is None else evidence.old_writer.rows,
    )
    return DrillReport(scenario, evidence, judgement, checks_of(scenario, evidence, judgement))
