"""The two sites, as the functions know them. A site is a place and keeps its name; what it does now is its role."""

from __future__ import annotations

from enum import StrEnum


class Site(StrEnum):
    """Where: a region the system lives in. Axis of place, never of duty."""

    PRIMARY = "primary"
    RECOVERY = "recovery"

    @property
    def other(self) -> Site:
        """The site across the peering."""
        return Site.RECOVERY if self is Site.PRIMARY else Site.PRIMARY
