"""Backup and maintenance windows: which ones are accepted, and which ones collide. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from shared.errors import SettingsError

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MINUTES_PER_DAY = 24 * 60
MINUTES_PER_WEEK = 7 * MINUTES_PER_DAY
SHORTEST_MINUTES = 30

_TIME = r"([01]\d|2[0-3]):([0-5]\d)"
_BACKUP = re.compile(rf"{_TIME}-{_TIME}")
_DAY = rf"({'|'.join(WEEKDAYS)})"
_MAINTENANCE = re.compile(rf"{_DAY}:{_TIME}-{_DAY}:{_TIME}")


@dataclass(frozen=True)
class Window:
    """A daily or weekly window.

    Attributes:
        key: the setting it comes from.
        text: as it is written there and given to RDS.
        starts: the minutes of the week at which it begins.
        length_minutes: how long it lasts.
    """

    key: str
    text: str
    starts: tuple[int, ...]
    length_minutes: int

    def collides_with(self, other: Window) -> bool:
        """Whether the two ever share a minute."""
        return any(
            (theirs - ours) % MINUTES_PER_WEEK < self.length_minutes
            or (ours - theirs) % MINUTES_PER_WEEK < other.length_minutes
            for ours in self.starts
            for theirs in other.starts
        )


def backup_window(key: str, text: str) -> Window:
    """A daily window such as ``14:00-14:45``, UTC; it may pass midnight.

    Raises:
        SettingsError: it is malformed or shorter than RDS takes.
    """
    match = _BACKUP.fullmatch(text)
    if match is None:
        raise SettingsError(key, text, "give a daily window in UTC, such as 14:00-14:45")
    start, end = (_minute(*match.group(first, first + 1)) for first in (1, 3))
    starts = tuple(day * MINUTES_PER_DAY + start for day in range(len(WEEKDAYS)))
    return _long_enough(Window(key, text, starts, (end - start) % MINUTES_PER_DAY))


def maintenance_window(key: str, text: str) -> Window:
    """A weekly window such as ``sat:15:30-sat:16:30``, UTC; it may pass midnight.

    Raises:
        SettingsError: it is malformed, or shorter or longer than RDS takes.
    """
    match = _MAINTENANCE.fullmatch(text)
    if match is None:
        raise SettingsError(key, text, "give a weekly window in UTC, such as sat:15:30-sat:16:30")
    start, end = (
        WEEKDAYS.index(match.group(first)) * MINUTES_PER_DAY + _minute(*match.group(first + 1, first + 2))
        for first in (1, 4)
    )
    length_minutes = (end - start) % MINUTES_PER_WEEK
    if length_minutes >= MINUTES_PER_DAY:
        raise SettingsError(key, text, "RDS takes maintenance windows shorter than a day")
    return _long_enough(Window(key, text, (start,), length_minutes))


def refuse_collisions(*windows: Window) -> None:
    """Refuse windows that overlap.

    Raises:
        SettingsError: two do. RDS refuses that within an instance; across the sites, both databases could be backing up
            or restarting at the same time, and a failover would have no target.
    """
    for position, window in enumerate(windows):
        for earlier in windows[:position]:
            if window.collides_with(earlier):
                raise SettingsError(
                    window.key, window.text, f"it collides with {earlier.key} ({earlier.text}): move one"
                )


def _long_enough(window: Window) -> Window:
    if window.length_minutes < SHORTEST_MINUTES:
        raise SettingsError(window.key, window.text, f"RDS takes windows of at least {SHORTEST_MINUTES} minutes")
    return window


def _minute(hours: str, minutes: str) -> int:
    return int(hours) * 60 + int(minutes)
