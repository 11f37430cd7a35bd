"""The layer's settings and its real program, without AWS."""

from __future__ import annotations

import contextvars
from collections.abc import Callable

import pytest
from pulumi.runtime import set_all_config
from pulumi.runtime.settings import Settings, configure

from lab.engine.recording import RecordedProgram, run_recorded
from lab.engine.stack_files import load_configuration
from network_layer.settings import NetworkSettings
from shared.layers import layer

Load = Callable[..., NetworkSettings]


@pytest.fixture
def load() -> Load:
    """Settings of the lab stack, with some values changed: ``load(databasePort=1)``."""

    def loaded(**overrides: object) -> NetworkSettings:
        configuration = load_configuration(layer("network").folder, "lab", overrides)

        def read() -> NetworkSettings:
            configure(Settings(project=configuration.project, stack="lab"))
            set_all_config(dict(configuration.values))
            return NetworkSettings.load()

        return contextvars.copy_context().run(read)

    return loaded


@pytest.fixture(scope="session")
def network() -> RecordedProgram:
    return run_recorded("network", {"clientCidrs": ["10.0.0.0/24", "172.16.5.0/24"]})
