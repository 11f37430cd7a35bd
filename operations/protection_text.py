"""What a status begins with: protected or not, why not, who has authority, and what to run now. Pure."""

from __future__ import annotations

from datetime import datetime

from function_runtime import words
from operations.report import Report
from operations.reprotect.plan import STEPS

NEW_STANDBY_MINUTES = sum(step.minutes for step in STEPS)
"""How long a new standby takes for a database of some ten GiB, handover included, by reprotect's plan."""
REPROTECT = "nox -s reprotect -- --dry-run"
TO_RUN = {
    "no_standby": f"{REPROTECT} shows how a new standby is made",
    "standby_broken": f"{REPROTECT} shows how the standby is made anew; the writer is not touched",
    "standby_busy": "nothing: RDS is at work on the standby; nox -s status again when that is over",
    "authority_elsewhere": f"{REPROTECT} shows what is left of it; it hands authority over",
    "incident": "the incident goes on by itself; nox -s status again, or the runbook's section of its step",
    "paused": "nox -s resume lets failovers happen again",
    "writer_in_trouble": "see the decision below: what is done about it, and what waits for you",
    "unknown": "see the signals below",
}
MEANS_A_RESTORE = {"no_standby": "no standby", "standby_broken": "the standby is broken"}
TITLES = {
    "protected": "PROTECTED",
    "unknown": "NOT KNOWN TO BE PROTECTED",
    "writer_in_trouble": "WRITER IN TROUBLE",
    "paused": "PAUSED",
}


def beginning(report: Report, backup: datetime | None, now: datetime) -> list[str]:
    """The first lines.

    Args:
        report: the report of the controller with authority.
        backup: the newest moment that a backup could bring back; None where that is not known.
        now: the time.
    """
    protection = report.protection
    title = TITLES.get(protection.code, "NOT PROTECTED")
    rows = [("why", [protection.reason])] if protection.code in MEANS_A_RESTORE else []
    rows += [("authority", [f"the {report.authority} site's controller"])]
    if report.handover is not None:
        rows.append(("handover", [handover(report)]))
    run = TO_RUN.get(protection.code)
    if run is not None and not protection.protected:
        rows.append(("run now", [run]))
    return [*words.indented([f"{title}: {_reason(report, backup, now)}"], by=0), *words.rows(rows)]


def unknown(why: str) -> list[str]:
    """The first lines where no controller says it."""
    return words.indented([f"NOT KNOWN TO BE PROTECTED: {why}"], by=0)


def handover(report: Report) -> str:
    """The handover of authority that is under way."""
    known = report.handover or {}
    given, taken = known.get("from", report.here), known.get("to", report.here.other)
    told = [name.removesuffix("_at").replace("_", " ") for name in ("told_at", "given_up_at") if known.get(name)]
    return f"from {given} to {taken} is under way, and nobody acts meanwhile; done so far: {', '.join(told) or 'begun'}"


def _reason(report: Report, backup: datetime | None, now: datetime) -> str:
    protection = report.protection
    if protection.protected:
        return f"{protection.reason}; the writer is {report.writer_site}"
    if protection.code not in MEANS_A_RESTORE:
        return protection.reason
    restored = "a backup, and how old the newest is is unknown" if backup is None else f"a backup of {_of(backup, now)}"
    return (
        f"{MEANS_A_RESTORE[protection.code]}: the next failure means restoring from {restored}; a new standby takes "
        f"about {NEW_STANDBY_MINUTES} minutes"
    )


def _of(backup: datetime, now: datetime) -> str:
    """The time alone for one of today, as people say it."""
    text = f"{backup:%H:%M} UTC" if backup.date() == now.date() else f"{backup:%Y-%m-%d %H:%M} UTC"
    return f"{text} ({words.span(max(0.0, (now - backup).total_seconds()))} ago)"
