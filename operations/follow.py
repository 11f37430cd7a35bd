"""Follow a failover that was ordered, until it is closed or cannot begin any more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from function_runtime import words
from function_runtime.control import Order
from function_runtime.incident import Incident
from operations.console import Console
from operations.controller import Controller
from operations.errors import NoReportError, RefusedError
from operations.report import Report

POLL_SECONDS = 2.0
# In a row. A single report may fall between two states.
UNWILLING_REPORTS = 5
MISSING_REPORTS = 30

Withdraw = Callable[[Order], Order | None]


@dataclass
class Follower:
    """Asks for a report every few seconds and prints what is new.

    Attributes:
        controller: gives the reports.
        console: where to print.
        withdraw: withdraws the order if it is still the one on record; returns None if it is not.
    """

    controller: Controller
    console: Console
    withdraw: Withdraw
    _told: set[str] = field(default_factory=set)
    _unwilling: int = 0
    _silent: int = 0

    def follow(self, order: Order) -> Incident:
        """Follow an order.

        Returns:
            The closed incident.

        Raises:
            RefusedError: it will not begin; the order is no longer on record.
            NoReportError: the controller gives no reports any more; the order may still be on record.
        """
        while True:
            report = self._look()
            if report is not None:
                incident = _incident_of(order, report)
                if incident is None:
                    self._wait_for_begin(order, report)
                else:
                    self._tell_steps(incident, report)
                    if incident.closed_at is not None:
                        return incident
            self.console.sleep(POLL_SECONDS)

    def _look(self) -> Report | None:
        try:
            report = self.controller.report()
        except NoReportError as error:
            self._silent += 1
            if self._silent >= MISSING_REPORTS:
                raise
            self._tell(f"no report from the controller, asking again: {error}")
            return None
        self._silent = 0
        return report

    def _wait_for_begin(self, order: Order, report: Report) -> None:
        if report.order != order:
            raise RefusedError(
                "order on record",
                words.NONE if report.order is None else f"another one, by {report.order.by}",
                "somebody has withdrawn or replaced yours; talk to them",
            )
        if report.incident is not None:
            self._give_up(order, f"incident {report.incident.incident_id} has begun instead")
        elif not order.is_for(report.incident_id, report.next_epoch, report.at):
            named = f"an order must name incident {report.incident_id} and epoch {report.next_epoch} now"
            self._give_up(order, named if report.at < order.expires_at else "it has expired")
        elif report.would_fail_over:
            self._unwilling = 0
            self._tell("the order is on record; the controller's next run carries it out")
        else:
            self._unwilling += 1
            self._tell(f"not now ({report.decision.code}): {report.decision.reason}")
            if self._unwilling >= UNWILLING_REPORTS:
                self._give_up(order, f"{report.decision.code}: {report.decision.reason}")

    def _give_up(self, order: Order, why: str) -> None:
        """Withdraw the order first, so that nothing begins after the command has ended; then see what has begun."""
        withdrawn = self.withdraw(order)
        report = self.controller.report()
        if _incident_of(order, report) is None:
            done = "is withdrawn" if withdrawn is not None else "is no longer on record"
            raise RefusedError("failover", f"it does not begin ({why})", f"your order {done}; see nox -s status")

    def _tell_steps(self, incident: Incident, report: Report) -> None:
        for each in incident.steps:
            self._tell(words.step(each))
        if report.waits_for_resume:
            self._tell("failovers are paused, so the incident waits; nox -s resume lets it go on")

    def _tell(self, line: str) -> None:
        if line not in self._told:
            self._told.add(line)
            self.console.say(words.indented([line]))


def _incident_of(order: Order, report: Report) -> Incident | None:
    for incident in (report.incident, report.last_incident):
        if incident is not None and incident.incident_id == order.incident_id and incident.epoch == order.epoch:
            return incident
    return None
