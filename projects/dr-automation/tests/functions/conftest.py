"""Whatever a controller reads in these tests is checked to be something that AWS can give."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest

from aws_in_memory.consistency import checked
from failover import look
from failover.observe import observe
from failover.readings import Readings
from failover.settings import Settings


@pytest.fixture(autouse=True, scope="session")
def consistent_readings() -> Iterator[None]:
    def observe_and_check(clients: Any, settings: Settings, *asked: Any, **options: Any) -> Readings:
        readings = observe(clients, settings, *asked, **options)
        # A report is asked for at the writer's own site, too: it decides nothing there.
        return readings if readings.active is readings.here else checked(readings, settings.policy)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(look, "observe", observe_and_check)
        yield


@pytest.fixture
def silent_logs() -> Iterator[None]:
    """Thousands of runs: their log lines would take longer than they do."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)
