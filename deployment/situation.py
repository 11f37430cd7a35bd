"""In which situation an environment is: who the writer is, whether anything is under way, what does not answer. Pure.

Both state tables and both regions' RDS are asked, since either can be lost.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from deployment.state_tables import Answer, Table, Tables, newest
from shared.sites import Site


class Condition(StrEnum):
    """What a command meets. Axis of what may go wrong with the database that takes writes."""

    FRESH = "fresh"
    """No record, and no database whose writer could be another than the one that is declared."""
    FOLLOWED = "followed"
    """`activeSite` is the writer on record, with a standby or without one."""
    NOT_FOLLOWED = "not followed"
    """A failover has moved the writer, and `activeSite` does not say so yet."""
    INCIDENT = "incident open"
    """A failover is under way."""
    HANDING_OVER = "handing over"
    """Authority is on its way from one site's controller to the other's."""
    DARK = "region dark"
    """One region does not answer; the other's table, which has authority, says who the writer is."""
    UNKNOWN = "unknown"
    """Nobody can say who the writer is."""


class Holds(StrEnum):
    """What RDS says of the database under a site's identifier."""

    NOTHING = "nothing"
    REPLICA = "replica"
    STANDALONE = "standalone"
    """No replica: a writer, or one that was."""
    SHUT = "shut"
    """No replica, and in none of the groups that let clients in."""
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Situation:
    """What is known.

    Attributes:
        condition: what a command meets.
        active: the site that the data layer's configuration calls active.
        writer: the site whose database takes writes; None where nobody can say.
        why: what it rests on, for people.
        dark: the sites whose regions do not answer.
        remedy: what makes it known, where it is unknown.
    """

    condition: Condition
    active: Site
    writer: Site | None
    why: str = ""
    dark: frozenset[Site] = field(default_factory=frozenset)
    remedy: str = ""

    @property
    def is_dark(self) -> bool:
        """Whether a region does not answer."""
        return bool(self.dark)


def assess(tables: Tables, databases: Mapping[Site, Holds], active: Site, said: Site | None = None) -> Situation:
    """What both tables and RDS say together.

    Args:
        tables: both state tables.
        databases: what RDS has in each site.
        active: the site that the configuration calls active.
        said: the writer by a person's word; it counts only where nothing on record says otherwise.
    """
    at = {Site(site.value): table for site, table in tables.items()}
    dark = frozenset(site for site, table in at.items() if table.answer is Answer.SILENT)
    for table in at.values():
        if table.controller is not None and table.controller.incident_id is not None:
            why = f"incident {table.controller.incident_id}, a failover, is under way"
            return Situation(Condition.INCIDENT, active, None, why, dark)
    for table in at.values():
        if table.handover is not None:
            why = f"authority is being handed over from {table.site} to {table.site.other}"
            return Situation(Condition.HANDING_OVER, active, _writer(table), why, dark)
    record = _believed(at)
    if record is None or record.controller is None:
        return _without_record(at, databases, active, dark, said)
    writer = _writer(record)
    contradiction = _contradiction(writer, databases)
    if contradiction is not None:
        return _unknown(active, dark, contradiction, "find out which database takes writes, see ./dr status", said)
    epoch = record.controller.epoch
    why = f"the {writer} site is the writer{f' since a failover (epoch {epoch})' if epoch else ''}"
    if said is not None and said is not writer:
        return Situation(
            Condition.UNKNOWN, active, None, f"{why} on record, and --writer says {said}", dark, "leave it out"
        )
    if dark:
        (silent,) = dark
        return Situation(Condition.DARK, active, writer, f"the {silent} region does not answer, and {why}", dark)
    return Situation(Condition.FOLLOWED if active is writer else Condition.NOT_FOLLOWED, active, writer, why)


def _believed(at: Mapping[Site, Table]) -> Table | None:
    """The record to go by: the newest, if the site with authority is among those that were read."""
    record = newest({table.site: table for table in at.values()})
    holders = [table for table in at.values() if table.has_authority]
    if record is None or not holders:
        return None
    return record


def _without_record(
    at: Mapping[Site, Table], databases: Mapping[Site, Holds], active: Site, dark: frozenset[Site], said: Site | None
) -> Situation:
    answers = {table.answer for table in at.values()}
    if answers == {Answer.ABSENT}:
        # Before the automation is deployed nothing moves the writer but people.
        writers = [site for site, holds in databases.items() if holds in (Holds.STANDALONE, Holds.SHUT)]
        if Holds.UNKNOWN not in databases.values() and writers in ([], [active]):
            return Situation(Condition.FRESH, active, active, "nothing is on record yet")
        found = ", ".join(f"{site}: {holds}" for site, holds in databases.items())
        return _unknown(
            active, dark, f"there is no record, and RDS has {found}", "see in RDS which one is written to", said
        )
    told = "; ".join(f"{site}: {table.why}" for site, table in at.items() if table.controller is None)
    if not told:
        told = "neither table says that its own site has authority"
    return _unknown(active, dark, f"the record cannot be read ({told})", _remedy(answers), said)


def _unknown(active: Site, dark: frozenset[Site], why: str, remedy: str, said: Site | None) -> Situation:
    if said is None:
        return Situation(Condition.UNKNOWN, active, None, why, dark, f"{remedy}; or, if you know it, --writer SITE")
    told = f"a person says that the {said} site is the writer; {why}"
    if dark:
        return Situation(Condition.DARK, active, said, told, dark)
    return Situation(Condition.FOLLOWED if said is active else Condition.NOT_FOLLOWED, active, said, told)


def _contradiction(writer: Site, databases: Mapping[Site, Holds]) -> str | None:
    """What RDS shows against the record; None where it agrees or does not answer."""
    if databases[writer] is Holds.REPLICA:
        return f"the record names {writer} the writer, and its database is a replica"
    if databases[writer.other] is Holds.STANDALONE:
        return f"the record names {writer} the writer, and the {writer.other} site's database takes writes too"
    return None


def _remedy(answers: set[Answer]) -> str:
    if Answer.SILENT in answers:
        return "wait until the region answers, or check the network"
    if Answer.REFUSED in answers:
        return "let these credentials read both state tables"
    if answers & {Answer.EMPTY, Answer.DAMAGED}:
        return "see the runbook, state lost"
    return "see ./dr status"


def _writer(table: Table) -> Site:
    return Site.PRIMARY if table.controller is None else Site(table.controller.writer_site.value)
