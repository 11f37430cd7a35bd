"""Which problems people have been told of: one item a site in the state table, written only over what was read."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from function_runtime.items import Items
from function_runtime.sites import Site


@dataclass(frozen=True)
class Told:
    """What people know already.

    Attributes:
        site: whose copier.
        problems: the keys of the problems that people were told of and that are not over.
        at: when it was written.
        version: grows with each write; 0 before the first.
    """

    site: Site
    problems: frozenset[str] = frozenset()
    at: datetime | None = None
    version: int = 0


def item_id(site: Site) -> str:
    """The item's key in the state table."""
    return f"copies#{site.value}"


def read(items: Items, site: Site) -> Told:
    """What is on record; nothing before the first problem."""
    item = items.get(item_id(site))
    if item is None:
        return Told(site)
    version = int(item.get("version", 0))
    try:
        return Told(site, frozenset(item["problems"]), datetime.fromisoformat(item["at"]), version)
    except (KeyError, TypeError, ValueError):
        # Written by hand: people hear what they know already, and the item is whole again.
        return Told(site, version=version)


def save(items: Items, told: Told, problems: frozenset[str], at: datetime) -> Told:
    """Write it over the version it was read in.

    Raises:
        AnotherRunIsAtWorkError: another copier has written it since.
    """
    written = replace(told, problems=problems, at=at, version=told.version + 1)
    item: dict[str, Any] = {
        "id": item_id(told.site),
        "version": written.version,
        "problems": sorted(problems),
        "at": at.isoformat(),
    }
    items.put(item, told.version)
    return written
