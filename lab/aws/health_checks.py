"""The status of Route 53 health checks, computed from their configuration and what they watch. No I/O.

The rules are those of the Route 53 developer guide, "How Amazon Route 53 determines whether a health check is healthy".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from lab.aws.cloudwatch_alarms import AlarmConfiguration, AlarmState, Series, evaluate


class InsufficientData(StrEnum):
    """The status of a metric check with insufficient data, in AWS's words."""

    HEALTHY = "Healthy"
    UNHEALTHY = "Unhealthy"
    LAST_KNOWN = "LastKnownStatus"


@dataclass(frozen=True)
class HealthCheck:
    """A health check's configuration.

    Attributes:
        id: its id.
        version: is incremented with each update.
        type: ``CLOUDWATCH_METRIC``, ``CALCULATED``, or one that probes an endpoint.
        alarm: name and region of a metric check's alarm.
        insufficient_data: a metric check's status without data.
        children, health_threshold: a calculated check's children, and how many of them must be healthy.
        inverted: the status is inverted.
        disabled: it is healthy whatever it watches.
    """

    id: str
    version: int
    type: str
    alarm: tuple[str, str] | None = None
    insufficient_data: InsufficientData = InsufficientData.LAST_KNOWN
    children: tuple[str, ...] = field(default=())
    health_threshold: int = 0
    inverted: bool = False
    disabled: bool = False

    @classmethod
    def of(cls, description: Mapping[str, Any]) -> HealthCheck:
        """Read one of the ``HealthChecks`` of ListHealthChecks."""
        config = description["HealthCheckConfig"]
        alarm = config.get("AlarmIdentifier")
        return cls(
            id=description["Id"],
            version=int(description["HealthCheckVersion"]),
            type=config["Type"],
            alarm=None if alarm is None else (alarm["Name"], alarm["Region"]),
            insufficient_data=InsufficientData(config.get("InsufficientDataHealthStatus", InsufficientData.LAST_KNOWN)),
            children=tuple(config.get("ChildHealthChecks", [])),
            health_threshold=int(config.get("HealthThreshold", 0)),
            inverted=bool(config.get("Inverted", False)),
            disabled=bool(config.get("Disabled", False)),
        )


@dataclass(frozen=True)
class MetricWatch:
    """A metric check and the metric stream it watches.

    Route 53 watches the metric stream of the alarm as it was when the check was created or last updated. A later change
    of the alarm has no effect, and neither has the alarm's state (SetAlarmState).

    Attributes:
        alarm: the alarm's configuration as it was then; None where there was no such alarm.
        last_known: the last status that data decided, before any inversion.
    """

    check: HealthCheck
    alarm: AlarmConfiguration | None
    last_known: bool | None = None

    def after(self, series: Series, now: float) -> MetricWatch:
        """This watch after another evaluation of the stream."""
        if self.alarm is None:
            return self
        # Route 53 does not support "M out of N": all periods must breach.
        alarm = replace(self.alarm, datapoints_to_alarm=self.alarm.evaluation_periods)
        state = evaluate(alarm, series, now, AlarmState.INSUFFICIENT_DATA).state
        if state is AlarmState.INSUFFICIENT_DATA:
            if self.check.insufficient_data is InsufficientData.LAST_KNOWN:
                return self
            return replace(self, last_known=self.check.insufficient_data is InsufficientData.HEALTHY)
        return replace(self, last_known=state is AlarmState.OK)

    @property
    def found_healthy(self) -> bool:
        """The status before any inversion. "For new health checks that have no last known status: healthy"."""
        if self.last_known is None:
            return self.check.insufficient_data is not InsufficientData.UNHEALTHY
        return self.last_known


def calculated(check: HealthCheck, is_healthy: Callable[[str], bool]) -> bool:
    """Whether as many children are healthy as a calculated check's threshold requires."""
    return sum(is_healthy(child) for child in dict.fromkeys(check.children)) >= check.health_threshold


def status(check: HealthCheck, found_healthy: bool) -> bool:  # noqa: FBT001 - the one thing it is about
    """A check's status. A disabled one is healthy; inverting it too is AWS's way to stop traffic."""
    return (found_healthy or check.disabled) != check.inverted


def statuses(checks: Mapping[str, HealthCheck], watches: Mapping[str, MetricWatch]) -> dict[str, bool]:
    """The status of every check, from all checks and the watches of the metric checks, by id.

    A check of an endpoint is unhealthy: Route 53's health checkers are outside every VPC, and all the lab's addresses
    are inside one.
    """
    known: dict[str, bool] = {}

    def of(identifier: str, above: frozenset[str] = frozenset()) -> bool:
        check = checks.get(identifier)
        if check is None or identifier in above:
            return False
        if identifier not in known:
            if check.type == "CALCULATED":
                found = calculated(check, lambda child: of(child, above | {identifier}))
            elif identifier in watches:
                found = watches[identifier].found_healthy
            else:
                found = False
            known[identifier] = status(check, found)
        return known[identifier]

    return {identifier: of(identifier) for identifier in checks}
