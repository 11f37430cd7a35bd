"""Run the benchmarks and print what they found: ``python -m benchmarks [PART ...] [--runs N]``."""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from benchmarks import (
    api_calls,
    artifact_size,
    cold_start,
    first_run,
    ground,
    many_clients,
    own_time,
    simulation,
    snapshot_planning,
)
from benchmarks.measurement import Measurement, table, write_json
from drills.runner import run_scenario
from drills.scenarios.writer_lost import PRIMARY_CRASH
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
        report = run_scenario(lab, PRIMARY_CRASH, reports, _say)
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


PARTS: Mapping[str, Callable[[int], list[Measurement]]] = MappingProxyType(
    {
        "lab": lambda _: lab_and_drill(REPORTS),
        "ground": lambda _: [ground.measure()],
        "clients": lambda _: many_clients.measure(_say),
        "tests": lambda _: [fast_tests()],
        "own-time": lambda _: own_time.measure(),
        "api-calls": lambda _: api_calls.measure(),
        "snapshot-planning": lambda _: snapshot_planning.measure(),
        "cold-start": lambda _: cold_start.measure(),
        "artifact": lambda _: artifact_size.measure(),
        "simulation": lambda runs: simulation.measure(_say, runs),
        "first-run": lambda _: [first_run.measure()],
    }
)
"""What can be measured, in order; each is given how many runs of each class the simulation is to play."""


def chosen(arguments: list[str]) -> tuple[list[str], int]:
    """Which parts the command line names, all without one, and how many runs. A wrong word ends with code 2."""
    parser = argparse.ArgumentParser(prog="nox -s bench --", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"any of {', '.join(PARTS)}; all without one")
    parser.add_argument(
        "--runs", type=int, default=simulation.RUNS, help="of each class of the simulation (%(default)s)"
    )
    parser.add_argument("--without-first-run", action="store_true", help="skip the fresh clone with empty caches")
    given = parser.parse_args(arguments)
    unknown = [part for part in given.parts if part not in PARTS]
    if unknown:
        parser.error(f"PART = {', '.join(unknown)}: give any of {', '.join(PARTS)}")
    if given.runs < 1:
        parser.error(f"--runs = {given.runs}: give 1 or more")
    parts = [part for part in PARTS if part in given.parts or not given.parts]
    return [part for part in parts if not (part == "first-run" and given.without_first_run)], given.runs


def main() -> None:
    """Measure; the exit code says whether it could be measured, never whether it was fast."""
    parts, runs = chosen(sys.argv[1:])
    measurements = [found for part in parts for found in PARTS[part](runs)]
    _say(table(measurements))
    write_json(measurements, REPORTS / "bench.json")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
