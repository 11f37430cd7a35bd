"""Wait until a failover under way is held, taken back or over, and say which."""

from __future__ import annotations

from function_runtime import words
from operations.console import Console
from operations.controller import Controller
from operations.errors import NoReportError
from operations.follow import POLL_SECONDS
from operations.report import Report

# A run of the controller takes five minutes at most.
LONGEST_WAIT_SECONDS = 330.0


def wait_until_held(controller: Controller, console: Console, report: Report) -> list[str]:
    """Wait until nothing is done to the incident any more, or until nothing can stop it.

    Args:
        controller: gives the reports.
        console: waits.
        report: the newest report, with an incident under way.

    Returns:
        What has become of it.
    """
    incident = report.incident
    waited = 0.0
    while incident is not None:
        name = f"Incident {incident.incident_id}"
        if incident.may_be_promoted and not incident.is_taken_back:
            return [
                f"{name} has asked RDS to promote: no pause and no cancellation stops it now. It is completed;",
                f"where it cannot be, nox -s failover -- --abandon {incident.incident_id} --dry-run says what is left.",
            ]
        if report.waits_for_resume and incident.lease_until <= report.at:
            return [
                f"Held: {name} is {incident.phase}, and nothing is under way any more. A fence stays: clients have",
                "no writer until nox -s resume lets it go on, or until it is ended:",
                f"  nox -s failover -- --abandon {incident.incident_id} --dry-run",
            ]
        if waited >= LONGEST_WAIT_SECONDS:
            return [f"{name} is still {incident.phase} after {words.span(waited)}. See nox -s status."]
        console.sleep(POLL_SECONDS)
        waited += POLL_SECONDS
        try:
            report = controller.report()
        except NoReportError as error:
            return [f"What has become of {name} is not known: {error}"]
        incident = report.incident
    last = report.last_incident
    if last is None:
        return ["Nothing is under way."]
    return [f"Incident {last.incident_id} is over.", *words.indented(words.outcome(last))]
