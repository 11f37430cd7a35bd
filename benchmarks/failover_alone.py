"""The failover function in a fresh process, with an AWS that takes no time: ``python -m benchmarks.failover_alone``.

Reads JSON from standard input: the function's environment, and how often to repeat. Writes JSON: the times, and the
calls. Nothing of the function, and nothing it needs, is imported before the clock runs.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from benchmarks.answered_aws import AnsweredAws
    from failover.settings import Settings
    from function_runtime.clients import AwsClients

# More would mean that it never ends.
MOST_RUNS = 20


class StandingClock:
    """Time that only waiting moves."""

    def __init__(self, aws: AnsweredAws) -> None:
        self._aws = aws

    def now(self) -> datetime:
        """Now, in the simulated time."""
        return self._aws.now

    def sleep(self, seconds: float) -> None:
        """Let the simulated time pass."""
        self._aws.sleep(seconds)


def carry_out(clients: AwsClients, settings: Settings, aws: AnsweredAws) -> int:
    """A whole failover, run by run as the schedule wakes them, or one run where nothing is to be done.

    Returns:
        How many runs it took.

    Raises:
        RuntimeError: it does not come to its end.
    """
    from failover.run import Run

    for number in range(1, MOST_RUNS + 1):
        done = Run(clients, settings, StandingClock(aws), f"run-{number}").once()
        if done["code"] in ("closed", "healthy"):
            return number
        aws.next_minute()
    raise RuntimeError(f"not closed after {MOST_RUNS} runs: {done}")


def timed(clients: AwsClients, variables: Mapping[str, str], aws: AnsweredAws) -> dict[str, Any]:
    """A whole failover's own times, in seconds, and its calls."""
    from failover.settings import Settings

    cpu_started, started = time.process_time(), time.perf_counter()
    runs = carry_out(clients, Settings.from_environment(variables), aws)
    return {
        "runs": runs,
        "whole_seconds": time.perf_counter() - started,
        "to_latch_seconds": None if aws.switched_at is None else aws.switched_at - started,
        "cpu_seconds": time.process_time() - cpu_started,
        "calls": dict(aws.count()),
    }


def main() -> None:
    """Once cold, and then warm."""
    question = json.load(sys.stdin)
    variables = question["variables"]
    os.environ.update(variables)
    cpu_started, started = time.process_time(), time.perf_counter()
    importlib.import_module("failover.handler")

    imported = {"seconds": time.perf_counter() - started, "cpu_seconds": time.process_time() - cpu_started}
    # What answers is not ours, nor is its import.
    import boto3

    from benchmarks.answered_aws import AnsweredAws
    from function_runtime.clients import AwsClients

    current: list[AnsweredAws] = []
    boto3.setup_default_session()
    session: Any = boto3.DEFAULT_SESSION
    session.events.register("before-send", lambda request, **_: current[-1].answer(request))
    clients = AwsClients(variables["RECOVERY_REGION"])
    times = []
    for _ in range(question["times"]):
        if question["primary_dies"] or not current:
            current.append(AnsweredAws(variables, question["promotion_seconds"], primary_dies=question["primary_dies"]))
        else:
            current[-1].next_minute()
            current[-1].sent.clear()
        times.append(timed(clients, variables, current[-1]))
    sys.stdout.write(f"\n{json.dumps({'imported': imported, 'times': times})}\n")


if __name__ == "__main__":
    main()
