"""The layer's real program, without AWS."""

from __future__ import annotations

import pytest

from lab.engine.recording import RecordedProgram, run_recorded
from tests.contracts.settings_of import PRODUCTION


@pytest.fixture(scope="session")
def network() -> RecordedProgram:
    return run_recorded("network")


@pytest.fixture(scope="session")
def data(network: RecordedProgram) -> RecordedProgram:
    return run_recorded("data", below={"network": network.outputs})


@pytest.fixture(scope="session")
def production(network: RecordedProgram) -> RecordedProgram:
    return run_recorded("data", PRODUCTION, below={"network": network.outputs})
