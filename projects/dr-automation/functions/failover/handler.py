"""The failover's entry: one run, woken by the alarm or by the clock. What woke it does not matter: it looks itself."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from failover.clients import AwsClients
from failover.run import Run
from failover.settings import Settings

logger = Logger()


class SystemClock:
    """The machine's time."""

    def now(self) -> datetime:
        """Now, in UTC."""
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


@cache
def _clients() -> AwsClients:
    return AwsClients()


def handle(event: Mapping[str, Any], context: LambdaContext) -> dict[str, str]:
    """One run of the failover.

    Args:
        event: what woke it.
        context: the run's context; its request id names the run.

    Returns:
        What was done: action, code and reason.

    Raises:
        SettingError: the function's environment is wrong.
        Exception: whatever a needed service refuses. Lambda counts it as an error, and the next run tries again.
    """
    settings = Settings.from_environment(os.environ)
    logger.append_keys(run_id=context.aws_request_id)
    return Run(_clients(), settings, SystemClock(), context.aws_request_id).once()
