"""When a lease lasts, and when whoever has it renews it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from aws_in_memory.clock import START as NOW
from function_runtime import lease

SECONDS = 40.0


@pytest.mark.parametrize(
    ("left_seconds", "is_in_force"),
    [(-1, False), (0, False), (0.001, True), (SECONDS, True), (SECONDS + 0.001, False)],
)
def test_a_lease_lasts_until_its_end_and_none_longer_than_leases_are(left_seconds: float, is_in_force: bool) -> None:
    assert lease.lasts(NOW + timedelta(seconds=left_seconds), NOW, SECONDS) is is_in_force


@pytest.mark.parametrize(("left_seconds", "is_due"), [(SECONDS, False), (30, False), (29.999, True), (-1, True)])
def test_a_lease_is_renewed_when_a_quarter_of_it_is_over(left_seconds: float, is_due: bool) -> None:
    assert lease.is_to_be_renewed(NOW + timedelta(seconds=left_seconds), NOW, SECONDS) is is_due
