"""The layer's settings: the schema and the code say the same, and what cannot be used is refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import yaml

from deployment.layer_settings import load_settings
from observability_layer.settings import ObservabilitySettings
from shared import environment
from shared.errors import SettingsError
from shared.layers import layer
from shared.stack_files import StackConfiguration, as_text

LAYER = layer("observability")
SCHEMA: Mapping[str, Any] = yaml.safe_load((LAYER.folder / "Pulumi.yaml").read_text())["config"]


def loaded(**values: object) -> ObservabilitySettings:
    """Settings of stack dev, with nothing configured but these values."""
    texts = {f"{LAYER.project}:{key}": as_text(value) for key, value in values.items() if key not in environment.KEYS}
    common = {key: value for key, value in values.items() if key in environment.KEYS}
    settings = load_settings(LAYER, StackConfiguration(LAYER.project, "dev", texts, frozenset()), common)
    assert isinstance(settings, ObservabilitySettings)
    return settings


def test_the_schemas_defaults_are_the_codes() -> None:
    defaults = {key: declared["default"] for key, declared in SCHEMA.items() if "default" in declared}
    assert loaded(**defaults) == loaded()


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
