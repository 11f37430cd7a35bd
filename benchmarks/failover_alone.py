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
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aws_in_memory.aws import Aws, Call
    from failover.settings import Settings
    from function_runtime.clients import AwsClients

# More would mean that it never ends.
MOST_RUNS = 20


def carry_out(clients: AwsClients, settings: Settings, aws: Aws) -> int:
    """A whole failover, run by run as the schedule wakes them, or one run where nothing is to be done.

    Returns:
        How many runs it took.

    Raises:
        RuntimeError: it does not come to its end.
    """
    from aws_in_memory.clock import Clock
    from failover.run import Run

    for number in range(1, MOST_RUNS + 1):
        done = Run(clients, settings, Clock(aws), f"run-{number}").once()
        if done["code"] in ("closed", "healthy"):
            return number
        to_next_minute(aws)
    raise RuntimeError(f"not closed after {MOST_RUNS} runs: {done}")


def to_next_minute(aws: Aws) -> None:
    """Let time pass to the schedule's next tick."""
    aws.sleep(60 - aws.now.second)


def timed(clients: AwsClients, variables: Mapping[str, str], aws: Aws) -> dict[str, Any]:
    """A whole failover's own times, in seconds, and its calls."""
    from aws_in_memory.faults import after
    from failover.settings import Settings

    switched_at: list[float] = []

    def note_the_switch(_: Call) -> None:
        if not switched_at and 2.0 in aws.latch[-1:]:
            switched_at.append(time.perf_counter())

    aws.fault = after(note_the_switch)
    cpu_started, started = time.process_time(), time.perf_counter()
    runs = carry_out(clients, Settings.from_environment(variables), aws)
    return {
        "runs": runs,
        "whole_seconds": time.perf_counter() - started,
        "to_latch_seconds": switched_at[0] - started if switched_at else None,
        "cpu_seconds": time.process_time() - cpu_started,
        "calls": dict(Counter(aws.called)),
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

    from benchmarks.answered_aws import answer_all, deployed
    from function_runtime.clients import AwsClients

    current: list[Aws] = []
    boto3.setup_default_session()
    answer_all(boto3.DEFAULT_SESSION, lambda: current[-1])
    clients = AwsClients(variables["RECOVERY_REGION"])
    times = []
    for _ in range(question["times"]):
        if question["primary_dies"] or not current:
            dies = question["primary_dies"]
            current.append(deployed(variables, question["promotion_seconds"], primary_dies=dies))
        else:
            to_next_minute(current[-1])
            current[-1].called.clear()
        times.append(timed(clients, variables, current[-1]))
    sys.stdout.write(f"\n{json.dumps({'imported': imported, 'times': times})}\n")


if __name__ == "__main__":
    main()
