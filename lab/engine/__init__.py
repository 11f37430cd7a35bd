"""Runs the four programs in this process, against the lab's AWS or only recording what they declare.

The rest of the lab, and who measures and tests the programs, uses what is named here.
"""

from lab.engine.deletion import DestroyError
from lab.engine.lab_engine import LabEngine, Watcher
from lab.engine.program import configured, run_program
from lab.engine.recording import RecordedProgram, RecordedResource, run_recorded
from lab.engine.registration import EngineError, Registration
from lab.engine.stack_outputs import Outputs
from lab.engine.state import Counts, LayerState
from lab.engine.steps import Done

__all__ = [
    "Counts",
    "DestroyError",
    "Done",
    "EngineError",
    "LabEngine",
    "LayerState",
    "Outputs",
    "RecordedProgram",
    "RecordedResource",
    "Registration",
    "Watcher",
    "configured",
    "run_program",
    "run_recorded",
]
