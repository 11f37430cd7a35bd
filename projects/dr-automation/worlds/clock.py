"""The time of a world in memory: it passes when somebody waits."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol


class Timed(Protocol):
    """A world with a time of its own."""

    now: datetime

    def sleep(self, seconds: float) -> None:
        """Let time pass."""


class Clock:
    """A world's clock."""

    def __init__(self, world: Timed) -> None:
        self.world = world

    def now(self) -> datetime:
        """Now, in the world."""
        return self.world.now

    def sleep(self, seconds: float) -> None:
        """Wait, in the world."""
        self.world.sleep(seconds)
