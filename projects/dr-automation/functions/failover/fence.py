"""Fence the old writer: no connection may write to it once the new one does. Bounded in time.

An instance with a replica cannot be stopped. So its security groups are replaced by one without rules, and then it is
rebooted, because connections that exist survive a change of rules.
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/security-group-connection-tracking.html
"""

from __future__ import annotations

from datetime import datetime, timedelta

from failover.clients import AwsError
from failover.databases import NotInThisStateError
from failover.work import Outcome, Work
from function_runtime.sites import Site


def fence(work: Work, old_writer: Site, started_at: datetime) -> Outcome:
    """Fence, or say why it could not be done in time; a dead region must not stop its own replacement.

    Args:
        work: what to work with.
        old_writer: the site to fence.
        started_at: when the step was first begun.
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
                return Outcome("fenced", "the security groups are replaced and the instance reboots")
            why = "the security groups are asked for and not yet active"
        except NotInThisStateError as error:
            why = str(error)
        except AwsError as error:
            return Outcome("groups_replaced" if quarantined else "unreachable", str(error))
        if work.clock.now() >= ends_at:
            return Outcome("groups_replaced" if quarantined else "refused", f"in the time given: {why}")
        work.wait()


def _is_quarantined(work: Work, site: Site) -> bool:
    groups = work.databases.describe(site).security_groups
    return dict(groups) == {work.settings.quarantine_group_ids[site]: "active"}
