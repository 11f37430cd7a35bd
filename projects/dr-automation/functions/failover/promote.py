"""Promote the replica and make sure of it. Promotion is asynchronous, irreversible, and asked for once."""

from __future__ import annotations

from datetime import datetime, timedelta

from failover import metrics
from failover.databases import NotInThisStateError
from failover.work import Outcome, Work


def ask_for_promotion(work: Work) -> Outcome:
    """Ask for the promotion, unless it has happened; wait while the instance is in a state that refuses it.

    Raises:
        BudgetSpentError: the instance still refuses when the run must end.
    """
    here = work.settings.here
    while True:
        instance = work.databases.describe(here)
        if instance.replica_of is None:
            return Outcome("already_promoted", f"no replica any more, {instance.status}")
        if instance.status == "available":
            try:
                work.databases.promote(here)
            except NotInThisStateError:
                # A backup may have begun between the two calls.
                work.wait()
                continue
            return Outcome("asked", f"promotion of the replica of {instance.replica_of}")
        work.wait()


def wait_until_promoted(work: Work) -> Outcome:
    """Wait until the instance is available and replicates nothing: a replica is available before its promotion too.

    Raises:
        BudgetSpentError: not yet when the run must end.
    """
    while True:
        instance = work.databases.describe(work.settings.here)
        if instance.replica_of is None and instance.status == "available":
            return Outcome("promoted", "available, with no source")
        work.wait()


def verify(work: Work, promoted_at: datetime) -> Outcome:
    """Wait, not for long, until this site's probe has reached the promoted database.

    Not for ever: RDS says that it is available, and a probe that is broken must not keep the clients from it.
    """
    settings, here = work.settings, work.settings.here
    cloudwatch = work.clients.of("cloudwatch", settings.regions[here])
    metric = metrics.reachable(settings.metric_namespace, here, here, settings.policy.metric_period_seconds)
    ends_at = promoted_at + timedelta(seconds=settings.verify_timeout_seconds)
    while True:
        now = work.clock.now()
        series = metrics.read(cloudwatch, {"standby": metric}, promoted_at, now)["standby"]
        # A period that began before the promotion may hold a probe from before it.
        if any(point.start >= promoted_at and point.maximum >= 1 for point in series):
            return Outcome("reachable", "a probe has reached the promoted database")
        if now >= ends_at:
            return Outcome("not_confirmed", f"no probe reached it within {settings.verify_timeout_seconds:g} s")
        work.wait()
