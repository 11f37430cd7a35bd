"""Events of RDS."""

from __future__ import annotations

from moto.core.utils import utcnow
from moto.rds.models import Event

from lab.rds.instance import LabInstance


class InstanceEvent(Event):
    """An event of an instance in words of its own; moto's come from a fixed table."""

    def __init__(self, instance: LabInstance, message: str, category: str) -> None:
        self.source_identifier = instance.db_instance_identifier
        self.source_type = instance.event_source_type
        self.source_arn = instance.db_instance_arn
        self.message = message
        self.event_categories = [category]
        self.date = utcnow()
