"""What the services write down while they work, and the time they work at."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol


class Happenings(Protocol):
    """The part of the world that a service knows.

    Attributes:
        now: the time.
        events: what was done to databases.
        messages: topic and subject of what people were told.
        texts: the texts of the same.
        gone_topics: topics that were deleted.
    """

    now: datetime
    events: list[str]
    messages: list[tuple[str, str]]
    texts: list[str]
    gone_topics: set[str]
