"""Fence the old writer: no connection may write to it once the new one does. Bounded in time.

An instance with a replica cannot be stopped. So its security groups are replaced by one without rules, and then it is
rebooted, because connections that exist survive a change of rules.
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/security-group-connection-tracking.html
"""

from __future__ import annotations

from datetime import datetime, timedelta

from botocore.exceptions import ClientError

from failover import rds_status
from failover.clients import AwsError, may_pass
from failover.databases import NotInThisStateError
from failover.work import Outcome, StepBlockedError, Work
from function_runtime.sites import Site

FENCED = "fenced"


def fence(work: Work, old_writer: Site, started_at: datetime, *, region_answered: bool) -> Outcome:
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
    quarantined = False
    while True:
        try:
            if not quarantined:
                work.databases.quarantine(old_writer)
                quarantined = True
                work.renew()
            if _is_quarantined(work, old_writer):
                work.databases.reboot(old_writer)
                return Outcome(FENCED, "the security groups are replaced and the instance reboots")
            why = "the security groups are asked for and not yet active"
        except NotInThisStateError as error:
            why = str(error)
            if not quarantined and _is_out_of_order(work, old_writer):
                return Outcome("refused", f"RDS holds it for out of order and changes nothing: {why}")
        except AwsError as error:
            if not isinstance(error, ClientError) and not region_answered:
                return Outcome("groups_replaced" if quarantined else "unreachable", str(error))
            if not may_pass(error):
                return Outcome("groups_replaced" if quarantined else "refused", str(error))
            why = str(error)
        if work.clock.now() >= ends_at:
            return Outcome("groups_replaced" if quarantined else "refused", f"in the time given: {why}")
        work.wait()


def let_in_again(work: Work, writer: Site) -> Outcome:
    """Undo a fence: the writer stays the writer, and its clients must come back.

    Raises:
        StepBlockedError: RDS refuses for good.
        BudgetSpentError: not done when the run must end.
    """
    wanted = {work.settings.database_group_ids[writer]: "active"}
    while True:
        try:
            if dict(work.databases.describe(writer).security_groups) == wanted:
                return Outcome("opened_again", "the writer has its own security group again")
            work.databases.open_again(writer)
        except NotInThisStateError:
            pass
        except AwsError as error:
            if not may_pass(error):
                raise StepBlockedError(f"the writer's security group cannot be given back: {error}") from error
        work.wait()


def _is_quarantined(work: Work, site: Site) -> bool:
    groups = work.databases.describe(site).security_groups
    return dict(groups) == {work.settings.quarantine_group_ids[site]: "active"}


def _is_out_of_order(work: Work, site: Site) -> bool:
    try:
        return work.databases.describe(site).status in rds_status.FAILED
    except AwsError:
        return False
