"""Whether a Route 53 health check is healthy, computed from its configuration and what it watches. No I/O.

The rules are those of the Route 53 developer guide, "How Amazon Route 53 determines whether a health check is healthy".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from lab.aws.cloudwatch_alarms import AlarmConfiguration, AlarmState, Series, evaluate


class InsufficientData(StrEnum):
    """What a check on a metric says when the data do not decide, in AWS's words."""

    HEALTHY = "Healthy"
    UNHEALTHY = "Unhealthy"
    LAST_KNOWN = "LastKnownStatus"


@dataclass(frozen=True)
class HealthCheck:
    """A health check's configuration.

    Attributes:
        id: its id.
        version: grows with each update.
        type: ``CLOUDWATCH_METRIC``, ``CALCULATED``, or one that probes an endpoint.
        alarm: name and region of the alarm a metric check is made from.
        insufficient_data: what a metric check says without data.
        children, health_threshold: what a calculated check counts, and how many of them must be healthy.
        inverted: it says the opposite of what it finds.
        disabled: it finds health without looking.
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

    The stream is the one the alarm had when the check was created or last updated: Route 53 does not notice that the
    alarm changed. The alarm's state means nothing to it either, so SetAlarmState moves nothing.

    Attributes:
        alarm: the alarm's configuration as it was then; None when there was no such alarm.
        last_known: what the stream said when it last said something, before any inversion.
    """

    check: HealthCheck
    alarm: AlarmConfiguration | None
    last_known: bool | None = None

    def after(self, series: Series, now: float) -> MetricWatch:
        """This watch after another look at the stream."""
        if self.alarm is None:
            return self
        # Route 53 knows no "M out of N": all the periods must breach.
        alarm = replace(self.alarm, datapoints_to_alarm=self.alarm.evaluation_periods)
        state = evaluate(alarm, series, now, AlarmState.INSUFFICIENT_DATA).state
        if state is AlarmState.INSUFFICIENT_DATA:
            if self.check.insufficient_data is InsufficientData.LAST_KNOWN:
                return self
            return replace(self, last_known=self.check.insufficient_data is InsufficientData.HEALTHY)
        return replace(self, last_known=state is AlarmState.OK)

    @property
    def found_healthy(self) -> bool:
        """What it finds, before any inversion. "For new health checks that have no last known status: healthy"."""
        if self.last_known is None:
            return self.check.insufficient_data is not InsufficientData.UNHEALTHY
        return self.last_known


def calculated(check: HealthCheck, is_healthy: Callable[[str], bool]) -> bool:
    """What a calculated check finds: whether as many children are healthy as its threshold asks for."""
    return sum(is_healthy(child) for child in check.children) >= check.health_threshold


def status(check: HealthCheck, found_healthy: bool) -> bool:  # noqa: FBT001 - the one thing it is about
    """What a check says, given what it finds.

    A disabled check counts as healthy, and inversion applies to that too: AWS names it as the way to stop traffic.
    """
    return (found_healthy or check.disabled) != check.inverted


def statuses(checks: Mapping[str, HealthCheck], watches: Mapping[str, MetricWatch]) -> dict[str, bool]:
    """What every check says.

    Args:
        checks: all health checks by id.
        watches: for each metric check its watch.

    A check that probes an endpoint is not healthy: the checkers of Route 53 sit outside every VPC, and all the lab's
    addresses are inside one.
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
