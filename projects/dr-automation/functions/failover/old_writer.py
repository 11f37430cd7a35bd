"""Fence the old writer, so that nobody writes to it once the new one takes writes; or let its clients in again."""

from __future__ import annotations

from datetime import datetime, timedelta

from botocore.exceptions import BotoCoreError, ClientError

from failover.work import Outcome, Work
from function_runtime import fence, metrics, rds_status
from function_runtime.clients import AwsError
from function_runtime.database import Database, NotInThisStateError
from function_runtime.incident import NOT_OPENED, Phase
from function_runtime.sites import Site

# A lost answer is nothing; a region that has not answered twice in a row is silent.
MOST_SILENCES = 2
# RDS replaces a security group within seconds; what takes longer is looked at less often.
QUICK_FENCE = timedelta(minutes=1)


class PromotedAfterAllError(Exception):
    """RDS shows that the standby takes writes: the old writer must not be opened."""


def fence_old_writer(
    work: Work, old_writer: Site, started_at: datetime, bound_seconds: float, *, region_answered: bool, answers: bool
) -> Outcome:
    """Fence, or say why it could not be done in time; a dead region must not stop its own replacement.

    Args:
        work: what to work with.
        old_writer: the site to fence.
        started_at: when the step was first begun.
        bound_seconds: how long it may take from then.
        region_answered: whether the old writer's region answered when the failover was decided: then a lost answer is
            asked for again, and otherwise it is what was to be expected.
        answers: whether the old writer may have answered anybody then: then its reboot must be seen.

    Returns:
        ``fenced``, ``rebooting`` or ``groups_replaced`` (old connections may live), ``refused`` or ``unreachable``.
    """
    ends_at = started_at + timedelta(seconds=bound_seconds)
    for attempt in fence.attempts(work.databases[old_writer], work.clock, answers=answers):
        is_open = attempt.outcome is fence.Outcome.REFUSED
        if isinstance(attempt.error, NotInThisStateError):
            if is_open and attempt.status in rds_status.FAILED:
                return Outcome(attempt.outcome, f"it is {attempt.status}, and RDS changes nothing: {attempt.detail}")
        elif attempt.error is not None and not isinstance(attempt.error, ClientError) and not region_answered:
            return Outcome(fence.Outcome.UNREACHABLE if is_open else attempt.outcome, attempt.detail)
        if attempt.is_final:
            return Outcome(attempt.outcome, attempt.detail)
        if attempt.goes_on:
            work.renew()
            continue
        if work.clock.now() >= ends_at:
            silent = isinstance(attempt.error, BotoCoreError)
            outcome = fence.Outcome.UNREACHABLE if is_open and silent else attempt.outcome
            return Outcome(outcome, f"in the time given: {attempt.detail}")
        work.wait(soon=work.clock.now() - started_at < QUICK_FENCE)
    raise AssertionError("attempts end with a final one")


def let_in_again(work: Work, writer: Site, ends_at: datetime) -> Outcome:
    """Undo a fence: the writer stays the writer, and its clients must come back.

    Args:
        work: what to work with.
        writer: the site of the writer.
        ends_at: after that a later run opens it.

    Returns:
        ``opened_again``, or ``not_opened`` where it could not be done in time.

    Raises:
        BudgetSpentError: neither yet when the run must end.
        PromotedAfterAllError: the standby takes writes.
    """
    silences = 0
    while True:
        try:
            standby = work.databases[work.settings.here].find()
            if standby is not None and standby.replica_of is None and standby.status not in rds_status.FAILED:
                raise PromotedAfterAllError(f"the {work.settings.here} site's database is no replica any more")
            if let_in(work.databases[writer], work.settings.database_group_ids[writer]):
                return Outcome(Phase.OPENED_AGAIN, "the writer has its own security group again")
            why = "its security group is being replaced"
            silences = 0
        except BotoCoreError as error:
            why = str(error)
            silences += 1
            if silences == MOST_SILENCES:
                # It may stay so; every later run asks again, and the decision need not wait for it.
                return Outcome(NOT_OPENED, f"a later run opens it, for RDS does not answer: {why}")
        except (NotInThisStateError, ClientError) as error:
            why = str(error)
        if work.clock.now() >= ends_at:
            return Outcome(NOT_OPENED, f"not in the time given, a later run opens it: {why}")
        work.wait()


def let_in(database: Database, group_id: str) -> bool:
    """Give a database its own security group; tells whether it has it alone, in force.

    Raises:
        NotInThisStateError: not in its present state.
        ClientError, BotoCoreError: RDS refuses or is silent.
    """
    if dict(database.describe().security_groups) == {group_id: "active"}:
        return True
    database.put_into_group(group_id)
    return False


def is_shut(work: Work, writer: Site) -> bool:
    """Whether RDS shows that nobody gets in."""
    database = work.databases[writer]
    try:
        return database.is_quarantined(database.describe())
    except AwsError:
        return False


def is_whole(work: Work, writer: Site, since: datetime, *, waited: bool) -> bool:
    """Whether an old writer that cannot be replaced may be used again.

    Args:
        work: what to work with.
        writer: its site.
        since: when it was found that it cannot be replaced.
        waited: whether that has been so for long. Nobody can look into a database that is shut: one that RDS calls
            operational is opened then, for it costs nothing any more.
    """
    settings, region = work.settings, work.settings.regions[writer]
    database = work.databases[writer]
    try:
        instance = database.describe()
        if instance.status not in rds_status.OPERATIONAL or instance.replica_of is not None:
            return False
        if dict(instance.security_groups) != {settings.database_group_ids[writer]: "active"}:
            return waited
        metric = metrics.answers(settings.metric_namespace, writer, writer, settings.policy.metric_period_seconds)
        seen = metrics.read(work.clients.of("cloudwatch", region), {"own": metric}, since, work.clock.now())["own"]
    except AwsError:
        return False
    return any(point.start >= since and point.maximum >= 1 for point in seen)
