"""The latch: the metric that tells Route 53, through its alarm, which site is the writer."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from failover.settings import Settings
from function_runtime.sites import Site

METRIC = "WriterSite"
VALUES = {Site.PRIMARY: 0.0, Site.RECOVERY: 1.0}
STANDARD_RESOLUTION_SECONDS = 60


def publish(cloudwatch: Any, settings: Settings, writer: Site, at: datetime) -> None:
    """Publish the writer.

    Args:
        cloudwatch: the client of this function's region.
        settings: namespace and resolution.
        writer: the recorded writer.
        at: now.
    """
    high = settings.policy.metric_period_seconds < STANDARD_RESOLUTION_SECONDS
    cloudwatch.put_metric_data(
        Namespace=settings.metric_namespace,
        MetricData=[
            {
                "MetricName": METRIC,
                "Dimensions": [{"Name": "Latch", "Value": "writer"}],
                "Timestamp": at,
                "Value": VALUES[writer],
                "Unit": "None",
                "StorageResolution": 1 if high else STANDARD_RESOLUTION_SECONDS,
            }
        ],
    )
