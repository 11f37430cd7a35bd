"""When a hold on something lasts, and when whoever has it renews it."""

from __future__ import annotations

from datetime import datetime, timedelta

# Renewed well before it runs out: a slow call must fit between two renewals.
RENEWALS_PER_LEASE = 4


def lasts(until: datetime, now: datetime, seconds: float) -> bool:
    """Whether a lease that is on record is in force.

    Args:
        until: its end.
        now: the time.
        seconds: how long a lease is. None lasts longer: one that seems to was taken by a clock that was wrong.
    """
    return timedelta(0) < until - now <= timedelta(seconds=seconds)


def is_to_be_renewed(until: datetime, now: datetime, seconds: float) -> bool:
    """Whether so much of an own lease is over that it is to be renewed; the arguments are those of `lasts`."""
    return (until - now).total_seconds() < seconds * (1 - 1 / RENEWALS_PER_LEASE)
