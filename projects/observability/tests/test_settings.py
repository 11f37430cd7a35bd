"""The layer's settings: the schema and the code say the same, and what cannot be used is refused."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pulumi
import pytest
import yaml

from observability_layer.settings import ObservabilitySettings
from shared.errors import SettingsError
from shared.layers import layer
from shared.settings import SettingsReader

LAYER = layer("observability")
REQUIRED = {"accountId": "123456789012", "environment": "development", "owner": "team", "environmentSuffix": "dev"}
SCHEMA: Mapping[str, Any] = yaml.safe_load((LAYER.folder / "Pulumi.yaml").read_text())["config"]


@pytest.fixture(autouse=True)
def _no_configuration_is_left_behind() -> Iterator[None]:
    yield
    pulumi.runtime.set_all_config({})


def loaded(**values: object) -> ObservabilitySettings:
    pulumi.runtime.configure(pulumi.runtime.Settings(project=LAYER.project, stack="dev"))
    texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in values.items()}
    pulumi.runtime.set_all_config({f"{LAYER.project}:{key}": value for key, value in {**REQUIRED, **texts}.items()})
    return ObservabilitySettings.load(SettingsReader(pulumi.Config(LAYER.project)))


def test_the_schemas_defaults_are_the_codes() -> None:
    defaults = {key: declared["default"] for key, declared in SCHEMA.items() if "default" in declared}
    del defaults["environmentSuffix"]
    assert loaded(**defaults) == loaded()


def test_the_bound_on_lag_is_60_seconds_by_default() -> None:
    assert loaded().thresholds.lag_seconds == 60  # C2


@pytest.mark.parametrize("periods", [1, 5])
def test_a_lag_alarm_that_pages_for_idle_nights_is_refused(periods: int) -> None:
    with pytest.raises(SettingsError, match="idle primary") as caught:
        loaded(lagPeriods=periods)
    assert caught.value.key == "lagPeriods"


@pytest.mark.parametrize("region", ["ap-southeast-1", "Tokyo"])
def test_the_witnesss_region_is_a_third_one(region: str) -> None:
    with pytest.raises(SettingsError) as caught:
        loaded(witnessRegion=region)
    assert (caught.value.key, caught.value.value) == ("witnessRegion", region)


def test_a_bound_above_what_idleness_makes_needs_no_patience() -> None:
    assert loaded(lagThresholdSeconds=600, lagPeriods=2).lag_periods == 2


@pytest.mark.parametrize(("key", "value"), [("alarmPeriodSeconds", 45), ("cpuPercent", 101), ("connections", 0)])
def test_a_value_that_cannot_be_used_is_named_with_its_key(key: str, value: int) -> None:
    with pytest.raises(SettingsError) as caught:
        loaded(**{key: value})
    assert (caught.value.key, caught.value.value) == (key, value)
