"""All scenarios. A new one is a ``Scenario`` in a module of this folder, and a line in the list here."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from drills.scenario import Scenario
from drills.scenarios import (
    controller_killed,
    disturbed,
    false_alarms,
    flapping,
    half_broken,
    lag_too_high,
    last_look,
    latch_holds,
    maintenance_reboot,
    old_writer_returns,
    restored,
    writer_lost,
)
from drills.scenarios.random_drills import random_drill_named
from shared.errors import SettingsError

_ALL = (
    writer_lost.PRIMARY_CRASH,
    writer_lost.PRIMARY_FROZEN,
    writer_lost.SILENT_HOST,
    writer_lost.REGION_DARK,
    false_alarms.LINK_CUT,
    false_alarms.SITES_APART,
    false_alarms.PROBE_BROKEN,
    half_broken.DOOR_BLOCKED,
    half_broken.DOOR_BLOCKED_IDLE,
    half_broken.WRITER_HUNG,
    half_broken.DISK_FULL,
    half_broken.STANDBY_BUSY,
    half_broken.CRASH_IN_BACKUP,
    half_broken.UNPREPARED_DATABASE,
    maintenance_reboot.SCENARIO,
    flapping.SCENARIO,
    lag_too_high.SCENARIO,
    last_look.SHORT_BLACKOUT,
    last_look.ABORTED,
    controller_killed.SCENARIO,
    old_writer_returns.SCENARIO,
    disturbed.RECORD_LOST,
    disturbed.SLOW_REBOOT,
    disturbed.PLANNED_REFUSED,
    disturbed.PROMOTION_DROPPED,
    writer_lost.LOST_TRIGGER,
    latch_holds.SCENARIO,
    restored.BAD_DELETE,
    restored.RESTORE_FROM_SNAPSHOT,
)

SCENARIOS: Mapping[str, Scenario] = MappingProxyType({scenario.name: scenario for scenario in _ALL})
"""Every scenario by its name, in the order in which ``--all`` runs them."""

DEFAULT_SCENARIO = writer_lost.PRIMARY_CRASH.name


def scenario_named(name: str) -> Scenario:
    """The scenario of that name: one of the list, or a random one by the name in its report.

    Raises:
        SettingsError: there is none.
    """
    scenario = SCENARIOS.get(name) or random_drill_named(name)
    if scenario is None:
        known = ", ".join(sorted(SCENARIOS))
        raise SettingsError(
            "scenario", name, f"give a story's name, or one of: {known}; or random-7-1 for a random one"
        )
    return scenario
