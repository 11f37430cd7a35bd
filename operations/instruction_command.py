"""``nox -s failover -- --abandon`` and ``--adopt``: get the controller out of what it cannot leave by itself."""

from __future__ import annotations

from datetime import timedelta

from failover.answer import Answer
from failover.shown import SHOWN_WITHIN_SECONDS, has_failed_promoted, may_be_given_up, shown_by
from function_runtime import words
from function_runtime.control import Instruction, InstructionKind
from function_runtime.incident import Incident, Shown
from function_runtime.readings import Instance
from function_runtime.sites import Site
from operations.access import Access
from operations.console import Console
from operations.controller import Controller
from operations.errors import NoReportError, RefusedError
from operations.exit_codes import DONE, INTERRUPTED, REFUSED
from operations.follow import POLL_SECONDS
from operations.held import LONGEST_WAIT_SECONDS
from operations.orders import GOOD_FOR
from operations.recorded import Recorded
from operations.report import Report
from operations.requests import InstructionRequest

STATE_LOST = "StateLostError"
HANDOVER = "handover"
"""What an instruction calls the handover of authority that is under way."""


def instruct(request: InstructionRequest, access: Access, console: Console) -> int:
    """Show what an instruction would leave, then give it, unless it is a dry run, and wait until it is carried out.

    Returns:
        0 carried out, or a dry run; 1 not carried out in its time; 130 interrupted while waiting.

    Raises:
        RefusedError: there is nothing to abandon or to adopt; nothing was written.
    """
    controller = Controller(access)
    if request.kind is InstructionKind.ABANDON:
        report = controller.report()
        told = _handing_over(report) if request.about == HANDOVER else _abandoning(request.about, report)
        console.say(told)
    else:
        console.say(_adopting(Site(request.about), controller, access, console))
    if request.dry_run:
        console.say(["Dry run: nothing was done."])
        return DONE
    if not request.yes:
        answer = console.ask(f"Type {request.about} to do it: ")
        if answer != request.about:
            raise RefusedError(request.kind, answer or "(nothing)", f"nothing was done; type {request.about} to do it")
    now = console.now()
    item = access.control
    instruction = Instruction(request.kind, request.about, access.by, now, now + GOOD_FOR)
    item.write(item.read().with_instruction(instruction))
    console.say([f"On record, good until {words.moment(instruction.expires_at)}; the controller's next run heeds it."])
    if not request.wait:
        return DONE
    try:
        return _wait(instruction, controller, console)
    except KeyboardInterrupt:
        console.say(["", "Interrupted. The instruction stays on record until it expires. See nox -s status."])
        return INTERRUPTED


def _wait(instruction: Instruction, controller: Controller, console: Console) -> int:
    abandons = instruction.kind is InstructionKind.ABANDON
    ends_at = instruction.at + timedelta(seconds=LONGEST_WAIT_SECONDS)
    while console.now() < ends_at:
        console.sleep(POLL_SECONDS)
        try:
            report = controller.report()
        except NoReportError:
            continue
        if not abandons and report.writer_site is Site(instruction.about):
            console.say([f"The writer is {report.writer_site}, epoch {report.epoch}; {report.writer_name} follows."])
            return DONE
        if abandons and instruction.about == HANDOVER and report.handover is None:
            console.say([f"No handover is under way; authority is with {report.authority}."])
            return DONE
        last = report.last_incident if abandons else None
        if report.incident is None and last is not None and last.incident_id == instruction.about:
            console.say([f"Incident {last.incident_id} is closed.", *words.indented(words.outcome(last))])
            return DONE
    console.say(
        [
            f"Not carried out yet; it is void from {words.moment(instruction.expires_at)} on. What is in its way, the",
            "controller tells people and its log; see nox -s status.",
        ]
    )
    return REFUSED


def _abandoning(incident_id: str, report: Report) -> list[str]:
    incident = report.incident
    if incident is None or incident.incident_id != incident_id:
        now = words.NONE if incident is None else incident.incident_id
        raise RefusedError("--abandon", incident_id, f"name the incident that is under way: {now}")
    if (why := _cannot_be_given_up(incident, report)) is not None:
        raise RefusedError("--abandon", incident_id, why)
    what = f"Incident {incident_id} is {incident.phase}. To abandon it leaves this:"
    return [what, *words.indented(left_by(incident))]


