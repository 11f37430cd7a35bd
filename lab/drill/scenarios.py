"""All scenarios there are. A new one is a small module with a ``SCENARIO``, and a line here."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from lab.drill import primary_crash
from lab.drill.scenario import Scenario
from shared.errors import SettingsError

SCENARIOS: Mapping[str, Scenario] = MappingProxyType(
    {scenario.name: scenario for scenario in (primary_crash.SCENARIO,)}
)
"""Every scenario by its name."""

DEFAULT_SCENARIO = primary_crash.SCENARIO.name


def scenario_named(name: str) -> Scenario:
    """The scenario of that name.

    Raises:
        SettingsError: there is none.
    """
    if name not in SCENARIOS:
        raise SettingsError("scenario", name, f"give one of: {', '.join(sorted(SCENARIOS))}")
    return SCENARIOS[name]
