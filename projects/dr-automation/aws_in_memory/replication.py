"""What a probe finds in a database: how its session ends, and on a replica what of the writer has come."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from aws_in_memory.clock import moment, seconds_of
from aws_in_memory.instance import DatabaseInstance, Outage, covering
from function_runtime.session_outcome import SessionOutcome

BYTES_PER_SECOND = 1000.0
DAY_SECONDS = 86_400.0


class Found:
    """What sessions find in one database. They must be asked for in the order of time.

    Args:
        instance: it.
        source: the database that it replicates while it is a replica.
    """

    def __init__(self, instance: DatabaseInstance, source: DatabaseInstance) -> None:
        self.instance = instance
        self.source = source
        # What has come stays, however far behind the replica falls.
        self._come_until = moment(-10 * DAY_SECONDS)

    def session(self, at: float) -> float:
        """How the session ends."""
        if not self.instance.prepared:
            return SessionOutcome.NOT_PREPARED
        if self.instance.refuses_sessions is not None:
            return self.instance.refuses_sessions
        is_hung = self.instance.source is None and covering(self.instance.hung, moment(at)) is not None
        return SessionOutcome.HUNG if is_hung else SessionOutcome.WORKS

    def committed(self, at: float) -> float | None:
        """The heartbeat that the session commits."""
        if self._is_closed() or not self.instance.is_writer(moment(at)) or covering(self.instance.hung, moment(at)):
            return None
        return moment(at).timestamp()

    def heartbeat(self, at: float) -> float | None:
        """The newest heartbeat that has come."""
        if self._is_closed() or self.instance.source is None:
            return None
        return self._come(at, self.source.shut, self.source.hung).timestamp()

    def received(self, at: float) -> float | None:
        """How much of the source's log is there."""
        if self._is_closed() or self.instance.source is None:
            return None
        kept_by = (self.source.hung,) if self.source.is_busy else (self.source.shut, self.source.hung)
        return seconds_of(self._come(at, *kept_by)) * BYTES_PER_SECOND

    def message(self, at: float) -> float | None:
        """When the receiver last heard from its source."""
        if self._is_closed() or self.instance.source is None:
            return None
        return _last(moment(at), self.source.outages).timestamp()

    def _is_closed(self) -> bool:
        return not self.instance.prepared or self.instance.refuses_sessions is not None

    def _come(self, at: float, *kept_by: Sequence[Outage]) -> datetime:
        """The last moment of the source's of which something has come; what was under way when it died never comes."""
        lived = _last(moment(at), self.source.outages)
        come = _last(lived - timedelta(seconds=self.instance.lag_seconds), self.source.outages, *kept_by)
        self._come_until = max(self._come_until, come)
        return self._come_until


def _last(at: datetime, *kept_by: Sequence[Outage]) -> datetime:
    """The last moment until then that is in none of the outages."""
    found = at
    while begun := [each.begins for outages in kept_by for each in outages if _is_within(found, each)]:
        found = min(begun)
    return found


def _is_within(at: datetime, outage: Outage) -> bool:
    return outage.begins < at and (outage.ends is None or at < outage.ends)
