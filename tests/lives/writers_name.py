"""The writer's name as Route 53 resolves it: three health checks, each with the last status that it has copied.

Each copies the alarm of its threshold at once or as late as it can, and keeps its status while the alarm's region is
silent. Within the margin that a handover waits it has copied: that is what the margin is for.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from aws_in_memory.aws import Aws
from aws_in_memory.deployed import REGIONS
from function_runtime.sites import Site

SECOND = timedelta(seconds=1)


@dataclass
class HealthCheck:
    """One of the checks.

    Attributes:
        site: whose word it is about.
        threshold: it is healthy below that.
        is_healthy: its last status.
        lag: how long its alarm must have shown another status until it copies that.
        differs_since: since when it has.
    """

    site: Site
    threshold: int
    is_healthy: bool
    lag: timedelta
    differs_since: datetime | None = None


class WritersName:
    """The name.

    Args:
        aws: where the words are.
        writer: whose database the name leads to in the beginning.
        margin_seconds: how long a handover waits.
        chance: how long each copy takes.
    """

    def __init__(self, aws: Aws, writer: Site, margin_seconds: float, chance: random.Random) -> None:
        self._aws, self._chance, self._at = aws, chance, aws.now
        self._longest = timedelta(seconds=int(margin_seconds) - 1)
        said = 0 if writer is Site.PRIMARY else 1
        self.checks = [
            HealthCheck(site, threshold, said < threshold, self._lag())
            for site, threshold in ((Site.PRIMARY, 1), (Site.RECOVERY, 1), (Site.RECOVERY, 2))
        ]

    def copies(self) -> Iterator[None]:
        """Let the checks copy what they can by now, second by second."""
        while self._at < self._aws.now:
            self._at = min(self._at + SECOND, self._aws.now)
            words = {site: self._aws.alarms(site).evaluated(self._at) for site in Site}
            for check in self.checks:
                word = words[check.site]
                if word is not None and REGIONS[check.site] not in self._aws.dark:
                    self._copy(check, word < check.threshold)
            yield

    def _copy(self, check: HealthCheck, is_healthy: bool) -> None:
        if check.is_healthy is is_healthy:
            check.differs_since = None
            return
        if check.differs_since is None:
            check.differs_since = self._at
        if self._at - check.differs_since >= check.lag:
            check.is_healthy, check.differs_since, check.lag = is_healthy, None, self._lag()

    def _lag(self) -> timedelta:
        return self._chance.choice([timedelta(), self._longest])

    def has_copied(self, site: Site, word: int) -> bool:
        """Whether the checks of a site show this word of it."""
        return all(each.is_healthy is (word < each.threshold) for each in self.checks if each.site is site)

    @property
    def leads_to(self) -> Site:
        """Primary's database where two of three are healthy."""
        return Site.PRIMARY if sum(check.is_healthy for check in self.checks) >= 2 else Site.RECOVERY
