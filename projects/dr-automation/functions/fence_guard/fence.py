"""Shut a database: no new connection reaches it, and those that exist end. Bounded in time, and safe to begin again.

An instance that has or had a replica is not stopped but shut: its security groups are replaced by one without rules,
and then it is rebooted, because connections that exist survive a change of rules.
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/security-group-connection-tracking.html
"""

from __future__ import annotations

from datetime import datetime, timedelta

from failover.clients import AwsError, may_pass
from failover.databases import NotInThisStateError
from failover.readings import Instance
from fence_guard.database import OwnDatabase
from fence_guard.record import Outcome
from function_runtime.clock import Clock

# A run that has shut the door so late is given this long to end the old connections too; security groups take seconds.
FINISHING_SECONDS = 10.0


def fence(
    database: OwnDatabase, seen: Instance, clock: Clock, ends_at: datetime, poll_interval_seconds: float
) -> tuple[Outcome, str]:
    """Fence, or say how far it came and why no further.

    Args:
        database: what to fence.
        seen: what RDS has just said of it.
        clock: time.
        ends_at: no new attempt begins after that; one whose door is shut has `FINISHING_SECONDS` in any case.
        poll_interval_seconds: from one look to the next.

    Returns:
        ``fenced``, ``groups_replaced`` or ``refused``, and the same for people.
    """
    asked = False
    instance: Instance | None = seen
    while True:
        try:
            if instance is None:
                instance = database.describe()
            if instance is None:
                return Outcome.REFUSED, "the instance is gone"
            asked = asked or database.is_quarantined(instance)
            if database.is_quarantined(instance):
                database.reboot()
                return Outcome.FENCED, "the security groups are replaced and the instance reboots"
            if not asked:
                database.quarantine()
                asked = True
                ends_at = max(ends_at, clock.now() + timedelta(seconds=FINISHING_SECONDS))
                instance = None
                continue
            why = f"the group without rules is asked for and not yet alone in force: {dict(instance.security_groups)}"
        except NotInThisStateError as error:
            # Also where RDS holds it for failed: it may come up at any moment, and then it takes writes at once.
            why = str(error)
        except AwsError as error:
            why = str(error)
            if not may_pass(error):
                return _unfinished(asked=asked), why
        if clock.now() + timedelta(seconds=poll_interval_seconds) > ends_at:
            return _unfinished(asked=asked), f"in the time of one run: {why}"
        clock.sleep(poll_interval_seconds)
        instance = None


def _unfinished(*, asked: bool) -> Outcome:
    return Outcome.GROUPS_REPLACED if asked else Outcome.REFUSED
