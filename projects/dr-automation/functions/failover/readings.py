"""What was read from the outside world in one run, before anybody made sense of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from function_runtime.readings import Instance, RegionAnswers, Series, Unanswered, series_of
from function_runtime.sites import Site


@dataclass(frozen=True)
class Readings:
    """Everything one run read.

    Attributes:
        at: when.
        active: the site whose database takes writes, by the recorded state.
        here: the site this function runs in.
        active_seen_from_here: whether the active database answered this site's probe.
        active_seen_from_there: whether it answered its own site's probe.
        standby_seen_from_here: whether this site's own database answered this site's probe.
        active_sessions_from_here: how this site's probe's sessions in the active database ended.
        active_sessions_from_there: how its own site's probe's sessions in it ended.
        standby_sessions: how this site's probe's sessions in this site's own database ended.
        heartbeat: the newest heartbeat on the standby, by the writer's clock, in seconds since 1970.
        received: how much of the writer's log the standby has received, in bytes.
        stream_message: when the standby's receiver last heard from the writer, by its own clock, in seconds since 1970.
        lag: replication lag of the standby instance, in seconds.
        slot_lag: bytes of the writer's log that its oldest replication slot has yet to deliver, by the active region.
        host_load: what the active region measures of the active instance's host.
        witness: what the witness sees of the active database; None where there is no witness.
        active_instance: the active instance, by the active region's RDS.
        standby_instance: the standby instance, by this region's RDS.
        active_region: which services of the active region answered.
        reference_region: the same of a third region, None where it was not asked.
        active_is_shut: whether the active instance is in the group without rules, by its RDS; None where unknown.
        master_secret: whether the master user's secret is in this region; None where it was not asked for.
    """

    at: datetime
    active: Site
    here: Site
    active_seen_from_here: Series | Unanswered
    active_seen_from_there: Series | Unanswered
    standby_seen_from_here: Series | Unanswered
    active_sessions_from_here: Series | Unanswered
    active_sessions_from_there: Series | Unanswered
    standby_sessions: Series | Unanswered
    heartbeat: Series | Unanswered
    received: Series | Unanswered
    stream_message: Series | Unanswered
    lag: Series | Unanswered
    slot_lag: Series | Unanswered
    host_load: Series | Unanswered
    witness: Series | Unanswered | None
    active_instance: Instance | Unanswered
    standby_instance: Instance | Unanswered
    active_region: RegionAnswers
    reference_region: RegionAnswers | None
    active_is_shut: bool | None = None
    master_secret: bool | Unanswered | None = None

    @property
    def active_sessions(self) -> tuple[Series, Series]:
        """The sessions in the active database, of this site's probe and of its own site's."""
        return series_of(self.active_sessions_from_here), series_of(self.active_sessions_from_there)
