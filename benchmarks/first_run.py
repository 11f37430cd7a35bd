"""A fresh clone on a machine with an empty environment: how long until the first drill is done."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from pathlib import Path

from benchmarks.measurement import Measurement
from shared.layers import REPOSITORY_ROOT

TARGET_SECONDS = 360.0


def measure() -> Measurement:
    """Clone the last commit, install into empty caches, run the drill.

    Raises:
        subprocess.CalledProcessError: the drill did not pass.
    """
    with tempfile.TemporaryDirectory(prefix="first-run-") as folder:
        clone = Path(folder) / "clone"
        subprocess.run(["git", "clone", "--quiet", str(REPOSITORY_ROOT), str(clone)], check=True)
        # The settings of package indexes stay: without them some machines reach no registry at all.
        kept = {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "UV_"))}
        environment = {**kept, "PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": folder, "LAB_PORT": "0"}
        started = time.monotonic()
        subprocess.run(["./dr", "drill"], cwd=clone, env=environment, check=True)
        return Measurement(
            "first run on a fresh clone",
            time.monotonic() - started,
            "s",
            TARGET_SECONDS,
            "empty caches, installation included",
        )
