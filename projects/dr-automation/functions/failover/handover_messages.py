"""What people are told of the authority: a handover, and a word that cannot be heeded. Pure."""

from __future__ import annotations

from datetime import datetime

from failover.settings import Settings
from function_runtime import words
from function_runtime.control import Order
from function_runtime.handover import Handover, HandoverStep
from function_runtime.message import Message, compose
from function_runtime.state import Controller

ANCHOR = "handover"


def lasts(settings: Settings, handover: Handover, at: datetime, why: str) -> Message:
    """A step of a handover takes longer than it should."""
    nobody = handover.next_step is HandoverStep.TAKE
    taken = words.span((at - handover.since).total_seconds())
    take_back = f"Or take it back: nox -s failover -- --abandon {ANCHOR}"
    adopt = f"Where the {handover.receiver} site is lost, take it back: nox -s failover -- --adopt {handover.giver}"
    return compose(
        settings,
        f"PostgreSQL: handover to {handover.receiver} does not end" + (": NO FAILOVER" if nobody else ""),
        {
            "What was seen": [f"For {taken} its step {handover.next_step} has not been done.", f"Why: {why}"],
            "What was decided": [
                "No site's controller acts until the other one has taken it: there is no failover meanwhile."
                if nobody
                else "Nothing: the standby is not protected by a controller before the handover is done."
            ],
            "What happens next": ["It goes on by itself as soon as it can; every run looks."],
            "What to do": [
                f"Look at the {handover.receiver} site's failover function, its table and its region.",
                adopt if nobody else take_back,
                "nox -s status",
            ],
        },
        incident_id=None,
        anchor=ANCHOR,
    )


def handed_over(settings: Settings, handover: Handover) -> Message:
    """The other site's controller acts from now on."""
    return compose(
        settings,
        f"PostgreSQL: the {handover.receiver} site's controller has the authority",
        {
            "What was done": [f"{handover.by} had {handover.giver} hand the authority over, epoch {handover.epoch}."],
            "What happens next": [f"The {handover.receiver} site's controller watches the writer in {handover.giver}."],
            "What to do": ["Nothing."],
        },
        incident_id=None,
        anchor=ANCHOR,
    )


def taken_back(settings: Settings, handover: Handover, by: str) -> Message:
    """A person has taken a handover back in time."""
    return compose(
        settings,
        "PostgreSQL: handover of authority taken back",
        {
            "What was done": [f"{by} took it back: the {handover.giver} site's controller keeps the authority."],
            "What happens next": ["Nothing fails over: the writer is in the site whose controller has the authority."],
            "What to do": ["When the reason is gone: nox -s reprotect"],
        },
        incident_id=None,
        anchor=ANCHOR,
    )


def not_adopted(settings: Settings, by: str, why: str) -> Message:
    """A person's word which database is the writer cannot be heeded."""
    return compose(
        settings,
        "PostgreSQL: a word was not heeded, the writer stays as it is",
        {
            "What was seen": [f"{by}: {why}"],
            "What was decided": ["Nothing has changed. The word is used up."],
            "What to do": ["Give another one when what is in its way is gone.", "nox -s status"],
        },
        incident_id=None,
        anchor="state-lost",
    )


def order_dropped(settings: Settings, order: Order) -> Message:
    """An order that was given before this site's controller had the authority."""
    return compose(
        settings,
        f"PostgreSQL: the {order.kind} order is older than the authority, and is not carried out",
        {
            "What was seen": [
                f"{order.by} gave it at {words.moment(order.at)}.",
                f"The {settings.here} site's controller had no authority yet.",
            ],
            "What was decided": ["It is dropped: what it was given for may have changed since."],
            "What to do": [
                "If it is still meant, see first what it would do: nox -s failover -- --planned --dry-run",
                "Then give it again.",
            ],
        },
        incident_id=None,
        anchor=ANCHOR,
    )


def records_differ(settings: Settings, controller: Controller, other: Controller) -> Message:
    """Both sites' controllers may act: their records are equally new, and contradict each other."""
    here = settings.here
    return compose(
        settings,
        "TWO RECORDS: both sites' controllers may act for PostgreSQL",
        {
            "What was seen": [_of(here, controller), _of(here.other, other)],
            "What was decided": ["Nothing: neither is known to be right. Neither database is fenced for it."],
            "What happens next": [f"The {here} site's controller does not try again to tell the other one."],
            "What to do": [
                "Look which database has the newest data, and keep clients off the other one.",
                f"Give a word that is newer than both: nox -s failover -- --adopt {controller.writer_site}",
            ],
        },
        incident_id=None,
        anchor="state-lost",
    )


def _of(site: str, controller: Controller) -> str:
    return (
        f"Table of {site}: epoch {controller.epoch}, the writer is {controller.writer_site}, "
        f"the {controller.authority} site's controller has the authority."
    )
