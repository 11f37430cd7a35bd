"""Publishes the servers' metrics as RDS does: namespace `AWS/RDS`, by instance, in the instance's own region."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from lab.rds.fleet import DatabaseFleet
from lab.rds.measurements import PUBLISHED_AT, Sample, ServerAgent, seconds_to_tick

logger = logging.getLogger(__name__)

NAMESPACE = "AWS/RDS"


class MetricsPublisher:
    """One region's metrics, in one call each period."""

    def __init__(
        self,
        region: str,
        fleet: DatabaseFleet,
        cloudwatch: Callable[[], Any],
        agent: Callable[[str, str], ServerAgent | None],
        period_seconds: float,
    ) -> None:
        """Nothing is published yet.

        Args:
            region: the region.
            fleet: the servers of all regions.
            cloudwatch: gives the region's client.
            agent: makes the agent of an instance; None where its server was never up.
            period_seconds: how often metrics are published.
        """
        self._region = region
        self._fleet = fleet
        self._cloudwatch = cloudwatch
        self._agent = agent
        self._period_seconds = period_seconds
        self._agents: dict[str, ServerAgent] = {}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"rds-metrics-{region}", daemon=True)

    def start(self) -> None:
        """Start publishing."""
        self._thread.start()

    def end(self) -> None:
        """Stop publishing."""
        self._ended.set()
        for agent in self._agents.values():
            agent.end()
        if self._thread.is_alive():
            self._thread.join(5)

    def _run(self) -> None:
        while not self._ended.wait(seconds_to_tick(self._period_seconds, PUBLISHED_AT)):
            self._follow_fleet()
            data = [
                datum
                for identifier, agent in self._agents.items()
                for sample in agent.take()
                for datum in metric_data(identifier, sample)
            ]
            if not data:
                continue
            try:
                self._cloudwatch().put_metric_data(Namespace=NAMESPACE, MetricData=data)
            except (BotoCoreError, ClientError) as error:
                # On AWS this is a gap in the metrics, too.
                logger.warning("metrics of %s were not published: %s", self._region, error)

    def _follow_fleet(self) -> None:
        here = {member.identifier for member in self._fleet.members() if member.region == self._region}
        for gone in self._agents.keys() - here:
            self._agents.pop(gone).end()
        for new in here - self._agents.keys():
            agent = self._agent(self._region, new)
            if agent is not None:
                self._agents[new] = agent


def metric_data(identifier: str, sample: Sample) -> list[dict[str, Any]]:
    """A sample as PutMetricData takes it, with a resolution of one second."""
    return [
        {
            "MetricName": metric.name,
            "Dimensions": [{"Name": "DBInstanceIdentifier", "Value": identifier}],
            "Timestamp": sample.taken_at,
            "Value": metric.value,
            "Unit": metric.unit,
            "StorageResolution": 1,
        }
        for metric in sample.metrics
    ]
