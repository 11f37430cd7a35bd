"""What people were told of and what copies looked like: one item a site in the state table, with conditions only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from function_runtime.items import Items
from function_runtime.sites import Site
from snapshot_copier.plan import Tried


@dataclass(frozen=True)
class Told:
    """What is known from earlier runs.

    Attributes:
        site: whose copier.
        problems: the keys of the problems that people were told of and that are not over.
        tried: what was seen of copies, by their identifiers.
        version: grows with each write; 0 before the first.
    """

    site: Site
    problems: frozenset[str] = frozenset()
    tried: Mapping[str, Tried] = field(default_factory=dict)
    version: int = 0


def item_id(site: Site) -> str:
    """The item's key in the state table."""
    return f"copies#{site.value}"


def read(items: Items, site: Site) -> Told:
    """What is on record; nothing before the first write."""
    item = items.get(item_id(site))
    if item is None:
        return Told(site)
    version = int(item.get("version", 0))
    try:
        tried = {name: _tried(each) for name, each in item["tried"].items()}
        return Told(site, frozenset(item["problems"]), tried, version)
    except (AttributeError, KeyError, TypeError, ValueError):
        # Written by hand: people hear what they know already, and the item is whole again.
        return Told(site, version=version)


def save(items: Items, told: Told) -> Told:
    """Write it over the version it was read in.

    Raises:
        AnotherRunIsAtWorkError: another copier has written it since.
    """
    written = replace(told, version=told.version + 1)
    item: dict[str, Any] = {
        "id": item_id(told.site),
        "version": written.version,
        "problems": sorted(told.problems),
        "tried": {
            name: {"percent": each.percent, "since": each.since.isoformat()} for name, each in told.tried.items()
        },
    }
    items.put(item, told.version)
    return written


def _tried(item: Mapping[str, Any]) -> Tried:
    percent = item["percent"]
    return Tried(None if percent is None else int(percent), datetime.fromisoformat(item["since"]))
