"""A message to people, as SNS takes it, that a person at 3 a.m. can act on. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

# https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
LONGEST_SUBJECT = 99


@dataclass(frozen=True)
class Message:
    """One message.

    Attributes:
        subject: one line of ASCII.
        text: everything else.
    """

    subject: str
    text: str


class Places(Protocol):
    """What every message names: the environment, and where to look."""

    @property
    def environment_suffix(self) -> str:
        """Names the environment."""

    @property
    def writer_name(self) -> str:
        """The DNS name clients write to."""

    @property
    def dashboard_url(self) -> str:
        """Where people see more."""

    @property
    def runbook_url(self) -> str:
        """Where people read what to do."""


def compose(
    places: Places, subject: str, sections: Mapping[str, Sequence[str]], *, incident_id: str | None, anchor: str
) -> Message:
    """Compose a message.

    Args:
        places: what every message names.
        subject: what it is about; cut where SNS would refuse it.
        sections: the lines of each section, by its title.
        incident_id: the incident it belongs to, None where there is none.
        anchor: the section of the runbook, with hyphens or underscores.
    """
    lines = [
        line
        for title, of_section in sections.items()
        for line in (f"{title}:", *(f"  {each}" for each in of_section), "")
    ]
    lines += [
        *([] if incident_id is None else [f"Incident:  {incident_id}"]),
        f"Writer:    {places.writer_name}",
        f"Dashboard: {places.dashboard_url}",
        f"Runbook:   {places.runbook_url}#{anchor.replace('_', '-')}",
    ]
    return Message(f"[{places.environment_suffix}] {subject}"[:LONGEST_SUBJECT], "\n".join(lines))
