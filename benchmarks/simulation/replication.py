"""What has come to the replica, and when its receiver heard of the writer last.

After PostgreSQL 14's walreceiver: data renews ``last_msg_receipt_time``; on an idle stream only the receiver's own ping
does, after half of ``wal_receiver_timeout``; a closed connection ends the receiver at once, a vanished host after the
whole timeout; without a receiver there is no row, and one that has connected shows the time at which it started.
https://github.com/postgres/postgres/blob/REL_14_STABLE/src/backend/replication/walreceiver.c
"""

from __future__ import annotations

import math
from bisect import bisect_right

from aws_in_memory import durations
from benchmarks.simulation.losses import History
from benchmarks.simulation.world import World

BYTES_PER_WRITE = 1000.0


class Replication:
    """The stream of one world.

    Args:
        world: what is so.
        timeout_seconds: ``wal_receiver_timeout``.

    Attributes:
        commits: when a heartbeat was committed in the writer, in order; whoever probes it adds to them.
    """

    def __init__(self, world: World, timeout_seconds: float) -> None:
        self._world, self._timeout_seconds = world, timeout_seconds
        self._gone = History.joined([*world.down.bursts, *world.cut.bursts, *world.dark.bursts])
        self.commits: list[float] = []

    def heartbeat(self, at: float) -> float | None:
        """The newest heartbeat on the replica; None where there is none."""
        committed = self._last_heartbeat(self._come_until(self._world.stalled.begin(at)))
        return None if committed is None else committed + self._world.writer_clock

    def received(self, at: float) -> float:
        """How much of the writer's log is there, in bytes."""
        until = self._come_until(at)
        written = bisect_right(self.commits, until) + self._own_writes(until)
        return BYTES_PER_WRITE * (written + (self._written_until(until) if self._world.busy else 0.0))

    def message(self, at: float) -> float | None:
        """When the receiver last heard from the writer; None while there is no receiver."""
        world = self._world
        last = self._gone.begin(at)
        if last == at and not self._gone.covers(at):
            heard = self._heard(at)
        elif world.cut_is_noticed or not (world.vanishes or world.cut.covers(at) or world.dark.covers(at)):
            return None
        else:
            heard = self._heard(last)
            if heard is not None and at - heard >= self._timeout_seconds:
                return None
        return None if heard is None else heard + world.replica_clock

    def replica_lag(self, at: float) -> float:
        """As RDS defines it: how long ago what was replayed last had been committed."""
        world = self._world
        until = self._come_until(world.stalled.begin(at))
        last = self._last_write(until)
        return max(0.0, at - last + world.replica_clock - world.writer_clock)

    def lost_seconds(self, at: float) -> float:
        """How much of the time in which the writer committed has not come to the replica."""
        return max(0.0, self._last_write(at) - self._come_until(at))

    def _last_write(self, until: float) -> float:
        if self._world.busy:
            return self._written_until(until)
        heartbeat = self._last_heartbeat(until)
        own = self._last_own_write(until)
        return own if heartbeat is None else max(own, heartbeat)

    def _last_heartbeat(self, until: float) -> float | None:
        index = bisect_right(self.commits, until)
        return self.commits[index - 1] if index else None

    def _come_until(self, at: float) -> float:
        """The last moment of the writer's of which everything has come; what was under way when it went never comes."""
        at = self._gone.begin(at)
        return at - self._world.lag_seconds(at)

    def _written_until(self, at: float) -> float:
        """The last moment at which somebody could commit."""
        return self._world.blocked.begin(self._world.down.begin(self._world.dark.begin(at)))

    def _own_writes(self, until: float) -> int:
        world = self._world
        written = self._written_until(min(until, world.own_writes_end))
        return math.floor((written - world.own_writes_phase) / durations.OWN_WRITES_SECONDS)

    def _last_own_write(self, until: float) -> float:
        return self._own_writes(until) * durations.OWN_WRITES_SECONDS + self._world.own_writes_phase

    def _heard(self, at: float) -> float | None:
        """The last message of a stream that was there at that moment; None where it had not been taken up again yet."""
        world = self._world
        started = self._gone.last_end(at) + world.restart_seconds
        if at < started:
            return None
        sent = at if world.busy and not world.blocked.covers(at) else self._last_write(at)
        last = max(min(sent, at - durations.ON_ITS_WAY_SECONDS), started)
        pings = self._timeout_seconds / 2
        return last + (at - last) // pings * pings
