"""The instances and events of one region, which the API's actions and the workflows both read and change."""

from __future__ import annotations

import re
from collections.abc import Mapping

from moto.core.utils import utcnow
from moto.rds.exceptions import DBInstanceNotFoundError
from moto.rds.models import DBInstance, Event, RDSBackend

from lab.rds.instance import LabInstance


class RegionState(RDSBackend):
    """The state of RDS in one region. It is read and changed under the lock that all regions share."""

    regions: Mapping[str, RegionState]
    """The state of each region, for what crosses regions."""

    def instances(self) -> list[LabInstance]:
        """Every instance of the region."""
        return [instance for instance in self.databases.values() if isinstance(instance, LabInstance)]

    def get(self, identifier: str) -> LabInstance | None:
        """An instance of this region by its identifier."""
        found = self.databases.get(identifier)
        return found if isinstance(found, LabInstance) else None

    def instance(self, identifier: str) -> LabInstance:
        """An instance of this region, by identifier or ARN.

        Raises:
            DBInstanceNotFoundError: there is none.
        """
        found = self.describe_db_instances(identifier)[0]
        if not isinstance(found, LabInstance):
            raise DBInstanceNotFoundError(identifier)
        return found

    def find(self, identifier: str) -> LabInstance:
        """An instance of this region by identifier, or of any region by ARN.

        Raises:
            DBInstanceNotFoundError: there is none.
        """
        if not identifier.startswith("arn:"):
            return self.instance(identifier)
        found = re.fullmatch(r"arn:[^:]+:rds:([^:]+):\d+:db:(.+)", identifier)
        if found is None or found[1] not in self.regions:
            raise DBInstanceNotFoundError(identifier)
        return self.regions[found[1]].instance(found[2])

    def find_db_from_id(self, db_id: str) -> DBInstance:
        """As `find`; moto calls it, whose own looks up other regions in moto's account."""
        return self.find(db_id)

    def source_of(self, instance: LabInstance) -> LabInstance | None:
        """What an instance replicates; None where it is no replica, or its source was deleted."""
        if instance.source_db_instance_identifier is None:
            return None
        try:
            return self.find(instance.source_db_instance_identifier)
        except DBInstanceNotFoundError:
            return None

    def record(self, instance: LabInstance, message: str, category: str) -> None:
        """Add an RDS event of an instance."""
        self.events.append(_InstanceEvent(instance, message, category))

    def forget(self, instance: LabInstance) -> None:
        """Remove a deleted instance."""
        self.databases.pop(instance.db_instance_identifier, None)


class _InstanceEvent(Event):
    """An event with a text of its own; moto takes its events from a fixed table."""

    def __init__(self, instance: LabInstance, message: str, category: str) -> None:
        self.source_identifier = instance.db_instance_identifier
        self.source_type = instance.event_source_type
        self.source_arn = instance.db_instance_arn
        self.message = message
        self.event_categories = [category]
        self.date = utcnow()
