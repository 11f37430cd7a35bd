"""A plan and its progress as text. Pure."""

from __future__ import annotations

from datetime import datetime

from function_runtime import words
from operations.reprotect.plan import TOLD, Plan
from operations.reprotect.refusals import Words


def told(plan: Plan, said: Words, backup: datetime | None, now: datetime) -> list[str]:
    """The whole plan.

    Args:
        plan: what is left.
        said: what the person has said explicitly.
        backup: the newest moment that a backup could bring back; None where that is not known.
        now: the time.
    """
    seen = plan.seen
    if plan.reason is None:
        return [f"Nothing is to do: {seen.other} has a replica of {seen.writer}, and authority."]
    begun = [] if seen.begun is None else [("begun", [f"{words.ago(seen.begun.began_at, now)}, by {seen.begun.by}"])]
    return [
        f"Plan: a standby in the {seen.other} site for the writer in {seen.writer} (epoch {seen.known.epoch})",
        "",
        *words.rows(
            [
                ("why", [TOLD[plan.reason]]),
                *begun,
                ("old instance", [_old(plan, said)]),
                ("new instance", [f"generation {seen.next_generation}"]),
                ("newest backup", ["unknown" if backup is None else words.ago(backup, now)]),
                ("meanwhile", [unprotected(plan)]),
            ]
        ),
        "",
        "steps, and how long they take for a database of some ten GiB",
        *words.indented(
            f"{number}. {each.name}: {each.title} ({f'about {each.minutes} min' if each.minutes else 'at once'})"
            for number, each in enumerate(plan.steps, 1)
        ),
        f"  about {plan.minutes} min in all",
        "",
    ]


def unprotected(plan: Plan) -> str:
    """What nothing protects from while there is no standby."""
    writer = plan.seen.writer
    return (
        f"nothing but backups protects from the loss of {writer}'s region or database: a restore takes an hour or "
        "more, and what came after the newest backup is lost"
    )


def _old(plan: Plan, said: Words) -> str:
    seen = plan.seen
    if not seen.is_to_be_replaced:
        return "none that has to go"
    if seen.standby is None:
        return "gone from RDS; Pulumi's state still has it"
    if seen.standby.replica_of is not None:
        return f"{seen.standby.resource_id}, a replica: deleted, without a snapshot of its own"
    without = said.without_snapshot and seen.standby.is_dead
    snapshot = "WITHOUT a final snapshot" if without else "its final snapshot first"
    return f"{seen.standby.resource_id}: deleted, {snapshot}; its automated backups are kept"
