"""What RDS shows of a promotion. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from function_runtime import rds_status
from function_runtime.incident import Shown, Step
from function_runtime.readings import Instance

# A promotion that RDS has accepted shows in the instance's status within seconds; after a minute there is none.
SHOWN_WITHIN_SECONDS = 60.0
# RDS is asked for a promotion only in a status that is none of these: what shows one of them came after the request.
AT_WORK = frozenset({"modifying", rds_status.REBOOTING})
AVAILABLE = "available"


def shown_by(instance: Instance | None) -> Shown:
    """What an instance shows of the promotion that RDS was asked for; None: there is no instance."""
    if instance is None or instance.status == rds_status.LOST or instance.replication_ended:
        return Shown.NEVER
    if instance.is_failed:
        # RDS may recover from it, and go on with the promotion.
        return Shown.UNKNOWN
    if instance.replica_of is None:
        return Shown.WRITER if instance.status in rds_status.WORKING else Shown.UNDER_WAY
    if instance.status in AT_WORK:
        return Shown.UNDER_WAY
    return Shown.REPLICA if instance.status in rds_status.OPERATIONAL else Shown.UNKNOWN


def is_dropped(step: Step | None, now: datetime) -> bool:
    """Whether RDS has shown a replica, as before it was asked, for longer than a promotion needs to show.

    Args:
        step: the step that waits for the promotion; None where it is not begun.
        now: the time.
    """
    if step is None or step.shows is not Shown.REPLICA or step.shows_since is None:
        return False
    return now - step.shows_since >= timedelta(seconds=SHOWN_WITHIN_SECONDS)


def has_failed_promoted(instance: Instance | None) -> bool:
    """Whether it has failed after its promotion: until then it may have taken writes that no other database has."""
    return instance is not None and instance.replica_of is None and instance.is_failed


def may_be_given_up(instance: Instance | None, step: Step | None, now: datetime) -> bool:
    """Whether a person may take back a promotion that RDS has accepted: it does not, or will not, come.

    Args:
        instance: what RDS describes now.
        step: the step that waits for the promotion.
        now: the time.
    """
    shown = shown_by(instance)
    if shown is Shown.NEVER or instance is None:
        return not has_failed_promoted(instance)
    return shown is Shown.REPLICA and instance.status == AVAILABLE and is_dropped(step, now)
