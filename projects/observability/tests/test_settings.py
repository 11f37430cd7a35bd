"""The layer's settings: what follows from them, and values that are refused."""

from __future__ import annotations

from functools import partial

import pytest

from shared.errors import SettingsError
from tests.contracts.settings_of import settings_of

loaded = partial(settings_of, "observability")


def test_the_bound_on_lag_is_60_seconds_by_default() -> None:
    assert loaded().thresholds.lag_seconds == 60  # C2


@pytest.mark.parametrize("periods", [1, 5])
def test_a_lag_alarm_that_pages_for_idle_nights_is_refused(periods: int) -> None:
    with pytest.raises(SettingsError, match="idle primary") as caught:
        loaded(lagPeriods=periods)
    assert caught.value.key == "lagPeriods"


def test_a_bound_above_what_idleness_makes_needs_no_patience() -> None:
    assert loaded(lagThresholdSeconds=600, lagPeriods=2).lag_periods == 2


@pytest.mark.parametrize(("key", "value"), [("alarmPeriodSeconds", 45), ("cpuPercent", 101), ("connections", 0)])
def test_a_value_that_cannot_be_used_is_named_with_its_key(key: str, value: int) -> None:
    with pytest.raises(SettingsError) as caught:
        loaded(**{key: value})
    assert (caught.value.key, caught.value.value) == (key, value)
