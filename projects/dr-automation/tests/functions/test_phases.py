"""The table of phases in the documents says what a failover does, and every way on ends somewhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from decision_table.phases import PHASES, next_after, page
from function_runtime.incident import IN_AN_EMERGENCY, TAKEN_BACK, WHEN_PLANNED, Kind, Phase

PAGE = Path(__file__).resolve().parents[4] / "docs" / "phases.md"


def test_the_page_is_what_the_code_says() -> None:
    assert PAGE.read_text() == page(), "run `nox -s decisions` and look at what changed"


def test_every_phase_that_is_a_step_is_in_the_table() -> None:
    assert {*IN_AN_EMERGENCY, *WHEN_PLANNED, *TAKEN_BACK} - {Phase.OPENED} == PHASES.keys()


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("phase", list(PHASES))
def test_whatever_comes_out_of_a_phase_a_later_one_follows_or_the_end(kind: Kind, phase: Phase) -> None:
    order = [*WHEN_PLANNED[:-1], *TAKEN_BACK]
    for ending in PHASES[phase].endings:
        if ending.planned and kind is not Kind.PLANNED:
            continue
        after = next_after(kind, phase, ending.outcome)
        if phase is Phase.CLOSED:
            assert after is None
        else:
            assert after is not None
            assert order.index(after) > order.index(phase)
