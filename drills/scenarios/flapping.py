"""The writer goes away and comes back, again and again, each time for less than an outage."""

from __future__ import annotations

from drills.faults import (
    FLAP_ANSWERS_SECONDS,
    FLAP_FROZEN_SECONDS,
    FLAPS,
    PROBES_WHILE_FLAPPING,
    freeze,
    thaw,
)
from drills.scenario import DrillOutcome, Scenario
from drills.stage import Stage


def run(stage: Stage) -> None:
    """Freeze and thaw the writer several times; people must be told that it flaps."""
    for _ in range(FLAPS):
        stage.break_it(*freeze(stage))
        stage.keep_writing(FLAP_FROZEN_SECONDS)
        stage.do(*thaw(stage))
        stage.keep_writing(FLAP_ANSWERS_SECONDS)
    stage.wait_for_decision(action="alert", codes=["flapping"])
    stage.wait_for_writes()


SCENARIO = Scenario(
    name="flapping",
    summary="The writer goes away and comes back again and again, each time for less than an outage.",
    expected=DrillOutcome.ALERTED,
    run=run,
    configuration=PROBES_WHILE_FLAPPING,
)
