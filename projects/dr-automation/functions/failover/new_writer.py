"""Wait for the new writer: until RDS shows its promotion, until it takes writes, until the promotion is over."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from failover.messages import MOST_TOLD_OF_DROPS
from failover.promote import ask_once, patiently, refuse_failed
from failover.sessions import best, said
from failover.shown import SHOWN_WITHIN_SECONDS, is_dropped, may_be_given_up, shown_by
from failover.work import Outcome, WithdrawnError, Work
from function_runtime import metrics, rds_status
from function_runtime.clients import AwsError
from function_runtime.incident import ABANDONED, NOT_SHOWN, Incident, Kind, Phase, Shown, Step
from function_runtime.metric_names import ANSWERS, COMMITTED, SESSION
from function_runtime.readings import Instance, Series
from function_runtime.session_outcome import CANNOT_COMMIT

# So far back heartbeats are looked for: a writer that takes writes commits several a minute.
LOOKBACK = timedelta(minutes=10)
KEPT = frozenset({Shown.WRITER, Shown.REPLICA})


@dataclass(frozen=True)
class Watch:
    """Looks at what becomes of a promotion that RDS has accepted, and asks again where RDS has dropped it.

    Attributes:
        work: what to work with.
        phase: the phase that is waited for.
        incident: gives the incident as it is.
        save: writes it.
        heed: does what people have said; raises where that ends the step.
        look_at_old_writer: the last look before the promotion is asked for again; raises where that must not be.
        tell_dropped: tells people, and keeps this text with the step.
        tell_not_given_up: tells people once why a planned failover whose time is over is not given up yet.
    """

    work: Work
    phase: Phase
    incident: Callable[[], Incident]
    save: Callable[[Incident], None]
    heed: Callable[[], None]
    look_at_old_writer: Callable[[], None]
    tell_dropped: Callable[[str], None]
    tell_not_given_up: Callable[[str], None]

    @property
    def step(self) -> Step:
        """The step under way.

        Raises:
            ValueError: it is not begun.
        """
        return self.incident().begun(self.phase)

    def look(self) -> Shown:
        """What RDS shows now.

        Raises:
            StepBlockedError: the instance has failed, or RDS refuses for good.
            PausedError: people have said so.
            WithdrawnError: people have said so, the old writer may be used, or a planned failover's time is over, or
                its replica has failed.
            PeopleAskedError: the promotion was dropped and the old writer answers: only a person may have it replaced.
        """
        work = self.work
        here = work.settings.here
        self.tell_of_drop()
        instance = patiently(work.databases[here].describe, "the new writer cannot be looked at")
        if instance is None:
            return Shown.UNKNOWN
        shown = shown_by(instance)
        if instance.status == rds_status.LOST and self._may_still_be_given_up:
            self._give_up(instance)
        refuse_failed(instance, here)
        kept, step = shown if shown in KEPT else None, self.step
        if step.shows is not kept:
            since = None if kept is None else work.clock.now()
            self.save(self.incident().with_step(replace(step, shows=kept, shows_since=since)))
        dropped = is_dropped(self.step, work.clock.now())
        if self._is_over and (dropped or shown is Shown.UNKNOWN):
            self._give_up(instance)
        elif dropped and self.first_write() is None:
            self._ask_again(instance)
        return shown

    @property
    def promoting(self) -> Step:
        """The step in which RDS was asked: before it began, the database was a replica."""
        return self.incident().begun(Phase.PROMOTING)

    @property
    def is_planned(self) -> bool:
        """Whether the old writer is not dead."""
        return self.incident().kind is Kind.PLANNED

    @property
    def _may_still_be_given_up(self) -> bool:
        """Whether it is a planned failover, whose writer is well and shut for as long as this lasts.

        Not once RDS or a write has shown the new writer, which is what ends the step before the others.
        """
        return self.is_planned and self.phase is Phase.SHOWN

    @property
    def _is_over(self) -> bool:
        """Whether a planned failover has had its time."""
        if not self._may_still_be_given_up:
            return False
        seconds = self.work.settings.planned_promotion_timeout_seconds
        return self.work.clock.now() - self.promoting.started_at >= timedelta(seconds=seconds)

    def first_write(self) -> datetime | None:
        """When a probe first committed in the new writer, which proves more than RDS's word."""
        return _first_commit(self.seen_by_probe()["committed"], self.promoting.started_at)

    def seen_by_probe(self) -> dict[str, Series]:
        """What this site's probe has published of the new writer since RDS was asked."""
        now = self.work.clock.now()
        return _seen_by_probe(self.work, max(self.promoting.started_at, now - LOOKBACK), now)

    def _give_up(self, instance: Instance) -> None:
        """Give a planned failover up; where RDS may be at the promotion yet, wait and tell people."""
        if not may_be_given_up(instance, self.step, self.work.clock.now()):
            if self._is_over:
                self.tell_not_given_up(f"its time is over, and RDS calls the replica {instance.status}")
        elif self.first_write() is None:
            self.heed()
            seconds = self.work.settings.planned_promotion_timeout_seconds
            why = f"dropped it: not made within {seconds:g} s" if self._is_over else f"calls it {instance.status} since"
            raise WithdrawnError(f"RDS has accepted the promotion and {why}", ABANDONED)

    def _ask_again(self, instance: Instance) -> None:
        if may_be_given_up(instance, self.step, self.work.clock.now()):
            try:
                self.look_at_old_writer()
            except WithdrawnError as error:
                # RDS has accepted the promotion, so that nothing less ends the incident.
                raise WithdrawnError(f"RDS has dropped the promotion, and {error}", ABANDONED) from error
        # The last moment at which a person can give it up.
        self.heed()
        incident, now, promoting = self.incident(), self.work.clock.now(), self.promoting
        begun = replace(incident, asked_again=incident.asked_again + 1)
        called = begun.with_step(replace(promoting, called_at=now))
        self.save(called.with_step(replace(self.step, shows=None, shows_since=None)))
        ask_once(self.work, self.work.settings.here)
        self.tell_of_drop()

    def tell_of_drop(self) -> None:
        """Tell people of a promotion that was dropped, where they have not heard of it."""
        incident = self.incident()
        what = f"asked again, {incident.asked_again}"
        is_news = not any(what in step.told for step in incident.steps)
        if is_news and 0 < incident.asked_again <= MOST_TOLD_OF_DROPS:
            self.tell_dropped(what)


