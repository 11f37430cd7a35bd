"""The witness's entry: one run looks at both sites from a third region and prints what it can say as a metric."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricResolution, MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from failover.clients import AwsClients
from function_runtime.sites import Site
from witness.look import look
from witness.settings import WitnessSettings
from witness.verdict import verdict

SEES_METRIC = "WitnessSeesDatabase"

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
            emit(site, answer.lives, settings)
        said[site.value] = {"lives": answer.lives, "why": answer.why}
    log = logger.info if all(each["lives"] for each in said.values()) else logger.warning
    log("Looked at both sites", extra={"sites": said})
    return said


def emit(site: Site, lives: bool, settings: WitnessSettings) -> None:  # noqa: FBT001 - it is the metric's value
    """Print it in the embedded metric format."""
    # Without a service name, or Powertools adds it as a second dimension and nobody finds the metric.
    metrics = EphemeralMetrics(namespace=settings.metric_namespace, service="")
    metrics.add_dimension("Database", site)
    resolution = MetricResolution.High if settings.high_resolution else MetricResolution.Standard
    metrics.add_metric(SEES_METRIC, MetricUnit.Count, int(lives), resolution)
    metrics.flush_metrics()
