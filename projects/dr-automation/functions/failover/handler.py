"""The failover's entry: one run, woken by the alarm or by the clock. What woke it does not matter: it looks itself."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from failover.report import report
from failover.run import Run
from failover.settings import Settings
from function_runtime.clients import AwsClients
from function_runtime.clock import SystemClock

logger = Logger()

# What is left of Lambda's time for the last call and the last write.
SAVING_SECONDS = 10.0


@cache
def _clients(home: str) -> AwsClients:
    return AwsClients(home)


def handle(event: object, context: LambdaContext) -> dict[str, Any]:
    """One run of the failover, or the answer to a person's question.

    Args:
        event: what woke it, or ``{"report": ...}``: then nothing is done (`failover.report`).
        context: the run's context; its request id names the run.

    Returns:
        What was done: action, code and reason. Or the report.

    Raises:
        SettingError: the function's environment is wrong.
        Exception: whatever a needed service refuses. Lambda counts it as an error, and the next run tries again.
    """
    settings = Settings.from_environment(os.environ)
    logger.append_keys(run_id=context.aws_request_id)
    clients = _clients(settings.region)
    if isinstance(event, Mapping) and "report" in event:
        return report(clients, settings, SystemClock(), event["report"])
    seconds_left = context.get_remaining_time_in_millis() / 1000 - SAVING_SECONDS
    return Run(clients, settings, SystemClock(), context.aws_request_id, seconds_left).once()
