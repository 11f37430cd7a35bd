"""Which site's controller a command talks to: the one with authority, by what both tables say. Pure.

Authority lies with the standby's site and moves by data alone, so each table says where it knows it to be. A table of
a dark region says nothing, which is a normal condition.
"""

from __future__ import annotations

from dataclasses import dataclass

from deployment.state_tables import Answer, Table, Tables, newest
from function_runtime.sites import Site
from function_runtime.state import Controller
from operations.errors import RefusedError
from shared.errors import SettingsError

KEY = "authority"


@dataclass(frozen=True)
class Authority:
    """What both tables say together.

    Attributes:
        tables: both.
        site: whose controller to talk to; None where nobody can say, or where its region does not answer.
        notes: what else a person should know.
        problem: why there is no such controller, or why only `site` may be asked and told nothing; None in good times.
        remedy: what to do about the problem.
    """

    tables: Tables
    site: Site | None
    notes: tuple[str, ...] = ()
    problem: str | None = None
    remedy: str = ""

    def required(self) -> Site:
        """The site whose controller is to be told something.

        Raises:
            RefusedError: it is not certain which that is.
        """
        if self.site is None or self.problem is not None:
            raise self.refusal()
        return self.site

    def to_order(self) -> Site:
        """The site whose controller is to be given an order or a pause, which a handover would leave behind.

        Raises:
            SettingsError: the authority is being handed over.
            RefusedError: it is not certain whose it is.
        """
        site = self.required()
        refuse_handed_over(site, self.tables[site].controller)
        return site

    def to_adopt(self, writer: Site) -> Site:
        """The site whose controller is to adopt a writer: the one with authority, otherwise one whose table answers.

        Args:
            writer: the site that is adopted as the writer's; authority belongs to the other one if it is there.

        Raises:
            RefusedError: no table answers.
        """
        if self.site is not None and self.problem is None:
            return self.site
        for site in (writer.other, writer):
            if self.tables[site].answer in (Answer.RECORD, Answer.EMPTY):
                return site
        raise self.refusal()

    def refusal(self) -> RefusedError:
        """The problem as an error."""
        return RefusedError(KEY, f"({self.problem})", self.remedy)


def authority_by(tables: Tables) -> Authority:
    """Find the controller with authority.

    Args:
        tables: what both sites' tables say.
    """
    holders = [site for site, table in tables.items() if table.has_authority]
    if len(holders) == 2:
        return _two(tables)
    if not holders:
        return _none(tables)
    return Authority(tables, holders[0], _notes(tables[holders[0].other]))


def refuse_handed_over(site: Site, record: Controller | None) -> None:
    """Refuse to write an order where nobody would carry it out, or much later than it was meant.

    Args:
        site: where it would be written.
        record: what that site's table says; None where it is lost, which is settled in that table.

    Raises:
        SettingsError: the site's controller has no authority, or is about to give it away.
    """
    if record is None or (record.authority is site and record.handover is None):
        return
    if record.handover is not None:
        raise SettingsError(
            KEY,
            f"(being handed over from {site} to {site.other})",
            "nothing was written, for it would not go along: wait until the handover is over (nox -s status), or take "
            "it back with nox -s failover -- --abandon handover; then give this command again",
        )
    raise SettingsError(
        KEY,
        f"(with the {record.authority} site's controller, not with the {site} site's any more)",
        "nothing was written: give the same command again, which talks to that one, or see nox -s status",
    )


def _two(tables: Tables) -> Authority:
    """A site that was adopted while the other one was dark holds it with a higher epoch; the other is soon told."""
    epochs = {site: table.controller.epoch for site, table in tables.items() if table.controller is not None}
    if len(set(epochs.values())) == 2:
        site = max(epochs, key=lambda each: epochs[each])
        note = f"the {site.other} site's table still says that authority is there, in the older epoch"
        return Authority(tables, site, (f"{note} {epochs[site.other]}: it is told by the {site} site's controller",))
    return Authority(
        tables,
        None,
        problem=f"both tables say, in epoch {epochs[Site.PRIMARY]}, that authority is theirs",
        remedy="two controllers would act: find out which database takes writes (RDS, ./dr restore lists what is "
        "kept), then say so with nox -s failover -- --adopt SITE, which begins a new epoch; pause nothing by hand",
    )


def _none(tables: Tables) -> Authority:
    giving = [table.site for table in tables.values() if table.handover is not None]
    if giving:
        # Between giving up and taking nobody has it: who gave it up also writes that the other takes it.
        note = f"a handover of authority from {giving[0]} to {giving[0].other} is under way, and nobody acts meanwhile"
        return Authority(tables, giving[0], (note, *_notes(tables[giving[0].other])))
    record = newest(tables)
    if record is None:
        return _nothing_read(tables)
    site = record.site.other
    named = tables[site]
    known = f"the {record.site} site's table says that authority is with {site}"
    if named.answer is Answer.EMPTY:
        return Authority(tables, site, (f"{known}, and {named.why}: nox -s failover -- --adopt SITE settles it",))
    if named.answer is Answer.SILENT:
        return Authority(
            tables,
            None,
            problem=f"{known}, and that region does not answer: {named.why}",
            remedy=f"wait until it does: the writer, {_writer(record)}, goes on, and nothing fails over meanwhile. If "
            f"the region stays away, nox -s failover -- --adopt {_writer(record)} gives authority to {record.site}",
        )
    if named.answer is Answer.RECORD:
        return Authority(
            tables,
            None,
            problem="each table says that authority is with the other site, and no handover is under way",
            remedy=f"nobody acts: nox -s failover -- --adopt {_writer(record)} begins a new epoch and settles it",
        )
    return Authority(tables, None, problem=f"{known}, and {named.why}", remedy=_remedy_for(named))


def _nothing_read(tables: Tables) -> Authority:
    told = "; ".join(f"{table.site}: {table.why}" for table in tables.values())
    answers = {table.answer for table in tables.values()}
    if answers == {Answer.SILENT}:
        remedy = "check the network; for the lab, start it and set the variables that it prints"
    elif Answer.EMPTY in answers:
        remedy = "the state is lost: see the runbook, and settle it with nox -s failover -- --adopt SITE"
    else:
        remedy = _remedy_for(next(table for table in tables.values() if table.answer is not Answer.SILENT))
    return Authority(tables, None, problem=f"neither table says who has it: {told}", remedy=remedy)


def _notes(other: Table) -> tuple[str, ...]:
    """What is to be said of the table of the site without authority."""
    if other.answer is Answer.RECORD:
        return ()
    if other.answer is Answer.SILENT:
        return (f"the {other.site} site's region does not answer",)
    return (f"the {other.site} site's table cannot be used: {other.why}. {_remedy_for(other)}",)


def _remedy_for(table: Table) -> str:
    return {
        Answer.ABSENT: "deploy dr-automation in this version, then run ./dr outputs",
        Answer.REFUSED: "let the operators' role read it: deploy dr-automation in this version",
        Answer.DAMAGED: "see the runbook, state lost",
        Answer.EMPTY: "restore its items from a point in time, or ./dr deploy -- dr-automation --refresh",
    }.get(table.answer, "wait until it answers")


def _writer(record: Table) -> Site:
    return Site.PRIMARY if record.controller is None else record.controller.writer_site
