"""The situations of the table in docs/deploying.md, in an order in which one lab can be in all of them."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from shared.sites import Site
from tests.situations import events
from tests.situations.events import Event, P, Place, R


@dataclass(frozen=True)
class Scene:
    """One situation.

    Attributes:
        title: what the table calls it.
        event: what brings it about.
        writer: the site whose database takes writes meanwhile.
        said: what a refusal and a warning say of it.
        is_dark: whether a region does not answer, so that what Pulumi does there may fail.
    """

    title: str
    event: Event
    writer: Site
    said: str = ""
    is_dark: bool = False


DARK = "the primary region does not answer"
STORY = (
    Scene("nothing deployed, or no automation yet", events.without_automation, P),
    Scene("all is well, or there is no standby: `activeSite` is the writer", events.all_deployed, P),
    Scene("unknown: no record that can be believed", events.table_lost, P, "which database is the writer is unknown"),
    Scene("incident open", events.failing_over, R, "a failover, is under way"),
    Scene(
        "failed over: `activeSite` is not the writer yet",
        events.failed_over,
        R,
        "the recovery site is the writer since a failover (epoch 1)",
    ),
    Scene("a region dark, `activeSite` is not the writer", events.old_region_dark, R, DARK, is_dark=True),
    Scene("a region dark, `activeSite` is the writer", events.old_region_dark_and_configured, R, DARK, is_dark=True),
    Scene("authority is handed over", events.handing_over, R, "authority is being handed over"),
    Scene("reprotected: the same with the roles swapped", events.reprotected, R),
)


class Story:
    """One lab that goes through them.

    Args:
        place: where it happens.
    """

    def __init__(self, place: Place) -> None:
        self.place = place
        self._ahead = list(STORY)
        self._now: Scene | None = None
        self._left = ExitStack()

    def reach(self, scene: Scene) -> None:
        """Let time pass until it is so. After what could not be brought about, the rest is skipped.

        Raises:
            AssertionError: what was to bring it about did not.
        """
        while self._now is not scene:
            if not self._ahead:
                pytest.skip("it builds on a situation that could not be brought about")
            ahead, self._ahead = self._ahead, []
            self._left.close()
            self._left.enter_context(ahead[0].event(self.place))
            self._now, *self._ahead = ahead
