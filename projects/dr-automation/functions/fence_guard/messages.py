"""What people are told of a fence, as text a person at 3 a.m. can act on. Pure."""

from __future__ import annotations

from fence_guard.settings import GuardSettings
from function_runtime.fence import Outcome
from function_runtime.fence_record import FenceRecord
from function_runtime.message import Message, compose
from function_runtime.readings import Instance
from function_runtime.state import Controller


def message_about(record: FenceRecord, seen: Instance, controller: Controller, settings: GuardSettings) -> Message:
    """What was seen, what was done, what comes next, what to do.

    Args:
        record: the fence and its outcome.
        seen: what RDS said of the database before anything was done.
        controller: the recorded state.
        settings: names and places.
    """
    site, other = record.site, record.site.other
    incident_id = controller.incident_id if controller.incident_id is not None else controller.last_incident_id
    next_lines, to_do = _advice(record, settings)
    return compose(
        settings,
        _subject(record),
        {
            "What was seen": [
                f"Database {settings.instance_id} ({site} site, {seen.status}) is no replica and could take writes.",
                f"Since epoch {record.epoch} the writer is in the {other} site.",
            ],
            "What was done": [f"{record.outcome}: {record.detail}"],
            "What happens next": next_lines,
            "What to do": to_do,
        },
        incident_id=incident_id,
        anchor="old-writer-fenced" if record.outcome is Outcome.FENCED else "old-writer-not-fenced",
    )


def two_writers(text: str, settings: GuardSettings) -> Message:
    """Both databases take writes, and nothing shuts the wrong one.

    Args:
        text: what was seen.
        settings: names and places.
    """
    return compose(
        settings,
        "TWO PostgreSQL WRITERS",
        {
            "What was seen": [text],
            "What was done": ["Nothing: this guard shuts its own site's database only, and never the right one."],
            "What happens next": ["The guard of the wrong one shuts it, if it runs and the record says which it is."],
            "What to do": [
                f"{settings.writer_name} leads clients to one of them: keep them off the other one.",
                "nox -s status. Where the other site's fence-guard does not run, shut the wrong one by hand.",
                "Where the record is lost, say whose the writer is (or recovery): nox -s failover -- --adopt primary",
            ],
        },
        incident_id=None,
        anchor="two-writers",
    )


def _subject(record: FenceRecord) -> str:
    if record.outcome is Outcome.FENCED:
        return f"Old PostgreSQL writer in {record.site} is fenced"
    return f"Old PostgreSQL writer in {record.site} is NOT FENCED: {record.outcome}"


def _advice(record: FenceRecord, settings: GuardSettings) -> tuple[list[str], list[str]]:
    if record.outcome is Outcome.FENCED:
        return (
            ["It stays shut. No client reaches it, and connections it had end with the reboot."],
            [
                "It may hold writes of the time before this fence: compare it with the new writer while it has them.",
                "nox -s reprotect then puts a standby in its place. Do not open it.",
            ],
        )
    may_write = (
        "New connections are refused, but old ones may still write to it."
        if record.outcome in (Outcome.GROUPS_REPLACED, Outcome.REBOOTING)
        else "Clients that use its own address may write to it, and those writes will be lost."
    )
    return (
        [may_write, "The guard tries again at every run, and says so when it is done."],
        [
            f"Keep clients off the address of {settings.instance_id}; {settings.writer_name} is not concerned.",
            f"By hand: give the instance the security group {settings.quarantine_group_id} alone, then reboot it.",
            "nox -s status",
        ],
    )
