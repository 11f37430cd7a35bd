"""Runs the four programs in this process, against the lab's AWS or only recording what they declare.

The rest of the lab, and who measures and tests the programs, uses what is named here.
"""

from lab.engine.lab_engine import DestroyError, LabEngine
from lab.engine.program import configured, run_program
from lab.engine.recording import RecordedProgram, RecordedResource, run_recorded
from lab.engine.registration import EngineError, Registration

__all__ = [
    "DestroyError",
    "EngineError",
    "LabEngine",
    "RecordedProgram",
    "RecordedResource",
    "Registration",
    "configured",
    "run_program",
    "run_recorded",
]
