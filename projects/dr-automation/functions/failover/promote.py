"""Ask RDS for the promotion, once the replica has what it must have. It is asynchronous and irreversible."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeVar

from botocore.exceptions import ClientError

from failover.loss import replicated_until
from failover.settings import Settings
from failover.shown import SHOWN_WITHIN_SECONDS, shown_by
from failover.work import Outcome, StepBlockedError, Work
from function_runtime import metrics, rds_status
from function_runtime.clients import THROTTLED, AwsError, code_of, may_pass
from function_runtime.database import NotInThisStateError
from function_runtime.incident import Promotion, Shown
from function_runtime.metric_names import HEARTBEAT
from function_runtime.readings import Instance, Series
from function_runtime.sites import Site

Answer = TypeVar("Answer")


def wait_until_drained(
    work: Work, writer: Site, fence_began_at: datetime, fenced_at: datetime, started_at: datetime
) -> Outcome:
    """Wait until the replica has everything that the fenced writer ever took.

    Args:
        work: what to work with.
        writer: the site of the writer, fenced before.
        fence_began_at: until when its heartbeats went on.
        fenced_at: when nobody could write to it any more.
        started_at: when the step was first begun.

    Returns:
        ``drained``, or ``not_drained`` where it cannot be shown in time.

    Raises:
        BudgetSpentError: neither yet when the run must end.
    """
    settings = work.settings
    ends_at = started_at + timedelta(seconds=settings.drain_timeout_seconds)
    while True:
        now = work.clock.now()
        lag, slot_lag, heartbeat = _shown(work, writer, fenced_at, now)
        until = replicated_until(lag, slot_lag, now, settings.policy)
        # A slot that has nothing left to deliver may be another one's; heartbeats are the writer's own.
        has_last = not heartbeat or heartbeat[-1].maximum >= (fence_began_at - _heartbeats(settings)).timestamp()
        if until is not None and until >= fenced_at and has_last:
            return Outcome("drained", "the replica has everything the writer took until it was fenced")
        if now >= ends_at:
            return Outcome("not_drained", f"not shown within {settings.drain_timeout_seconds:g} s")
        work.wait()


def shown_of_call(work: Work, called_at: datetime) -> Shown:
    """What RDS shows of a promotion that it was asked for, where nobody knows what came of it.

    Args:
        work: what to work with.
        called_at: when RDS was asked; RDS shows within `SHOWN_WITHIN_SECONDS` what it has accepted.
    """
    try:
        shown = shown_by(work.databases[work.settings.here].find())
    except AwsError:
        return Shown.UNKNOWN
    old = work.clock.now() - called_at >= timedelta(seconds=SHOWN_WITHIN_SECONDS)
    return Shown.NEVER if shown is Shown.REPLICA and old else shown


def ask_for_promotion(
    work: Work, called_at: datetime | None, note_call: Callable[[datetime | None], None], give_up_at: datetime | None
) -> Outcome:
    """Ask for the promotion, unless it has happened; wait while the instance is in a state that refuses it.

    Args:
        work: what to work with.
        called_at: when RDS was asked before and nobody knows what came of it; None where it was not.
        note_call: records that RDS is about to be asked, or, with None, that it has certainly not accepted.
        give_up_at: after that it is not asked for any more; None: it has no end.

    Returns:
        ``asked`` or ``already_promoted``: it is accepted. Or ``not_accepted``: it is not, and is given up.

    Raises:
        StepBlockedError: the instance can never be promoted, or RDS refuses for good.
        BudgetSpentError: the instance still refuses when the run must end.
    """
    here = work.settings.here
    in_doubt = called_at is not None
    why = "RDS did not say how the replica is"
    while True:
        instance = patiently(work.databases[here].describe, "the replica cannot be looked at")
        if instance is not None:
            if instance.replica_of is None:
                return Outcome(Promotion.ALREADY_PROMOTED, f"no replica any more, {instance.status}")
            refuse_failed(instance, here)
            why = f"RDS calls the replica {instance.status}"
        # What was asked for last time may yet show.
        settled = called_at is None or work.clock.now() - called_at >= timedelta(seconds=SHOWN_WITHIN_SECONDS)
        is_ready = instance is not None and instance.status in rds_status.OPERATIONAL
        is_over = give_up_at is not None and work.clock.now() >= give_up_at
        if is_over and (not in_doubt or (settled and is_ready)):
            return Outcome(Promotion.NOT_ACCEPTED, f"not accepted in the time given: {why}")
        if instance is not None and is_ready and not is_over and (settled or not in_doubt):
            if in_doubt:
                # RDS would show by now what it had accepted: the old writer and people can stop it again.
                note_call(None)
                in_doubt = False
            called_at = work.clock.now()
            note_call(called_at)
            try:
                answer = ask_once(work, here)
            except StepBlockedError:
                if not in_doubt:
                    note_call(None)
                raise
            if answer is Promotion.ASKED:
                return Outcome(Promotion.ASKED, f"promotion of the replica of {instance.replica_of}")
            if answer is Promotion.NOT_ACCEPTED and not in_doubt:
                note_call(None)
                called_at = None
            in_doubt = in_doubt or answer is None
        work.wait()


def ask_once(work: Work, here: Site) -> Promotion | None:
    """Ask for it; ``not_accepted`` where RDS refuses it in the instance's state, None where nobody knows what it did.

    Raises:
        StepBlockedError: RDS refuses for good.
    """

    def ask() -> Promotion:
        try:
            work.databases[here].promote(work.settings.promoted_backup_retention_days)
        except NotInThisStateError:
            return Promotion.NOT_ACCEPTED  # A backup may have begun since the last look.
        except ClientError as error:
            if code_of(error) in THROTTLED:
                return Promotion.NOT_ACCEPTED
            raise
        return Promotion.ASKED

    return patiently(ask, "RDS refuses the promotion")


def patiently(call: Callable[[], Answer], what: str) -> Answer | None:
    """The call's answer, None where it may come later.

    Raises:
        StepBlockedError: AWS refuses for good, which is for people to hear.
    """
    try:
        return call()
    except AwsError as error:
        if may_pass(error):
            return None
        raise StepBlockedError(f"{what}: {error}") from error


def refuse_failed(instance: Instance, here: Site) -> None:
    """Raise `StepBlockedError` where the instance has failed, or is no replica to promote any more."""
    if instance.status in rds_status.FAILED:
        raise StepBlockedError(f"RDS calls the {here} site's database {instance.status}")
    if instance.replica_of is not None and instance.replication_ended:
        # https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_ReadRepl.html: ended for good after 30 days.
        raise StepBlockedError("RDS has ended the replication for good: the replica is no replica to promote any more")


def _heartbeats(settings: Settings) -> timedelta:
    """Within which there are some of a writer that lets a probe in."""
    return timedelta(seconds=3 * settings.policy.fine_period_seconds)


def _shown(work: Work, writer: Site, since: datetime, now: datetime) -> tuple[Series, Series, Series]:
    """The replica's lag, the writer's oldest slot's, and the newest heartbeats on the replica."""
    settings, policy, here = work.settings, work.settings.policy, work.settings.here

    def read(wanted: dict[str, metrics.Metric], region: str) -> dict[str, Series]:
        try:
            return metrics.read(work.clients.of("cloudwatch", region), wanted, since, now)
        except AwsError:
            return dict.fromkeys(wanted, ())

    period = policy.lag_period_seconds
    near = read(
        {
            "lag": metrics.replica_lag(settings.instance_ids[here], period),
            "heartbeat": metrics.probed(settings.metric_namespace, HEARTBEAT, here, here, policy.fine_period_seconds),
        },
        settings.regions[here],
    )
    far = read({"slot_lag": metrics.slot_lag(settings.instance_ids[writer], period)}, settings.regions[writer])
    return near["lag"], far["slot_lag"], near["heartbeat"]
