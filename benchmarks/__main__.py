"""Run the benchmarks and print what they found: ``python -m benchmarks [PART ...] [--without-first-run]``."""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from benchmarks import api_calls, artifact_size, cold_start, first_run, ground, own_time, simulation, snapshot_planning
from benchmarks.measurement import Measurement, table, write_json
from drills.runner import run_drill
from lab.lab import Lab
from lab.settings import LabSettings
from shared.layers import REPOSITORY_ROOT

REPORTS = REPOSITORY_ROOT / "reports"
FAST_TESTS = (
    *("-m", "pytest", "-q", "-m", "not exhaustive"),
    *("--ignore=tests/integration", "--ignore=tests/lab", "tests", "projects"),
)


def lab_and_drill(reports: Path) -> list[Measurement]:
    """Bring the lab up and run the default drill on it."""
    started = time.monotonic()
    with Lab(LabSettings.from_environment(port=0), progress=_say) as lab:
        up_seconds = time.monotonic() - started
        layers = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in lab.layer_seconds.items())
        report = run_drill(lab, "primary-crash", reports, _say)
    whole_seconds = time.monotonic() - started
    return [
        Measurement("lab up, four layers", up_seconds, "s", 45, layers),
        Measurement("whole drill, lab included", whole_seconds, "s", 120, f"passed: {report.passed}"),
        Measurement("outage (fault to first write)", report.rto_seconds or float("inf"), "s", 30),
    ]


def fast_tests() -> Measurement:
    """Run the unit and contract tests.

    Raises:
        subprocess.CalledProcessError: one failed.
    """
    started = time.monotonic()
    subprocess.run([sys.executable, *FAST_TESTS], cwd=REPOSITORY_ROOT, check=True, stdout=subprocess.DEVNULL)
    return Measurement("unit and contract tests", time.monotonic() - started, "s", 60)


PARTS: Mapping[str, Callable[[], list[Measurement]]] = MappingProxyType(
    {
        "lab": lambda: lab_and_drill(REPORTS),
        "ground": lambda: [ground.measure()],
        "tests": lambda: [fast_tests()],
        "own-time": own_time.measure,
        "api-calls": api_calls.measure,
        "snapshot-planning": snapshot_planning.measure,
        "cold-start": cold_start.measure,
        "artifact": artifact_size.measure,
        "simulation": lambda: simulation.measure(_say),
        "first-run": lambda: [first_run.measure()],
    }
)
"""What can be measured, in order."""


def parts_of(arguments: list[str]) -> list[str]:
    """Which parts the command line names; all without one. A wrong one ends the process with code 2 and the list."""
    parser = argparse.ArgumentParser(prog="nox -s bench --", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"any of {', '.join(PARTS)}; all without one")
    parser.add_argument("--without-first-run", action="store_true", help="skip the fresh clone with empty caches")
    given = parser.parse_args(arguments)
    unknown = [part for part in given.parts if part not in PARTS]
    if unknown:
        parser.error(f"PART = {', '.join(unknown)}: give any of {', '.join(PARTS)}")
    chosen = [part for part in PARTS if part in given.parts or not given.parts]
    return [part for part in chosen if not (part == "first-run" and given.without_first_run)]


def main() -> None:
    """Measure; the exit code says whether it could be measured, never whether it was fast."""
    measurements = [found for part in parts_of(sys.argv[1:]) for found in PARTS[part]()]
    _say(table(measurements))
    write_json(measurements, REPORTS / "bench.json")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
