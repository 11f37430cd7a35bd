"""A layer's settings are read outside of its program, and leave no trace in this process."""

from __future__ import annotations

import sys

import pulumi
import pytest

from data_layer import preflight as data_preflight
from data_layer.settings import DataSettings
from deployment.layer_settings import layer_module, load_settings, settings_class
from shared.errors import SettingsError
from shared.layers import LAYERS, Layer, layer
from shared.stack_files import load_configuration

each_layer = pytest.mark.parametrize("known", LAYERS, ids=lambda known: known.name)


@each_layer
@pytest.mark.parametrize("stack", ["dev", "lab"])
def test_the_settings_of_the_stacks_in_the_repository_load(known: Layer, stack: str) -> None:
    settings = load_settings(known, load_configuration(known.folder, stack))
    assert settings.__class__.load == settings_class(known).load  # type: ignore[attr-defined]


def test_settings_are_what_the_stacks_file_says() -> None:
    settings = load_settings(layer("data"), load_configuration(layer("data").folder, "lab"))
    assert isinstance(settings, DataSettings)
    assert (settings.secret_id, settings.environment.stack) == ("postgres-dr/lab/master", "lab")


def test_an_override_wins_over_the_environments_file_for_this_once() -> None:
    configuration = load_configuration(layer("data").folder, "dev")
    changed = load_settings(layer("data"), configuration, {"environmentSuffix": "other"})
    as_it_is = load_settings(layer("data"), configuration)
    assert isinstance(changed, DataSettings)
    assert isinstance(as_it_is, DataSettings)
    assert (changed.environment.suffix, as_it_is.environment.suffix) == ("other", "dev")


def test_a_value_the_program_would_refuse_is_refused_here() -> None:
    configuration = load_configuration(layer("data").folder, "dev", {"backupRetentionDays": 36})
    with pytest.raises(SettingsError, match="backupRetentionDays = 36: give a whole number from 1 to 35"):
        load_settings(layer("data"), configuration)


def test_loading_leaves_pulumis_own_settings_and_the_path_as_they_were() -> None:
    before = pulumi.get_stack(), pulumi.get_project(), list(sys.path)
    load_settings(layer("network"), load_configuration(layer("network").folder, "lab"))
    assert (pulumi.get_stack(), pulumi.get_project(), sys.path) == before
    assert pulumi.Config("postgres-dr-network").get("databasePort") is None


def test_only_a_layer_that_needs_something_has_a_module_that_looks_for_it() -> None:
    assert layer_module(layer("data"), "preflight") is data_preflight
    assert layer_module(layer("observability"), "preflight") is None
