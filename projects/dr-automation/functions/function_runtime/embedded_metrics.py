"""Metrics printed in CloudWatch's embedded metric format: a function in a closed network has no other way."""

from __future__ import annotations

from collections.abc import Mapping

from aws_lambda_powertools.metrics import EphemeralMetrics, MetricResolution, MetricUnit

from function_runtime.metric_names import is_high_resolution


def emit(
    namespace: str,
    dimensions: Mapping[str, str],
    values: Mapping[str, float | tuple[float, MetricUnit]],
    period_seconds: float,
) -> None:
    """Print metrics at once.

    Args:
        namespace: theirs.
        dimensions: of all of them.
        values: by the metric's name: counts, or values with their unit.
        period_seconds: how finely they are read; those that Route 53 reads are of standard resolution all the same.
    """
    # Without a service name, or Powertools adds it as a further dimension and nobody finds the metric.
    metrics = EphemeralMetrics(namespace=namespace, service="")
    for name, dimension in dimensions.items():
        metrics.add_dimension(name, dimension)
    for name, given in values.items():
        high = is_high_resolution(name, period_seconds)
        resolution = MetricResolution.High if high else MetricResolution.Standard
        value, unit = given if isinstance(given, tuple) else (given, MetricUnit.Count)
        metrics.add_metric(name, unit, value, resolution)
    metrics.flush_metrics()
