"""All scenarios there are. A new one is a small module with a ``SCENARIO``, and a line here."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from drills.random_drills import drawn_scenario, name_of, numbers_in
from drills.scenario import Scenario
from drills.scenarios import (
    controller_killed,
    flapping,
    lag_too_high,
    latch_holds,
    link_cut,
    lost_trigger,
    maintenance_reboot,
    old_writer_returns,
    primary_crash,
    primary_frozen,
    probe_broken,
    region_dark,
    sites_apart,
)
from shared.errors import SettingsError

SCENARIOS: Mapping[str, Scenario] = MappingProxyType(
    {
        module.SCENARIO.name: module.SCENARIO
        for module in (
            primary_crash,
            primary_frozen,
            region_dark,
            link_cut,
            sites_apart,
            probe_broken,
            maintenance_reboot,
            flapping,
            lag_too_high,
            controller_killed,
            old_writer_returns,
            lost_trigger,
            latch_holds,
        )
    }
)
"""Every scenario by its name, in the order in which ``--all`` plays them."""

DEFAULT_SCENARIO = primary_crash.SCENARIO.name


def scenario_named(name: str) -> Scenario:
    """The scenario of that name: one of the list, or a random one by the name in its report.

    Raises:
        SettingsError: there is none.
    """
    if name in SCENARIOS:
        return SCENARIOS[name]
    numbers = numbers_in(name)
    if numbers is not None:
        return drawn_scenario(*numbers)
    known = ", ".join(sorted(SCENARIOS))
    raise SettingsError("scenario", name, f"give one of: {known}; or {name_of(7, 1)} for a random one")
