"""What a step of a failover works with: the databases, the clock, and the run's hold on the incident."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from failover.settings import Settings
from function_runtime.clients import Clients
from function_runtime.clock import Clock
from function_runtime.database import Database
from function_runtime.incident import WITHDRAWN
from function_runtime.sites import Site

# Two runs that were refused together must not come back together.
JITTER = 0.2
# Where AWS answers within seconds, and clients wait for it, the next look does not wait for a poll interval.
SOON_SECONDS = 1.0


@dataclass(frozen=True)
class Outcome:
    """What came out of a step: one word, the same for people, and when it came about; None: when the step ended."""

    outcome: str
    detail: str
    at: datetime | None = None


class BudgetSpentError(Exception):
    """The run must end; the next one goes on with the same step."""


class PausedError(Exception):
    """People have paused failovers, and the promotion has not begun."""


class WithdrawnError(Exception):
    """The failover is taken back, or ended, in time: by people, by the old writer, or because its time is over.

    Attributes:
        outcome: how the step under way ends.
    """

    def __init__(self, why: str, outcome: str = WITHDRAWN) -> None:
        super().__init__(why)
        self.outcome = outcome


class PeopleAskedError(Exception):
    """The old writer answers after its fence: the incident waits for a person's approval, or for a commit."""


class StepBlockedError(Exception):
    """The step cannot succeed as things are: people must know, and the incident stays where it is."""


@dataclass(frozen=True)
class Work:
    """What a step works with.

    Attributes:
        clients: AWS.
        databases: the instance of each site.
        settings: the settings.
        clock: time.
        ends_at: the run must end by then.
        renew: say that this run is still at work; raises ``AnotherRunIsAtWorkError`` where it no longer may be.
        heed: do what people have said meanwhile; raises ``PausedError`` or ``WithdrawnError``.
    """

    clients: Clients
    databases: Mapping[Site, Database]
    settings: Settings
    clock: Clock
    ends_at: datetime
    renew: Callable[[], None]
    heed: Callable[[], None] = lambda: None

    def wait(self, *, soon: bool = False) -> None:
        """Wait for one poll interval, more or less.

        Args:
            soon: what is waited for comes within seconds: a second then, where the interval is longer.

        Raises:
            BudgetSpentError: the run must end before that.
            PausedError, WithdrawnError: people have said so.
        """
        interval = self.settings.poll_interval_seconds
        seconds = (min(SOON_SECONDS, interval) if soon else interval) * random.uniform(1 - JITTER, 1)  # noqa: S311 - no secret
        if (self.ends_at - self.clock.now()).total_seconds() <= interval:
            raise BudgetSpentError("the run's time is over")
        self.clock.sleep(seconds)
        self.renew()
        self.heed()
