"""Which rows count as lost, and which as accepted by the old writer after the switch."""

from __future__ import annotations

import pytest

from drills.clients.history import Attempt, Outcome
from drills.clients.writes_table import StoredRow
from drills.evidence import ReportedLoss, Switch
from drills.judge.lost_rows import judge
from tests.drills.stories import FAULT_WALL, NEW, OLD, acknowledged, moment

NOTHING_REPORTED = ReportedLoss(rpo_seconds=None, trouble_since=None)


def reported(rpo_seconds: float, trouble_since: float = FAULT_WALL) -> ReportedLoss:
    return ReportedLoss(rpo_seconds=rpo_seconds, trouble_since=trouble_since)


def test_an_acknowledged_row_that_is_there_is_not_lost() -> None:
    judgement = judge([acknowledged(1, -1.0)], [1], fault_at=FAULT_WALL, reported=NOTHING_REPORTED)
    assert judgement.lost == ()
    assert judgement.measured_loss_seconds == 0.0


def test_a_loss_within_the_reported_one_is_lost_but_not_beyond_it() -> None:
    judgement = judge([acknowledged(1, -3.0), acknowledged(2, -0.5)], [1], fault_at=FAULT_WALL, reported=reported(1.0))
    assert judgement.lost == (2,)
    assert judgement.lost_beyond_reported_rpo == ()
    assert judgement.measured_loss_seconds == pytest.approx(0.5)


def test_a_row_acknowledged_before_the_reported_loss_began_is_beyond_it() -> None:
    judgement = judge([acknowledged(1, -3.0), acknowledged(2, -0.5)], [], fault_at=FAULT_WALL, reported=reported(1.0))
    assert judgement.lost_beyond_reported_rpo == (1,)


def test_where_no_loss_is_reported_every_lost_row_is_beyond_it() -> None:
    judgement = judge([acknowledged(1, -0.1)], [], fault_at=FAULT_WALL, reported=NOTHING_REPORTED)
    assert judgement.lost_beyond_reported_rpo == (1,)


def test_a_loss_without_a_bound_that_was_accepted_covers_every_row_and_one_that_was_not_covers_none() -> None:
    accepted = ReportedLoss(rpo_seconds=None, trouble_since=None, any_loss_accepted=True)
    history = [acknowledged(1, -3_000.0)]
    assert judge(history, [], fault_at=FAULT_WALL, reported=accepted).lost_beyond_reported_rpo == ()
    assert judge(history, [], fault_at=FAULT_WALL, reported=NOTHING_REPORTED).lost_beyond_reported_rpo == (1,)


def test_an_acceptance_does_not_widen_a_bound_that_is_reported() -> None:
    bounded = ReportedLoss(rpo_seconds=1.0, trouble_since=None, any_loss_accepted=True)
    judgement = judge([acknowledged(1, -3.0)], [], fault_at=FAULT_WALL, reported=bounded)
    assert judgement.lost_beyond_reported_rpo == (1,)


def test_a_trouble_dated_before_the_fault_does_not_stretch_the_reported_loss() -> None:
    judgement = judge([acknowledged(1, -2.0)], [], fault_at=FAULT_WALL, reported=reported(1.0, FAULT_WALL - 5.0))
    assert judgement.lost_beyond_reported_rpo == (1,)


@pytest.mark.parametrize("found", [True, False])
def test_an_indeterminate_row_is_never_lost_nor_unexpected(found: bool) -> None:
    broken = Attempt(7, moment(-0.1), moment(0.1), Outcome.INDETERMINATE, OLD)
    judgement = judge([broken], [7] if found else [], fault_at=FAULT_WALL, reported=NOTHING_REPORTED)
    assert (judgement.lost, judgement.unexpected) == ((), ())
    assert judgement.indeterminate_found == ((7,) if found else ())


def test_rows_never_attempted_or_twice_or_known_to_have_failed_are_named() -> None:
    failed = Attempt(3, moment(1.0), moment(1.1), Outcome.FAILED, OLD)
    judgement = judge([acknowledged(1, -1.0), failed], [1, 1, 3, 9], fault_at=FAULT_WALL, reported=NOTHING_REPORTED)
    assert (judgement.duplicates, judgement.failed_but_found, judgement.unexpected) == ((1,), (3,), (9,))


def test_an_acknowledgement_of_the_old_writer_after_the_switch_is_caught() -> None:
    history = [acknowledged(1, 1.0), acknowledged(2, 6.0), acknowledged(3, 6.1, NEW)]
    switch = Switch(FAULT_WALL + 5.0, OLD)
    judgement = judge(history, [1, 3], fault_at=FAULT_WALL, reported=reported(9.0), switch=switch)
    assert judgement.accepted_by_old_writer_after_switch == (2,)


def test_a_row_that_only_the_old_writer_holds_from_after_the_switch_is_caught_though_nobody_was_told() -> None:
    unsure = Attempt(2, moment(5.5), moment(7.5), Outcome.INDETERMINATE, OLD)
    judgement = judge(
        [unsure],
        [],
        fault_at=FAULT_WALL,
        reported=NOTHING_REPORTED,
        switch=Switch(FAULT_WALL + 5.0, OLD),
        old_writer_rows=[StoredRow(2, FAULT_WALL + 5.6)],
    )
    assert judgement.accepted_by_old_writer_after_switch == (2,)


def test_a_history_that_used_a_number_twice_is_not_judged() -> None:
    with pytest.raises(ValueError, match="twice"):
        judge([acknowledged(1, -1.0), acknowledged(1, -0.5)], [1], fault_at=FAULT_WALL, reported=NOTHING_REPORTED)
