"""Fence the old writer, so that nobody writes to it once the new one takes writes; or let its clients in again."""

from __future__ import annotations

from datetime import datetime, timedelta

from botocore.exceptions import ClientError

from failover import rds_status
from failover.work import Outcome, StepBlockedError, Work
from function_runtime import fence
from function_runtime.clients import AwsError, may_pass
from function_runtime.database import NotInThisStateError
from function_runtime.sites import Site


def fence_old_writer(work: Work, old_writer: Site, started_at: datetime, *, region_answered: bool) -> Outcome:
    """Fence, or say why it could not be done in time; a dead region must not stop its own replacement.

    Args:
        work: what to work with.
        old_writer: the site to fence.
        started_at: when the step was first begun.
        region_answered: whether the old writer's region answered when the failover was decided: then a lost answer is
            asked for again, and otherwise it is what was to be expected.

    Returns:
        ``fenced``, ``groups_replaced`` (no reboot: old connections may live), ``refused`` or ``unreachable``.
    """
    ends_at = started_at + timedelta(seconds=work.settings.fence_timeout_seconds)
    for attempt in fence.attempts(work.databases[old_writer]):
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
            return Outcome(attempt.outcome, f"in the time given: {attempt.detail}")
        work.wait()
    raise AssertionError("attempts end with a final one")


def let_in_again(work: Work, writer: Site) -> Outcome:
    """Undo a fence: the writer stays the writer, and its clients must come back.

    Raises:
        StepBlockedError: RDS refuses for good.
        BudgetSpentError: not done when the run must end.
    """
    group, database = work.settings.database_group_ids[writer], work.databases[writer]
    while True:
        try:
            if dict(database.describe().security_groups) == {group: "active"}:
                return Outcome("opened_again", "the writer has its own security group again")
            database.put_into_group(group)
        except NotInThisStateError:
            pass
        except AwsError as error:
            if not may_pass(error):
                raise StepBlockedError(f"the writer's security group cannot be given back: {error}") from error
        work.wait()
