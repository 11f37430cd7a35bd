"""Fence a database: no new connection reaches it, and those that exist end. Safe to begin again at any point.

An instance that has or had a replica cannot be stopped. So its security groups are replaced by one without rules, and
then it is rebooted, because connections that exist survive a change of rules.
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/security-group-connection-tracking.html

That RDS accepts a reboot ends no connection: it may begin seconds later. So a database that still answers counts as
fenced when RDS has shown the reboot, and its end.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from function_runtime import rds_status
from function_runtime.clients import AwsError, may_pass
from function_runtime.clock import Clock
from function_runtime.database import Database, NotInThisStateError
from function_runtime.readings import Instance


class Outcome(StrEnum):
    """How far a fence has come. Axis of certainty: who may still write."""

    BEGUN = "begun"
    """It is under way; what is in force is not known."""
    FENCED = "fenced"
    """Nobody: the group without rules is in force, and a reboot after that is over, or nothing answered before."""
    REBOOTING = "rebooting"
    """Those whose connections are older than the fence, until the reboot that RDS shows has ended them."""
    GROUPS_REPLACED = "groups_replaced"
    """Those whose connections are older than the fence: no reboot is seen."""
    REFUSED = "refused"
    """Everybody: RDS did not take it."""
    UNREACHABLE = "unreachable"
    """Nobody can say: RDS did not answer."""


@dataclass(frozen=True)
class Attempt:
    """What one attempt has come to.

    Attributes:
        outcome: how far the fence has come, if nothing more is done.
        detail: the same for people.
        is_final: whether another attempt would change nothing.
        goes_on: whether the next one can follow at once: RDS has just taken the change of groups.
        error: what went wrong, None where nothing did.
        status: the instance's status at the last look, None where there was none.
    """

    outcome: Outcome
    detail: str
    is_final: bool = False
    goes_on: bool = False
    error: Exception | None = None
    status: str | None = None


# So many looks after RDS accepted a reboot without showing it, it is asked for again.
LOOKS_FOR_A_REBOOT = 6
GROUPS_AND_REBOOT = "the security groups are replaced and the instance reboots"


def attempts(
    database: Database, clock: Clock, seen: Instance | None = None, *, rebooting: bool = False, answers: bool = True
) -> Iterator[Attempt]:
    """Attempt to fence until it is done or cannot be done; whoever iterates waits in between, or gives up.

    Args:
        database: what to fence.
        clock: time; RDS's events carry it.
        seen: what RDS has just said of it, None where nobody has looked.
        rebooting: whether RDS has already shown a reboot that was asked for after the groups were replaced.
        answers: whether anybody may be connected; where every probe fails, RDS's yes to the reboot is enough.
    """
    replaced, looks_left = rebooting, 0
    asked_at: datetime | None = None
    status = None
    instance = seen
    while True:
        unfinished = Outcome.GROUPS_REPLACED if replaced else Outcome.REFUSED
        try:
            if instance is None:
                instance = database.find()
            if instance is None:
                yield Attempt(Outcome.REFUSED, "the instance is gone", is_final=True)
                return
            status = instance.status
            if database.is_quarantined(instance):
                unfinished = Outcome.REBOOTING if rebooting else Outcome.GROUPS_REPLACED
                if rebooting and status in rds_status.OPERATIONAL:
                    detail = "the security groups are replaced, and after that RDS showed the reboot and its end"
                    yield Attempt(Outcome.FENCED, detail, is_final=True)
                    return
                if status == rds_status.REBOOTING:
                    # RDS changes no groups of an instance that reboots: they were replaced before.
                    rebooting = True
                    if not answers:
                        yield Attempt(Outcome.FENCED, f"{GROUPS_AND_REBOOT}; it answered nobody before", is_final=True)
                        return
                    yield Attempt(Outcome.REBOOTING, "the instance reboots", status=status)
                elif asked_at is not None and database.has_restarted(asked_at):
                    # It was over between two looks.
                    detail = "the security groups are replaced, and after that RDS tells of a restart"
                    yield Attempt(Outcome.FENCED, detail, is_final=True)
                    return
                elif rebooting or looks_left > 0:
                    looks_left -= 1
                    yield Attempt(unfinished, f"RDS calls it {status} after a reboot was asked for", status=status)
                else:
                    asked_at = clock.now()
                    database.reboot()
                    if not answers:
                        yield Attempt(Outcome.FENCED, f"{GROUPS_AND_REBOOT}; it answered nobody before", is_final=True)
                        return
                    looks_left = LOOKS_FOR_A_REBOOT
                    yield Attempt(unfinished, "the groups are replaced and a reboot is asked for", status=status)
                replaced = True
            elif replaced:
                detail = f"the group without rules is asked for and not yet alone: {dict(instance.security_groups)}"
                yield Attempt(unfinished, detail, status=status)
            else:
                database.quarantine()
                replaced = True
                yield Attempt(Outcome.GROUPS_REPLACED, "the group without rules is asked for", goes_on=True)
        except NotInThisStateError as error:
            # Also where RDS calls it failed: it may come up at any moment, and then it takes writes at once.
            yield Attempt(unfinished, str(error), error=error, status=status)
        except AwsError as error:
            final = not may_pass(error)
            yield Attempt(unfinished, str(error), is_final=final, error=error, status=status)
            if final:
                return
        replaced = replaced or unfinished is not Outcome.REFUSED
        instance = None
