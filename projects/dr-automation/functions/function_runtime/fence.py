"""Fence a database: no new connection reaches it, and those that exist end. Safe to begin again at any point.

An instance that has or had a replica cannot be stopped. So its security groups are replaced by one without rules, and
then it is rebooted, because connections that exist survive a change of rules.
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/security-group-connection-tracking.html
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from function_runtime.clients import AwsError, may_pass
from function_runtime.database import Database, NotInThisStateError
from function_runtime.readings import Instance


class Outcome(StrEnum):
    """How far a fence has come. Axis of certainty: who may still write."""

    BEGUN = "begun"
    """It is under way; what is in force is not known."""
    FENCED = "fenced"
    """Nobody: the group without rules is in force and the instance was rebooted after that."""
    GROUPS_REPLACED = "groups_replaced"
    """Those whose connections are older than the fence: no reboot."""
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


def attempts(database: Database, seen: Instance | None = None) -> Iterator[Attempt]:
    """Attempt to fence until it is done or cannot be done; whoever iterates waits in between, or gives up.

    Args:
        database: what to fence.
        seen: what RDS has just said of it, None where nobody has looked.
    """
    replaced = False
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
                unfinished = Outcome.GROUPS_REPLACED
                database.reboot()
                detail = "the security groups are replaced and the instance reboots"
                yield Attempt(Outcome.FENCED, detail, is_final=True)
                return
            if replaced:
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
        replaced = replaced or unfinished is Outcome.GROUPS_REPLACED
        instance = None
