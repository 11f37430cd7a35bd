"""The layer's settings and its real program, without AWS."""

from __future__ import annotations

import contextvars
from collections.abc import Callable

import pytest
from pulumi.runtime import set_all_config
from pulumi.runtime.settings import Settings, configure

from data_layer.settings import DataSettings
from lab.engine.recording import RecordedProgram, run_recorded
from lab.engine.stack_files import load_configuration
from shared.layers import layer

PRODUCTION = {
    "environment": "production",
    "deletionProtection": True,
    "skipFinalSnapshot": False,
    "forceDestroyBuckets": False,
}


@pytest.fixture
def load() -> Callable[..., DataSettings]:
    """Settings of the lab stack, with some values changed: ``load(databaseName="x")``."""

    def loaded(**overrides: object) -> DataSettings:
        configuration = load_configuration(layer("data").folder, "lab", overrides)

        def read() -> DataSettings:
            configure(Settings(project=configuration.project, stack="lab"))
            set_all_config(dict(configuration.values))
            return DataSettings.load()

        return contextvars.copy_context().run(read)

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
