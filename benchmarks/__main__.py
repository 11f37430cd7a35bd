"""Run the benchmarks and print what they found: ``python -m benchmarks [--without-first-run]``."""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path

from benchmarks import first_run, ground
from benchmarks.measurement import Measurement, table, write_json
from lab.drill.runner import run_drill
from lab.lab import Lab
from lab.settings import LabSettings
from shared.layers import REPOSITORY_ROOT

REPORTS = REPOSITORY_ROOT / "reports"
FAST_TESTS = ("-m", "pytest", "-q", "--ignore=tests/integration", "--ignore=tests/lab", "tests", "projects")


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


def main() -> None:
    """Measure everything; the exit code says whether it could be measured, never whether it was fast."""
    parser = argparse.ArgumentParser(prog="nox -s bench --", description=__doc__)
    parser.add_argument("--without-first-run", action="store_true", help="skip the fresh clone with empty caches")
    arguments = parser.parse_args()
    measurements = lab_and_drill(REPORTS)
    measurements.append(ground.measure())
    measurements.append(fast_tests())
    if not arguments.without_first_run:
        measurements.append(first_run.measure())
    _say(table(measurements))
    write_json(measurements, REPORTS / "bench.json")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
