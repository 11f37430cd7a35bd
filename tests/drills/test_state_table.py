"""What is read from the state table."""

from __future__ import annotations

from typing import cast

import pytest

from drills.records.state_table import Proposal, operator_order
from drills.scenarios.lag_too_high import OPERATOR, approve
from drills.system import LabSystem
from tests.drills.recording_system import Clock, System


@pytest.mark.parametrize(("loss_bound_seconds", "accepts_unknown_loss"), [(None, True), (8.0, False)])
def test_an_approval_says_who_gave_it_for_which_incident_and_whether_any_loss_is_accepted(
    loss_bound_seconds: float | None, accepts_unknown_loss: bool
) -> None:
    system = cast(LabSystem, System(Clock()))
    assert operator_order(system) is None
    approve(system, Proposal("000001-x", 1, loss_bound_seconds))
    order = operator_order(system)
    assert order is not None
    assert (order.by, order.incident_id, order.accepts_unknown_loss) == (OPERATOR, "000001-x", accepts_unknown_loss)
