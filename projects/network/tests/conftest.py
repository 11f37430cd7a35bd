"""The layer's real program, without AWS."""

from __future__ import annotations

import pytest

from lab.engine.recording import RecordedProgram, run_recorded


@pytest.fixture(scope="session")
def network() -> RecordedProgram:
    return run_recorded("network", {"clientCidrs": ["10.0.0.0/24", "172.16.5.0/24"]})
