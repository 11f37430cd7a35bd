"""The latch: the metric that tells Route 53, through its alarm, which site is the writer."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from failover.settings import Settings
from function_runtime.metric_names import STANDARD_RESOLUTION_SECONDS, WRITER_SITE
from function_runtime.sites import Site

VALUES = {Site.PRIMARY: 0.0, Site.RECOVERY: 1.0}


def publish(cloudwatch: Any, settings: Settings, writer: Site, at: datetime) -> None:
    """Publish the writer.

    Args:
        cloudwatch: the client of this function's region.
        settings: the namespace.
        writer: the recorded writer.
        at: now.
    """
    cloudwatch.put_metric_data(
        Namespace=settings.metric_namespace,
        MetricData=[
            {
                "MetricName": WRITER_SITE,
                "Dimensions": [{"Name": "Latch", "Value": "writer"}],
                "Timestamp": at,
                "Value": VALUES[writer],
                "Unit": "None",
                "StorageResolution": STANDARD_RESOLUTION_SECONDS,
            }
        ],
    )