def _cannot_be_given_up(incident: Incident, report: Report) -> str | None:
    """Why a promotion that RDS has accepted cannot be given up now; None where it can, or is over."""
    if not incident.is_promotion_accepted or incident.has_new_writer or incident.is_taken_back:
        return None
    what = f"RDS has accepted the promotion of the {incident.new_writer} site's database"
    seen, phase = report.content["standby"], incident.next_phase
    if seen["exists"] is None:
        return f"{what}, and does not say how that is: ask again when it does"
    instance = Instance(seen["status"], seen["replica_of"], {}) if seen["exists"] else None
    step = None if phase is None else incident.step(phase)
    is_made = shown_by(instance) is Shown.WRITER or has_failed_promoted(instance)
    if is_made or may_be_given_up(instance, step, report.at):
        return None
    return (
        f"{what} and calls it {seen['status']}; it is given up only after RDS has shown an available replica for "
        f"{SHOWN_WITHIN_SECONDS:g} s: ask again then (nox -s status)"
    )


def _handing_over(report: Report) -> list[str]:
    if report.handover is None:
        raise RefusedError("--abandon", HANDOVER, f"none is under way: authority is with {report.authority}")
    return [
        f"Authority is being handed over from {report.here} to {report.here.other}. To abandon that leaves it where it",
        "is, if it has not been given up yet. After that it only goes forward, and nothing happens.",
    ]


def left_by(incident: Incident) -> list[str]:
    """What state it leaves to abandon an incident that is under way."""
    old, new = incident.new_writer.other, incident.new_writer
    if not incident.may_be_promoted:
        return [
            f"{old} stays the writer on record. Its database gets its own security group back, if it works or not.",
            f"{new} stays its replica, and nothing is lost. If the writer is dead, the normal decision applies.",
        ]
    return [
        "RDS was asked to promote. What RDS shows then decides:",
        f"- {new} takes writes: it becomes the writer on record, without waiting for the steps that are left.",
        f"- {new} failed after its promotion: so too, for it may hold writes. `--adopt {old}` then goes back",
        "  without them.",
        f"- {new} failed as a replica, or has been an available one for {SHOWN_WITHIN_SECONDS:g} s: {old} stays the",
        "  writer, and gets its name and its security group back.",
        "- RDS is still at it: nothing happens until that is decided, or the instruction has expired.",
    ]


def _adopting(site: Site, controller: Controller, access: Access, console: Console) -> list[str]:
    table = access.place.state_table_name
    authority = (
        f"The {access.site} site's controller gets authority in the new epoch, and tells the other site's table as "
        "soon as that answers."
    )
    try:
        report = controller.report()
    except NoReportError as error:
        if STATE_LOST not in str(error):
            raise
        return [
            *Recorded.read(access.dynamodb[access.site], table, access.site).text(str(error), console.now()),
            "",
            f"To adopt {site} makes its database the writer on record, in a new epoch, if RDS shows that it takes",
            f"writes. {table} is written anew, and the writer's name follows. The guard of",
            f"{site.other} shuts the other database if that takes writes: what only that one has stays there.",
            *words.indented([authority], by=0),
        ]
    known = f"the writer on record is {report.writer_site}, epoch {report.epoch}"
    if report.incident is not None:
        raise RefusedError("--adopt", site, f"incident {report.incident.incident_id} is under way: abandon it first")
    if report.authority is not report.here:
        # This one is asked only where nobody with authority can be.
        return [
            f"The {known}, and authority is with {report.authority}, as far as the {report.here} site knows.",
            f"To adopt {site} makes its database the writer on record in a new epoch, if RDS shows that it takes",
            f"writes. It is heeded only while the {report.authority} region does not answer or its table is lost.",
            *words.indented([authority], by=0),
        ]
    if report.writer_site is not site:
        if site == report.here and report.signals["standby_ready"] is Answer.YES:
            raise RefusedError("--adopt", site, f"{known}, and this one is its replica: order a failover instead")
        return [
            f"The {known}. To adopt {site} instead needs the writer's database to be shut, not to answer, or to have",
            f"been adopted; otherwise nothing happens. What {report.writer_site} has taken and {site} has not is",
            "not there for clients then.",
        ]
    if report.signals["lets_clients_in"] is Answer.NO or report.here == site:
        return [
            f"{site} is the writer on record. To adopt it gives its database, where that is shut, its own security",
            "group back: its clients return, and it goes on from where it was shut.",
        ]
    raise RefusedError("--adopt", site, f"nothing is to be settled: {known}, and its database is open")
