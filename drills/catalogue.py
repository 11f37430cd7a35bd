"""Every drill by its name, and the same drills with the roles swapped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import TypeVar

from drills.scenario import Scenario
from drills.scenarios import SCENARIOS, scenario_named
from drills.stories import STORIES
from drills.stories.story import Story

Drill = Scenario | Story

DRILLS: Mapping[str, Drill] = MappingProxyType({**SCENARIOS, **STORIES})
"""Every drill by its name, in the order in which ``--all`` runs them."""

# The recovery site's database was the first one, and the primary's was made as its replica.
SWAPPED = MappingProxyType({"activeSite": "recovery", "recoveryBirth": "original", "primaryBirth": "replica"})
SAID_OF_SWAPPED = "Roles swapped from the start: the writer is in the recovery site, authority with the primary's."

Kind = TypeVar("Kind", bound=Drill)


def drill_named(name: str) -> Drill:
    """The drill of that name: one of the list, or a random one by the name in its report.

    Raises:
        SettingsError: there is none.
    """
    story = STORIES.get(name)
    return scenario_named(name) if story is None else story


def swapped(drill: Kind) -> Kind:
    """The same drill in a lab whose roles are swapped from the start. Its report says so."""
    return replace(
        drill,
        name=f"{drill.name}-swapped",
        summary=f"{SAID_OF_SWAPPED} {drill.summary}",
        configuration=MappingProxyType({**drill.configuration, **SWAPPED}),
    )
