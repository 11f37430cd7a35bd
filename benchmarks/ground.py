"""What applying the two lower layers costs in the lab, beside what it cost before they were made complete."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.measurement import Measurement
from shared.layers import REPOSITORY_ROOT

# The last commit with the network and data layers as the first drill needed them.
BASELINE = "43b138d8469c897a8baad912c6e8282f928bda0a"
LAYERS = ("network", "data")
TARGET_RATIO = 1.5
ROUNDS = 2

MEASURE = """
import json
from lab.lab import Lab
from lab.settings import LabSettings
with Lab(LabSettings.from_environment(port=0), lambda line: None) as lab:
    print(json.dumps(lab.layer_seconds))
"""


def measure() -> Measurement:
    """Apply the layers now and as of the baseline, turn by turn; the quickest of each counts.

    Raises:
        subprocess.CalledProcessError: a lab did not come up, or the baseline is not in this clone's history.
    """
    with tempfile.TemporaryDirectory(prefix="baseline-") as folder:
        before = Path(folder) / "clone"
        subprocess.run(["git", "clone", "--quiet", str(REPOSITORY_ROOT), str(before)], check=True)
        subprocess.run(["git", "checkout", "--quiet", BASELINE], cwd=before, check=True)
        rounds = [(_seconds(REPOSITORY_ROOT), _seconds(before)) for _ in range(ROUNDS)]
    now_seconds = min(now for now, _ in rounds)
    before_seconds = min(then for _, then in rounds)
    return Measurement(
        "network and data layers, against before",
        now_seconds / before_seconds,
        "times",
        TARGET_RATIO,
        f"{now_seconds:.1f} s now, {before_seconds:.1f} s at {BASELINE[:7]}, best of {ROUNDS}",
    )


def _seconds(checkout: Path) -> float:
    environment = {**os.environ, "PYTHONPATH": str(checkout)}
    finished = subprocess.run(
        [sys.executable, "-c", MEASURE], cwd=checkout, env=environment, check=True, capture_output=True, text=True
    )
    seconds: dict[str, float] = json.loads(finished.stdout.splitlines()[-1])
    return sum(seconds[name] for name in LAYERS)
