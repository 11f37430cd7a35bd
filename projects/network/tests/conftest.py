"""The layer's settings and its real program, without AWS."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from deployment.layer_settings import load_settings
from lab.engine.program import configured
from lab.engine.recording import RecordedProgram, run_recorded
from network_layer.settings import NetworkSettings
from shared.layers import layer

Load = Callable[..., NetworkSettings]


@pytest.fixture
def load() -> Load:
    """Settings of the lab stack, with some values changed: ``load(databasePort=1)``."""

    def loaded(**overrides: object) -> NetworkSettings:
        chosen = layer("network")
        settings = load_settings(chosen, *configured(chosen.folder, "lab", overrides))
        assert isinstance(settings, NetworkSettings)
        return settings

    return loaded


@pytest.fixture(scope="session")
def network() -> RecordedProgram:
    return run_recorded("network", {"clientCidrs": ["10.0.0.0/24", "172.16.5.0/24"]})
