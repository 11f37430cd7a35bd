"""The periods that follow from the operator's bounds, on AWS and where all is read by the second."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from aws_in_memory.drawn import READ_POLICY as BY_THE_SECOND
from failover.policy import Policy

ON_AWS = replace(
    BY_THE_SECOND, outage_seconds=120, metric_period_seconds=60, lag_period_seconds=60, max_data_loss_seconds=60
)


def periods(policy: Policy) -> dict[str, float]:
    """In seconds."""
    return {
        "fine": policy.fine_period_seconds,
        "silence": policy.silence.total_seconds(),
        "darkness": policy.darkness.total_seconds(),
        "staleness": policy.lag_staleness.total_seconds(),
        "drain": policy.drain_seconds,
        "maintenance": policy.maintenance_patience.total_seconds(),
        "readiness": policy.readiness_patience.total_seconds(),
        "lookback": policy.lookback.total_seconds(),
    }


def test_the_periods_on_aws_and_by_the_second() -> None:
    assert periods(ON_AWS) == {
        "fine": 10,
        "silence": 180,
        "darkness": 60,
        "staleness": 180,
        "drain": 360,
        "maintenance": 600,
        "readiness": 210,
        "lookback": 900,
    }
    assert periods(BY_THE_SECOND) == {
        "fine": 1,
        "silence": 3,
        "darkness": 1.5,
        "staleness": 10,
        "drain": 30,
        "maintenance": 15,
        "readiness": 5.25,
        "lookback": 300,
    }


@pytest.mark.parametrize(
    ("changed", "period", "seconds"),
    [
        ({"outage_seconds": 200}, "silence", 200),
        ({"outage_seconds": 200}, "staleness", 200),
        ({"max_data_loss_seconds": 200}, "staleness", 200),
        ({"outage_seconds": 200}, "lookback", 1000),
        ({"outage_seconds": 100}, "lookback", 900),
    ],
)
def test_a_longer_bound_makes_them_longer(changed: dict[str, Any], period: str, seconds: float) -> None:
    assert periods(replace(ON_AWS, **changed))[period] == seconds
