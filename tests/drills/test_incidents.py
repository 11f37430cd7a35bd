"""What is read from the state table."""

from __future__ import annotations

from typing import cast

import pytest

from drills.approval import BY, Proposal, approve
from drills.incidents import OperatorOrder, operator_order
from drills.system import LabSystem
from tests.drills.recording_system import Clock, System


def a_system() -> LabSystem:
    return cast(LabSystem, System(Clock()))


def test_where_nobody_ordered_anything_there_is_no_order() -> None:
    assert operator_order(a_system()) is None


@pytest.mark.parametrize(("loss_bound_seconds", "accepts_unknown_loss"), [(None, True), (8.0, False)])
def test_an_order_is_read_with_whose_it_is_what_it_is_for_and_whether_any_loss_is_accepted(
    loss_bound_seconds: float | None, accepts_unknown_loss: bool
) -> None:
    system = a_system()
    approve(system, Proposal("000001-x", 1, loss_bound_seconds))
    assert operator_order(system) == OperatorOrder(BY, "000001-x", accepts_unknown_loss)
