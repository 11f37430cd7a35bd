"""Failovers that are decided and do not happen: the writer is back in time, or a person ends it in time."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from drills.faults import answer, freeze, refuse, slow, thaw
from drills.records.state_table import authority, controller_state, incidents_since
from drills.scenario import DrillOutcome, Scenario
from drills.scenarios.lag_too_high import OPERATOR
from drills.stage import DrillNotReadyError, Stage
from drills.system import LabSystem
from function_runtime.control import Instruction, InstructionKind
from function_runtime.incident import WITHDRAWN, Incident, Phase
from operations.control_item import ControlItem
from operations.orders import GOOD_FOR

# The probes' last words are held up for so long, less than the controller waits for them: the time in which it makes up
# its mind.
LOOK_TAKES_SECONDS = 6.0
DECISION_DEADLINE_SECONDS = 60.0
LOOKED_DEADLINE_SECONDS = 30.0
PROMOTING_DEADLINE_SECONDS = 60.0
CLOSED_DEADLINE_SECONDS = 40.0


def _short_blackout(stage: Stage) -> None:
    """Freeze the writer, and thaw it when the controller has decided and asks the probes for a last look."""
    regions = [stage.writer_database.region, stage.replica_database.region]
    for region in regions:
        stage.do(*slow(stage, region, "lambda", "Invoke", LOOK_TAKES_SECONDS))
    frozen_at = time.time()
    stage.break_it(*freeze(stage))
    stage.require(
        "the controller to ask the probes for a last look",
        lambda: any(stage.system.calls_met(region) for region in regions),
        DECISION_DEADLINE_SECONDS,
    )
    stage.do(*thaw(stage))
    stage.wait_for_writes()
    stage.require("the last look to be on record", lambda: _has_looked(stage, frozen_at), LOOKED_DEADLINE_SECONDS)
    for region in regions:
        stage.do(*answer(stage, region))
    stage.wait_for_writes()
    fenced = [step for each in _incidents(stage) if (step := each.step(Phase.FENCED)) and step.outcome != WITHDRAWN]
    if fenced:
        raise DrillNotReadyError(f"the writer was fenced although it was back: {fenced[0].outcome}")


def _has_looked(stage: Stage, since: float) -> bool:
    """Whether a last look has kept the failover from beginning, or has taken it back."""
    state = controller_state(stage.system)
    looked = None if state is None else state.last_look
    held = looked is not None and looked.at.timestamp() >= since
    return held or any(each.is_taken_back for each in _incidents(stage))


def _aborted(stage: Stage) -> None:
    """Freeze the writer, let RDS put the promotion off, and let a person abandon the incident."""
    region = stage.replica_database.region
    stage.do(*refuse(stage, region, "rds", "PromoteReadReplica", "Throttling"))
    stage.break_it(*freeze(stage))
    stage.require("the promotion to be asked for", lambda: _waiting(stage) is not None, PROMOTING_DEADLINE_SECONDS)
    incident = _waiting(stage)
    if incident is None:
        raise DrillNotReadyError("the incident went on although RDS takes no promotion")
    stage.do(
        f"an operator abandons incident {incident.incident_id}, as nox -s failover -- --abandon does",
        lambda: _abandon(stage.system, incident.incident_id),
    )
    stage.require("the incident to be closed", lambda: _is_abandoned(stage), CLOSED_DEADLINE_SECONDS)
    stage.do(*answer(stage, region))
    stage.wait_for_writes()


def _abandon(system: LabSystem, incident_id: str) -> None:
    site, now = authority(system), datetime.now(UTC)
    item = ControlItem(
        system.client("dynamodb", system.target.region(site)), system.target.automation[site].state_table_name
    )
    instruction = Instruction(InstructionKind.ABANDON, incident_id, OPERATOR, now, now + GOOD_FOR)
    item.write(item.read().with_instruction(instruction))


def _waiting(stage: Stage) -> Incident | None:
    return next((each for each in _incidents(stage) if each.step(Phase.PROMOTING) is not None), None)


def _is_abandoned(stage: Stage) -> bool:
    return any(each.is_abandoned and each.phase is Phase.CLOSED for each in _incidents(stage))


def _incidents(stage: Stage) -> tuple[Incident, ...]:
    return incidents_since(stage.system, stage.started_at)


SHORT_BLACKOUT = Scenario(
    name="short-blackout",
    summary="The writer freezes for an outage and is back while the controller decides: a last look sees it.",
    expected=DrillOutcome.HELD,
    run=_short_blackout,
    outcomes=frozenset({DrillOutcome.ALERTED}),
)

ABORTED = Scenario(
    name="aborted",
    summary="The writer freezes and is fenced; before RDS takes the promotion, a person abandons the incident.",
    expected=DrillOutcome.ALERTED,
    run=_aborted,
)
