"""Publishes the servers' metrics as RDS does: by the minute, late, under `AWS/RDS`, in the instance's own region."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from lab.rds.fleet import DatabaseFleet
from lab.rds.measurements import Sample, ServerAgent
from lab.rds.timings import Timings

logger = logging.getLogger(__name__)

NAMESPACE = "AWS/RDS"
# How often in a period it is looked which samples are due.
_LOOKS_PER_PERIOD = 20


class MetricsPublisher:
    """One region's metrics, each some time after the end of the period that it is of."""

    def __init__(
        self,
        region: str,
        fleet: DatabaseFleet,
        cloudwatch: Callable[[], Any],
        agent: Callable[[str, str], ServerAgent | None],
        timings: Timings,
    ) -> None:
        """Nothing is published yet.

        Args:
            region: the region.
            fleet: the servers of all regions.
            cloudwatch: gives the region's client.
            agent: makes the agent of an instance; None where its server was never up.
            timings: how often metrics are published, and how late.
        """
        self._region = region
        self._fleet = fleet
        self._cloudwatch = cloudwatch
        self._agent = agent
        self._period_seconds, self._delay = timings.measure_seconds, timings.metric_delay
        self._waiting: list[tuple[float, str, Sample]] = []
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
        while not self._ended.wait(self._period_seconds / _LOOKS_PER_PERIOD):
            self._follow_fleet()
            for identifier, agent in self._agents.items():
                self._waiting += [(self._due_at(sample), identifier, sample) for sample in agent.take()]
            now = time.time()
            due = [each for each in self._waiting if each[0] <= now]
            if not due:
                continue
            self._waiting = [each for each in self._waiting if each[0] > now]
            data = [datum for _, identifier, sample in due for datum in self._data(identifier, sample)]
            try:
                self._cloudwatch().put_metric_data(Namespace=NAMESPACE, MetricData=data)
            except (BotoCoreError, ClientError) as error:
                # On AWS this is a gap in the metrics, too.
                logger.warning("metrics of %s were not published: %s", self._region, error)

    def _due_at(self, sample: Sample) -> float:
        return self._period_of(sample) + self._period_seconds + self._delay.draw()

    def _period_of(self, sample: Sample) -> float:
        """When the period began in which it was taken; that is the time it has in CloudWatch."""
        return sample.taken_at.timestamp() // self._period_seconds * self._period_seconds

    def _data(self, identifier: str, sample: Sample) -> list[dict[str, Any]]:
        """A sample as PutMetricData takes it."""
        return [
            {
                "MetricName": metric.name,
                "Dimensions": [{"Name": "DBInstanceIdentifier", "Value": identifier}],
                "Timestamp": datetime.fromtimestamp(self._period_of(sample), UTC),
                "Value": metric.value,
                "Unit": metric.unit,
            }
            for metric in sample.metrics
        ]

    def _follow_fleet(self) -> None:
        here = {member.identifier for member in self._fleet.members() if member.region == self._region}
        for gone in self._agents.keys() - here:
            self._agents.pop(gone).end()
        for new in here - self._agents.keys():
            agent = self._agent(self._region, new)
            if agent is not None:
                self._agents[new] = agent
