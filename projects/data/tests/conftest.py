"""The layer's settings and its real program, without AWS."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from data_layer.settings import DataSettings
from deployment.layer_settings import load_settings
from lab.engine.program import configured
from lab.engine.recording import RecordedProgram, run_recorded
from shared.layers import layer

PRODUCTION = {
    "environment": "production",
    "skipFinalSnapshot": False,
    "forceDestroyBuckets": False,
}


@pytest.fixture
def load() -> Callable[..., DataSettings]:
    """Settings of the lab stack, with some values changed: ``load(databaseName="x")``."""

    def loaded(**overrides: object) -> DataSettings:
        chosen = layer("data")
        settings = load_settings(chosen, *configured(chosen.folder, "lab", overrides))
        assert isinstance(settings, DataSettings)
        return settings

    return loaded


@pytest.fixture(scope="session")
def network() -> RecordedProgram:
    return run_recorded("network")


@pytest.fixture(scope="session")
def data(network: RecordedProgram) -> RecordedProgram:
    return run_recorded("data", below={"network": network.outputs})


@pytest.fixture(scope="session")
def production(network: RecordedProgram) -> RecordedProgram:
    return run_recorded("data", PRODUCTION, below={"network": network.outputs})
