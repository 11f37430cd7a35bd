"""How a probe's session in a database ended, as the probe publishes it and the controller reads it."""

from __future__ import annotations

from enum import IntEnum


class SessionOutcome(IntEnum):
    """How it ended. Axis of what it says about the database.

    The numbers go into a metric: the smaller, the better, so that a period's smallest is the best that was seen in it.
    All between the first and `READ_ONLY` say nothing about whether clients can write.
    """

    WORKS = 0
    """On the writer a heartbeat is committed, on a replica what was asked is read."""
    NOT_PREPARED = 1
    """The role, the schema or the table of the heartbeat is missing."""
    NOT_ADMITTED = 2
    """The login is refused, throttled or not granted what it needs: IAM authentication has failures of its own."""
    NOT_VERIFIED = 3
    """The server's certificate is not the one of an instance of RDS under this name."""
    NO_ROOM = 4
    """The role's or the server's limit of connections is reached, or the lock of the probe's row is held."""
    NOT_ENDED = 5
    """The session broke or took too long before its commit was sent."""
    READ_ONLY = 6
    """The database takes no writes and is no replica."""
    FULL = 7
    """The database has no space left."""
    HUNG = 8
    """The probe's own commit was sent, and is not answered within the deadline."""


CANNOT_COMMIT = frozenset({SessionOutcome.READ_ONLY, SessionOutcome.FULL, SessionOutcome.HUNG})
"""These say that clients cannot write."""