def wait_until_shown(watch: Watch) -> Outcome:
    """Wait until RDS shows the promotion under way; of a planned one, until it is over: its writer is not dead.

    Raises:
        StepBlockedError: the instance has failed.
        WithdrawnError: RDS has dropped it, and the old writer may be used, or a planned failover's time is over.
        BudgetSpentError: not yet when the run must end.
    """
    enough = {Shown.WRITER} if watch.is_planned else {Shown.WRITER, Shown.UNDER_WAY}
    while (shown := watch.look()) not in enough:
        # RDS may say nothing for long, to many who fail over at the same time: a write proves more than its word.
        if (at := watch.first_write()) is not None:
            return Outcome("shown", f"a probe has committed in the new writer at {at:%H:%M:%S} UTC")
        called_at = watch.promoting.called_at
        waited = watch.work.clock.now() - (watch.promoting.started_at if called_at is None else called_at)
        watch.work.wait(soon=waited < timedelta(seconds=SHOWN_WITHIN_SECONDS))
    over = "RDS shows the promoted instance, with no source" if shown is Shown.WRITER else "RDS is at the promotion"
    return Outcome("shown", over)


def wait_until_writes(watch: Watch) -> Outcome:
    """Wait until this site's probe has committed in the promoted database.

    Not for ever once RDS shows that it is a writer and works: a probe that is broken, or a database that is not
    prepared for it, must not keep the clients from it.

    Args:
        watch: looks at the promotion.

    Returns:
        ``commits``; or, where RDS shows the new writer, ``reachable`` or ``not_confirmed``.

    Raises:
        StepBlockedError: the instance has failed.
        BudgetSpentError: neither yet when the run must end.
    """
    work = watch.work
    timeout_seconds = work.settings.verify_timeout_seconds
    # A run may have been killed since.
    watch.tell_of_drop()
    while True:
        now = work.clock.now()
        seen = watch.seen_by_probe()
        if (at := _first_commit(seen["committed"], watch.promoting.started_at)) is not None:
            return Outcome("commits", f"a probe has committed in the new writer at {at:%H:%M:%S} UTC", min(at, now))
        is_writer = watch.look() is Shown.WRITER
        since = watch.step.shows_since
        if is_writer and since is not None:
            # A period that began before may hold a probe from before it.
            sessions = [point for point in seen["sessions"] if point.start >= since]
            answered = any(point.start >= since and point.maximum >= 1 for point in seen["answers"])
            if answered and sessions and best(sessions[-1]) not in CANNOT_COMMIT:
                return Outcome("reachable", f"the new writer answers; the probe's session: {said(sessions[-1])}")
            if work.clock.now() - since >= timedelta(seconds=timeout_seconds):
                return Outcome("not_confirmed", f"RDS shows it; no probe committed within {timeout_seconds:g} s")
        work.wait()


def wait_until_promoted(work: Work, ends_at: datetime) -> Outcome:
    """Wait until RDS shows that the new writer is no replica; it takes writes already, and nothing else hangs on it.

    Raises:
        BudgetSpentError: not yet when the run must end.
    """
    why = "RDS did not say"
    while True:
        try:
            instance = work.databases[work.settings.here].find()
        except AwsError as error:
            why = f"RDS did not say: {error}"
        else:
            if instance is not None and instance.replica_of is None:
                return Outcome("promoted", f"{instance.status}, with no source")
            why = "there is no instance" if instance is None else f"RDS calls it {instance.status}, with a source"
        if work.clock.now() >= ends_at:
            return Outcome(NOT_SHOWN, f"RDS has not shown its end in the time given: {why}")
        work.wait()


def _seen_by_probe(work: Work, since: datetime, until: datetime) -> dict[str, Series]:
    settings, here = work.settings, work.settings.here
    wanted = {
        name: metrics.probed(settings.metric_namespace, metric, here, here, settings.policy.fine_period_seconds)
        for name, metric in {"answers": ANSWERS, "sessions": SESSION, "committed": COMMITTED}.items()
    }
    try:
        return metrics.read(work.clients.of("cloudwatch", settings.region), wanted, since, until)
    except AwsError:
        return dict.fromkeys(wanted, ())


def _first_commit(committed: Series, asked_at: datetime) -> datetime | None:
    """The first heartbeat that this site's probe has committed since, by the database's clock."""
    after = [value for point in committed for value in (point.minimum, point.maximum) if value >= asked_at.timestamp()]
    return datetime.fromtimestamp(min(after), UTC) if after else None
