"""The failover function is killed (SIGKILL) in the middle of its work, at phases of the incident it carries through."""

from __future__ import annotations

import time
from collections.abc import Sequence

from drills.incidents import incidents_since
from drills.stage import Stage

KILLABLE_PHASES = ("opened", "fenced", "promoting", "promoted", "verified", "switched")
"""The phases of an incident between which the function works, in their order."""
PHASES = (*KILLABLE_PHASES, "closed")
# Some phases last for one call only.
POLL_SECONDS = 0.01


def kill_at_each(stage: Stage, phases: Sequence[str], deadline_seconds: float) -> tuple[str, ...]:
    """Kill the function as soon as the incident shows each of these phases.

    Args:
        stage: something is broken, and an incident is to be expected.
        phases: in the order in which they come.
        deadline_seconds: how long all of it may take.

    Returns:
        The phases at which a run was killed. One that is over before a look at it can find it is told and left out.
    """
    ends_at = time.monotonic() + deadline_seconds
    return tuple(phase for phase in phases if _killed_at(stage, phase, ends_at))


def _killed_at(stage: Stage, phase: str, ends_at: float) -> bool:
    target = stage.system.target
    while time.monotonic() < ends_at:
        shown = _phase(stage)
        if shown is not None and PHASES.index(shown) > PHASES.index(phase):
            stage.say(f"the phase {phase} was over before a run could be killed in it")
            return False
        if shown == phase and stage.system.kill_function(target.recovery_region, target.failover_function_name):
            stage.do(f"SIGKILL to the failover function, the incident being {phase}", lambda: None)
            return True
        time.sleep(POLL_SECONDS)
    stage.say(f"the incident did not come to be {phase} in time")
    return False


def _phase(stage: Stage) -> str | None:
    """The phase of the drill's last incident, None before there is one."""
    incidents = incidents_since(stage.system, stage.started_at)
    return incidents[-1].phase if incidents else None
