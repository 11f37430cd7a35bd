"""The writer's name as Route 53 resolves it: three health checks, each with the last status that it has copied.

Each copies the alarm of its threshold some time after that has evaluated the word, and keeps its status while the
alarm's region is silent. Within the margin that a handover waits it has copied: that is what the margin is for.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import timedelta

from aws_in_memory.aws import Aws
from aws_in_memory.deployed import REGIONS
from function_runtime.sites import Site

ALARM_SECONDS = 1.0
"""What it takes an alarm in memory to evaluate a word."""


@dataclass
class HealthCheck:
    """One of the checks.

    Attributes:
        site: whose word it is about.
        threshold: it is healthy below that.
        lag: until it has copied a word.
        is_healthy: its last status.
    """

    site: Site
    threshold: int
    lag: timedelta
    is_healthy: bool


class WritersName:
    """The name.

    Args:
        aws: where the words are.
        writer: whose database the name leads to in the beginning.
        margin_seconds: how long a handover waits.
    """

    def __init__(self, aws: Aws, writer: Site, margin_seconds: float) -> None:
        self._aws = aws
        longest = ALARM_SECONDS + margin_seconds
        word = {Site.PRIMARY: int(writer is Site.RECOVERY), Site.RECOVERY: int(writer is Site.RECOVERY)}
        self.checks = [
            HealthCheck(site, threshold, timedelta(seconds=random.uniform(0, 0.95 * longest)), word[site] < threshold)  # noqa: S311
            for site, threshold in ((Site.PRIMARY, 1), (Site.RECOVERY, 1), (Site.RECOVERY, 2))
        ]

    def copy(self) -> None:
        """Let each check copy what it can by now."""
        for check in self.checks:
            if REGIONS[check.site] in self._aws.dark:
                continue
            until = self._aws.now - check.lag
            words = [put for put in self._aws.words(check.site) if put[0] <= until]
            if words:
                check.is_healthy = max(words, key=lambda put: put[0])[1] < check.threshold

    def has_copied(self, site: Site, word: int) -> bool:
        """Whether the checks of a site show this word of it."""
        return all(each.is_healthy is (word < each.threshold) for each in self.checks if each.site is site)

    @property
    def leads_to(self) -> Site:
        """Primary's database where two of three are healthy."""
        return Site.PRIMARY if sum(check.is_healthy for check in self.checks) >= 2 else Site.RECOVERY
