"""What holds of every moment of a life.

What must hold is checked after each call of a function and after each tick:

- never do two controllers act, epochs only grow in each table, and one epoch has one writer;
- no incident and no handover that was on record is ever lost, or says something else;
- no database goes that takes writes, is the writer on record or about to be, is another one than the state knows, or
  has something of its own and no final snapshot of after its last write;
- no controller that a person's word has overruled promotes a database, if the other site's region answers;
- no command takes the protection off the writer of an environment that protects its databases;
- the name leads to the writer on record, but while a failover or a person's word switches it;
- once disasters are over and the guards have looked, no database takes writes but the writer on record. Before, two
  may: a writer that was cut off or came back after a failover that could not reach it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aws_in_memory.aws import Aws, Call, TakeEffect
from aws_in_memory.clock import START
from aws_in_memory.deployed import REGIONS
from aws_in_memory.handovers import record_of
from aws_in_memory.running import subjects, writers
from failover.latch import word
from function_runtime.handover import Handover
from function_runtime.incident import Incident
from function_runtime.sites import Site
from function_runtime.state import Controller
from shared.sites import Site as SharedSite
from tests.lives.people import People
from tests.lives.writers_name import WritersName

GUARDS_NEED = 6
"""So many ticks after the last disaster no guard has anything left to do."""


@dataclass
class Awaited:
    """Something that happens at one of the calls to come.

    Attributes:
        at: at which kind of call.
        left: after so many others.
        happens: what.
    """

    at: Callable[[Call], bool]
    left: int
    happens: Callable[[], None]


class Always:
    """What has been seen of a life, and what must hold.

    Attributes:
        name: where the writer's name leads.
        history: the epoch of each incident and handover that was ever on record, by table and item.
        quiet: how many ticks ago the last disaster was over.
        by_hand: whether somebody runs `pulumi up` past all checks.
        awaited: what happens at one of the calls to come; None for nothing.
        open_until: when somebody could last write to each site's database.
    """

    def __init__(self, aws: Aws, people: People, name: WritersName) -> None:
        self._aws, self._people, self.name = aws, people, name
        self.history: dict[tuple[Site, str], int | None] = {}
        self.quiet = 0
        self.by_hand = False
        self.awaited: Awaited | None = None
        self.open_until = dict.fromkeys(Site, START)
        self._read: dict[Site, tuple[Any, Controller]] = {}

    def record(self, site: Site) -> Controller:
        """What a site's table says. It is read anew where it was written."""
        item = self._aws.items_of(site).get("controller")
        if site not in self._read or self._read[site][0] is not item:
            self._read[site] = item, record_of(self._aws, site)
        return self._read[site][1]

    @property
    def newest(self) -> Controller:
        """The newest record."""
        return max((self.record(site) for site in Site), key=lambda record: record.epoch)

    def at_call(self, call: Call, take_effect: TakeEffect) -> Any:
        self._look_at_name()
        self._look_who_may_write()
        # A run makes its writes one after the other, and other calls at the same time.
        if (awaited := self.awaited) is not None and awaited.at(call):
            awaited.left -= 1
            if awaited.left < 0:
                self.awaited = None
                awaited.happens()
        if call.operation == "rds.delete_db_instance":
            self._look_at_deletion(self._site_of(call))
        if call.operation == "rds.promote_read_replica" and not self.by_hand:
            self._look_at_promotion(self._site_of(call))
        protected = {site for site in Site if self._aws.instances[site].refuses_deletion}
        answer = take_effect()
        if call.operation == "rds.modify_db_instance" and self._people.environment.protected and not self.by_hand:
            lost = {site for site in protected if not self._aws.instances[site].refuses_deletion}
            assert self.newest.writer_site not in lost, "the writer loses its protection"
        return answer

    def in_a_handover(self, call: Call) -> bool:
        """Whether it is a write while authority is on its way."""
        return call.operation == "dynamodb.put_item" and any(self.record(site).handover is not None for site in Site)

    def _site_of(self, call: Call) -> Site:
        (site,) = (site for site in Site if REGIONS[site] == call.region)
        return site

    def _look_at_name(self) -> None:
        writer = self.newest.writer_site
        for _ in self.name.copies():
            assert self.name.leads_to is writer or self._is_switching(), "the name leaves the writer"
        assert self.name.leads_to is writer or self._is_switching(), "the name leaves the writer"

    def _is_switching(self) -> bool:
        """Whether a failover is under way, or Route 53 has not copied the word of the one that has failed over.

        A person's word that names the writer moves the name when the other site has been told, and its word is out.
        """
        records = {site: self.record(site) for site in Site}
        if any(each.owes_telling or each.incident_id is not None for each in records.values()):
            return True
        copied = {site: self.name.has_copied(site, word(site, record)) for site, record in records.items()}
        return any(
            record.authority is site is record.writer_site
            and not (copied[site] and (record.adopted_by is None or copied[site.other]))
            for site, record in records.items()
        )

    def _look_who_may_write(self) -> None:
        """Who is connected stays so, whatever group is in force, until a reboot."""
        for site, instance in self._aws.instances.items():
            if instance.exists and instance.takes_writes(self._aws.now) and not instance.is_shut(self._aws.now):
                self.open_until[site] = self._aws.now

    def _look_at_promotion(self, site: Site) -> None:
        own, other = self.record(site), self.record(site.other)
        if REGIONS[site.other] not in self._aws.dark:
            assert own.epoch >= other.epoch, f"{site} is promoted by a record that the other site's has overruled"

    def _look_at_deletion(self, site: Site) -> None:
        instance = self._aws.instances[site]
        if not instance.exists or instance.refuses_deletion:
            return
        resource_id = instance.describe()["DbiResourceId"]
        assert self.open_until[site] < self._aws.now, f"{resource_id} goes, and takes writes"
        for there in Site:
            record = self.record(there)
            if record.epoch == self.newest.epoch:
                assert record.writer_site is not site, f"{resource_id} goes, and is the writer on record"
                assert record.incident_id is None, f"{resource_id} goes while an incident is under way"
        if self.by_hand:
            return
        standing = self._people.stack.instance(SharedSite(site))
        assert standing is not None
        assert standing.id == resource_id, f"{resource_id} goes, and the state knows {standing.id} only"
        if instance.source is None:
            kept = [each for each in self._aws.rds[site].snapshots.values() if each.get("DbiResourceId") == resource_id]
            assert kept, f"{resource_id} goes, and no snapshot of it is there"
            newest: datetime = max(each["SnapshotCreateTime"] for each in kept if each["Status"] == "available")
            assert newest > self.open_until[site], f"{resource_id} goes, and took writes after its last snapshot"

    def look(self) -> None:
        """What holds of every moment."""
        self._look_at_name()
        self._look_who_may_write()
        for site in Site:
            for key in self._aws.items_of(site):
                if key.startswith(("incident#", "handover#")):
                    item = self._aws.plain(key, site)
                    read: Incident | Handover = (Incident if key.startswith("incident") else Handover).from_item(item)
                    self.history[site, key] = read.epoch
        for (where, key), epoch in self.history.items():
            assert self._aws.plain(key, where)["epoch"] == epoch, f"{key} of {where} is lost"
        records = [self.record(site) for site in Site]
        assert records[0].epoch != records[1].epoch or records[0].writer_site is records[1].writer_site, records
        disturbed = self._aws.dark or self._aws.broken_probes or any(each.incident_id for each in records)
        self.quiet = 0 if disturbed else self.quiet + 1
        if self.quiet >= GUARDS_NEED:
            found = writers(self._aws)
            assert found <= {self.newest.writer_site}, (found, records, subjects(self._aws))
