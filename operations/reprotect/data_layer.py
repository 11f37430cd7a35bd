"""The data layer as reprotection works with it: its configuration, its deploy, and what its state knows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from function_runtime.sites import Site
from operations.errors import RefusedError

ACTIVE_SITE = "activeSite"
RETIRING = "retiring"
ORIGINAL, REPLICA, ADOPTED, NO_INSTANCE = "original", "replica", "adopted", "none"


def generation_key(site: Site) -> str:
    """The key of a site's generation."""
    return f"{site}Generation"


def birth_key(site: Site) -> str:
    """The key of a site's birth."""
    return f"{site}Birth"


KEYS = (ACTIVE_SITE, RETIRING, *(key(site) for site in Site for key in (generation_key, birth_key)))


class DataLayer(Protocol):
    """The layer. Every method raises `RefusedError` where it cannot be done."""

    def configuration(self) -> Mapping[str, str]:
        """Those of `KEYS` that are set."""

    def change(self, values: Mapping[str, str | None]) -> str:
        """Set keys, or take them out where the value is None; returns the unified diff, empty where nothing changes."""

    def deploy(self, say: Callable[[str], None]) -> None:
        """Deploy the data layer alone."""

    def instance_id(self, site: Site) -> str | None:
        """``DbiResourceId`` of the site's instance in the state; None where the state has none."""

    def replicates_backups_of(self, site: Site) -> bool:
        """Whether the state has a replication of the automated backups of the site's instance."""


@dataclass(frozen=True)
class Declared:
    """The configuration, read.

    Attributes:
        active_site: whose database takes writes.
        retiring: whose database is about to be deleted; None for none.
        generations: how often each site's database has come into being.
        births: how each site's instance does; `none` where it has none.
    """

    active_site: Site
    retiring: Site | None
    generations: Mapping[Site, int]
    births: Mapping[Site, str]

    @classmethod
    def of(cls, configuration: Mapping[str, str]) -> Declared:
        """Read it, with the defaults of the data layer.

        Raises:
            RefusedError: a value is none that the data layer takes.
        """
        retiring = configuration.get(RETIRING)
        born = {Site.PRIMARY: ORIGINAL, Site.RECOVERY: REPLICA}
        return cls(
            active_site=_site(ACTIVE_SITE, configuration.get(ACTIVE_SITE, Site.PRIMARY)),
            retiring=None if retiring is None else _site(RETIRING, retiring),
            generations={site: _generation(generation_key(site), configuration) for site in Site},
            births={site: configuration.get(birth_key(site), born[site]) for site in Site},
        )


def _site(key: str, value: str) -> Site:
    if value not in tuple(Site):
        raise RefusedError(key, value, f"give one of {', '.join(Site)} in the data layer's stack file")
    return Site(value)


def _generation(key: str, configuration: Mapping[str, str]) -> int:
    value = configuration.get(key, "1")
    if not value.isdecimal() or int(value) < 1:
        raise RefusedError(key, value, "give a whole number, 1 or more, in the data layer's stack file")
    return int(value)
