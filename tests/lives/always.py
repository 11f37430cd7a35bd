"""What holds of every moment of a life.

What must hold is checked after each call of a function and after each tick:

- never do two controllers act, epochs only grow in each table, and one epoch has one writer;
- no incident and no handover that was on record is ever lost, or says something else;
- no database goes that takes writes, is the writer on record or about to be, is another one than the state knows, or
  has something of its own and no final snapshot;
- the name leads to the writer on record, but while a failover switches it;
- once disasters are over and the guards have looked, no database takes writes but the writer on record. Before, two
  may: a writer that was cut off or came back after a failover that could not reach it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aws_in_memory.aws import Aws, Call, TakeEffect
from aws_in_memory.deployed import REGIONS
from aws_in_memory.handovers import newest, record_of, writer_of
from aws_in_memory.running import subjects, writers
from failover.latch import word
from function_runtime.handover import Handover
from function_runtime.incident import Incident
from function_runtime.sites import Site
from shared.sites import Site as SharedSite
from tests.lives.people import People
from tests.lives.writers_name import WritersName

GUARDS_NEED = 6
"""So many ticks after the last disaster no guard has anything left to do."""


class Always:
    """What has been seen of a life, and what must hold.

    Attributes:
        name: where the writer's name leads.
        history: the epoch of each incident and handover that was ever on record, by table and item.
        quiet: how many ticks ago the last disaster was over.
        by_hand: whether somebody runs `pulumi up` past all checks.
        in_a_handover: what happens at a write during a handover, after so many others; None for nothing.
    """

    def __init__(self, aws: Aws, people: People, name: WritersName) -> None:
        self._aws, self._people, self.name = aws, people, name
        self.history: dict[tuple[Site, str], int | None] = {}
        self.quiet = 0
        self.by_hand = False
        self.in_a_handover: tuple[int, Callable[[], None]] | None = None

    def at_call(self, call: Call, take_effect: TakeEffect) -> Any:
        self.name.copy()
        handovers = [each for site in Site if (each := record_of(self._aws, site).handover) is not None]
        is_right = self.name.leads_to is writer_of(self._aws)
        assert is_right or self._is_switching(), "the name leaves the writer"
        # A run makes its writes one after the other, and other calls at the same time.
        if handovers and self.in_a_handover is not None and call.operation == "dynamodb.put_item":
            left, happens = self.in_a_handover
            self.in_a_handover = (left - 1, happens) if left else None
            if not left:
                happens()
        if call.operation == "rds.delete_db_instance":
            (site,) = (site for site in Site if REGIONS[site] == call.region)
            self._look_at_deletion(site)
        return take_effect()

    def _is_switching(self) -> bool:
        """Whether a failover is under way, or Route 53 has not copied the word of the one that has failed over."""
        records = {site: record_of(self._aws, site) for site in Site}
        return any(
            record.incident_id is not None
            or (record.authority is site is record.writer_site and not self.name.has_copied(site, word(site, record)))
            for site, record in records.items()
        )

    def _look_at_deletion(self, site: Site) -> None:
        instance = self._aws.instances[site]
        if not instance.exists or instance.refuses_deletion:
            return
        resource_id = instance.describe()["DbiResourceId"]
        assert site not in writers(self._aws), f"{resource_id} goes, and takes writes"
        for there in Site:
            record = record_of(self._aws, there)
            if record.epoch == newest(self._aws).epoch:
                assert record.writer_site is not site, f"{resource_id} goes, and is the writer on record"
                assert record.incident_id is None, f"{resource_id} goes while an incident is under way"
        if self.by_hand:
            return
        standing = self._people.stack.instance(SharedSite(site))
        assert standing is not None
        assert standing.id == resource_id, f"{resource_id} goes, and the state knows {standing.id} only"
        kept = [each for each in self._aws.rds[site].snapshots.values() if each.get("DbiResourceId") == resource_id]
        assert instance.source is not None or kept, f"{resource_id} goes, and no snapshot of it is there"

    def look(self) -> None:
        """What holds of every moment."""
        self.name.copy()
        for site in Site:
            for key in self._aws.items_of(site):
                if key.startswith(("incident#", "handover#")):
                    item = self._aws.plain(key, site)
                    read: Incident | Handover = (Incident if key.startswith("incident") else Handover).from_item(item)
                    self.history[site, key] = read.epoch
        for (where, key), epoch in self.history.items():
            assert self._aws.plain(key, where)["epoch"] == epoch, f"{key} of {where} is lost"
        records = [record_of(self._aws, site) for site in Site]
        assert records[0].epoch != records[1].epoch or records[0].writer_site is records[1].writer_site, records
        disturbed = self._aws.dark or self._aws.broken_probes or any(each.incident_id for each in records)
        self.quiet = 0 if disturbed else self.quiet + 1
        if self.quiet >= GUARDS_NEED:
            found = writers(self._aws)
            assert found <= {writer_of(self._aws)}, (found, records, subjects(self._aws))
