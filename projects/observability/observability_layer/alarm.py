"""One alarm on one metric, for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi
import pulumi_aws as aws

from shared.naming import Names
from shared.providers import on
from shared.sites import Site

ABOVE = "GreaterThanThreshold"
BELOW = "LessThanThreshold"


@dataclass(frozen=True)
class Condition:
    """When an alarm fires.

    Attributes:
        what: first part of the alarm's name.
        description: what it means and what to do.
        namespace: the metric's namespace.
        metric: its name.
        dimensions: its dimensions.
        statistic: how the values of a period become one.
        comparison: ``ABOVE`` or ``BELOW``.
        threshold: beyond what.
        period_seconds: length of a period.
        periods: how many periods are looked at.
        periods_to_alarm: how many of them must be beyond; all of them where None.
        missing_data: how CloudWatch treats missing data.
        tell_when_silent: people are told as well when the metric ends.
    """

    what: str
    description: str
    namespace: pulumi.Input[str]
    metric: str
    dimensions: Mapping[str, pulumi.Input[str]]
    statistic: str
    comparison: str
    threshold: float
    period_seconds: int
    periods: int
    periods_to_alarm: int | None = None
    missing_data: str = "missing"
    tell_when_silent: bool = field(default=False)


def alarm(
    names: Names,
    where: Site | str,
    condition: Condition,
    topic_arns: Sequence[pulumi.Input[str]],
    provider: aws.Provider,
    parent: pulumi.Resource,
) -> aws.cloudwatch.MetricAlarm:
    """Declare it.

    Args:
        names: builder of names.
        where: the site whose metric it is, or the layer where it is no site's; part of the name.
        condition: when it fires.
        topic_arns: topics of the same region that are told when it fires and when it is over.
        provider: of the metric's region; an alarm sees metrics of its own region only.
        parent: the component it belongs to.
    """
    name = names.of(condition.what, where)
    return aws.cloudwatch.MetricAlarm(
        name,
        name=name,
        alarm_description=condition.description,
        namespace=condition.namespace,
        metric_name=condition.metric,
        dimensions=dict(condition.dimensions),
        statistic=condition.statistic,
        comparison_operator=condition.comparison,
        threshold=condition.threshold,
        period=condition.period_seconds,
        evaluation_periods=condition.periods,
        datapoints_to_alarm=condition.periods if condition.periods_to_alarm is None else condition.periods_to_alarm,
        treat_missing_data=condition.missing_data,
        alarm_actions=list(topic_arns),
        ok_actions=list(topic_arns),
        insufficient_data_actions=list(topic_arns) if condition.tell_when_silent else [],
        opts=on(provider, parent=parent),
    )
