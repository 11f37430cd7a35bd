"""What a failover spends in our own code: AWS answers at once and the deliberate waits take no time.

Counted from the beginning of the run that detects, its observing included, to the latch. Cold is the first failover of
a fresh process: importing the function and making the clients is our cost too.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

from benchmarks import production
from benchmarks.measurement import Measurement
from shared.layers import REPOSITORY_ROOT

TARGET_MS = 2000.0
PROCESSES = 5
WARM_ROUNDS = 8
# "At 1,769 MB, a function has the equivalent of one vCPU": below, its share.
# https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
MEMORY_OF_A_CPU_MB = 1769
# The longest promotion that the recovery objective keeps room for: the most polls, in the most runs.
PROMOTION_SECONDS = 600.0


@dataclass(frozen=True)
class Alone:
    """What one process of `failover_alone` found.

    Attributes:
        imported: wall and CPU seconds of importing the function.
        cold: the first failover of the process.
        warm: the others.
    """

    imported: dict[str, float]
    cold: dict[str, Any]
    warm: list[dict[str, Any]]


def run_alone(*, times: int, promotion_seconds: float, primary_dies: bool = True) -> Alone:
    """Whole failovers of one fresh process, or idle runs.

    Args:
        times: how many, at least one.
        promotion_seconds: how long RDS takes to promote, in simulated time.
        primary_dies: False for idle runs, each with the one before it on record.

    Raises:
        subprocess.CalledProcessError: one did not come to its end.
    """
    question = {
        # Only the function's own settings, and credentials that no AWS knows.
        "variables": {
            **production.function("failover").variables,
            "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "not-a-secret",
        },
        "times": times,
        "promotion_seconds": promotion_seconds,
        "primary_dies": primary_dies,
    }
    # A profile or endpoint of this machine must not find its way into the clients.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    with production.unpacked(production.function("failover")) as folder:
        # As on Lambda: no bytecode comes with the archive, and none may be written.
        environment |= {"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
        finished = subprocess.run(
            [sys.executable, "-m", "benchmarks.failover_alone"],
            cwd=REPOSITORY_ROOT,
            env=environment,
            input=json.dumps(question),
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )
    found = json.loads(finished.stdout.splitlines()[-1])
    return Alone(found["imported"], found["times"][0], found["times"][1:])


def measure() -> list[Measurement]:
    """Cold and warm, to the latch.

    Raises:
        subprocess.CalledProcessError: a failover did not come to its end.
    """
    found = [run_alone(times=1 + WARM_ROUNDS, promotion_seconds=PROMOTION_SECONDS) for _ in range(PROCESSES)]
    cold = sorted(each.imported["seconds"] + each.cold["to_latch_seconds"] for each in found)
    cold_cpu = statistics.median(each.imported["cpu_seconds"] + each.cold["cpu_seconds"] for each in found)
    imported = statistics.median(each.imported["seconds"] for each in found)
    warm = sorted(one["to_latch_seconds"] for each in found for one in each.warm)
    warm_cpu = statistics.median(one["cpu_seconds"] for each in found for one in each.warm)
    one = found[0].cold
    shape = f"{one['runs']} runs, {sum(one['calls'].values())} calls, {PROMOTION_SECONDS:g} s of promotion"
    memory_mb = production.function("failover").memory_mb
    share = min(1.0, memory_mb / MEMORY_OF_A_CPU_MB)
    return [
        Measurement(
            "own time to the latch, cold",
            statistics.median(cold) * 1000,
            "ms",
            TARGET_MS,
            f"median of {len(cold)} (best {cold[0] * 1000:.0f}); import {imported * 1000:.0f}, "
            f"CPU {cold_cpu * 1000:.0f} ms; {shape}",
        ),
        Measurement(
            "own time to the latch, warm",
            statistics.median(warm) * 1000,
            "ms",
            TARGET_MS,
            f"median of {len(warm)} (best {warm[0] * 1000:.0f}); CPU {warm_cpu * 1000:.0f} ms",
        ),
        Measurement(
            f"the same, cold, with the CPU of {memory_mb} MB",
            cold_cpu * 1000 / share,
            "ms",
            TARGET_MS,
            f"computed: Lambda gives {share:.0%} of a CPU like this one's; to the incident's end",
        ),
    ]
