"""What a function's start costs: importing its handler from its built archive in a fresh interpreter.

As on Lambda, the archive brings no bytecode and none may be written beside it, so its modules are compiled at each
start; boto3 comes with the environment (on Lambda with the runtime).
"""

from __future__ import annotations

import os
import re
import statistics
import subprocess
import sys
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

from benchmarks import production
from benchmarks.measurement import Measurement

TARGET_MS = 400.0
ROUNDS = 9
LARGEST = 5
# `-X importtime` writes "import time: self [us] | cumulative | imported package", nesting as two spaces a level.
IMPORT_TIME = re.compile(r"import time:\s+(\d+) \|\s+\d+ \|\s+(\S+)")
# First the archive: the project's own folder is importable in this environment too.
IMPORT = """
import sys, time
sys.path.insert(0, sys.argv[1])
started = time.perf_counter()
module = __import__(sys.argv[2], fromlist=["handle"])
took = time.perf_counter() - started
if not module.__file__.startswith(sys.argv[1]):
    sys.exit(f"{module.__file__} is not in the archive")
print(took * 1000)
"""


def measure() -> list[Measurement]:
    """Each function's import, turn by turn; the median counts.

    Raises:
        subprocess.CalledProcessError: a handler cannot be imported from its archive.
    """
    with ExitStack() as stack:
        folders = {
            each.handler.rpartition(".")[0]: stack.enter_context(production.unpacked(each))
            for each in production.handlers()
        }
        rounds = [[_import_ms(*each) for each in folders.items()] for _ in range(ROUNDS)]
        return [
            Measurement(
                f"cold start, {module.partition('.')[0]}",
                statistics.median(times),
                "ms",
                TARGET_MS,
                f"import, median of {ROUNDS} (best {min(times):.0f}); most in {_dominating(module, folder)}",
            )
            for (module, folder), times in zip(folders.items(), zip(*rounds, strict=True), strict=True)
        ]


def _import_ms(module: str, folder: Path) -> float:
    return float(_run(module, folder).stdout)


def _dominating(module: str, folder: Path) -> str:
    """Who the time goes to: the modules' own times, summed by top-level package, as shares.

    The interpreter's profile makes every import slower, so its times say little and its shares much.
    """
    own: Counter[str] = Counter()
    for microseconds, name in IMPORT_TIME.findall(_run(module, folder, "-X", "importtime").stderr):
        own[name.partition(".")[0]] += int(microseconds)
    total = own.total()
    return ", ".join(f"{name} {spent / total:.0%}" for name, spent in own.most_common(LARGEST))


def _run(module: str, folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, *options, "-c", IMPORT, str(folder), module]
    return subprocess.run(command, env=environment, cwd=folder, check=True, capture_output=True, text=True)
