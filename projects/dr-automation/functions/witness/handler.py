"""The witness's entry: one run looks at both sites from a third region and prints what it can say as a metric."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from function_runtime.clients import AwsClients
from function_runtime.embedded_metrics import emit
from function_runtime.metric_names import WITNESS_SEES
from function_runtime.sites import Site
from witness.look import look
from witness.settings import WitnessSettings
from witness.verdict import verdict

logger = Logger()


@cache
def _clients(home: str) -> AwsClients:
    return AwsClients(home)


def handle(event: Mapping[str, Any], context: LambdaContext) -> dict[str, dict[str, Any]]:
    """Look at both sites once.

    Args:
        event: the schedule's event; what it says does not matter.
        context: the run's context.

    Returns:
        For each site whether its database lives (None: cannot tell), and why.

    Raises:
        SettingError: the function's environment is wrong. A dead region raises nothing.
    """
    settings = WitnessSettings.from_environment(os.environ)
    seen = look(_clients(settings.region), settings, datetime.now(UTC))
    said = {}
    for site in Site:
        answer = verdict(site, seen, settings)
        if answer.lives is not None:
            seen_alive = {WITNESS_SEES: int(answer.lives)}
            emit(settings.metric_namespace, {"Database": site}, seen_alive, settings.metric_period_seconds)
        said[site.value] = {"lives": answer.lives, "why": answer.why}
    log = logger.info if all(each["lives"] for each in said.values()) else logger.warning
    log("Looked at both sites", extra={"sites": said})
    return said
