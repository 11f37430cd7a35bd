"""Environment variables that every function reads."""

from __future__ import annotations

from automation_layer.settings import AutomationSettings
from shared.sites import Site


def shared_environment(settings: AutomationSettings, service: str) -> dict[str, str]:
    """The variables.

    Args:
        settings: the layer's settings.
        service: name of the function in its logs.
    """
    return {
        "METRIC_NAMESPACE": settings.metric_namespace,
        "METRIC_PERIOD_SECONDS": str(settings.timings.metric_period_seconds),
        "ENVIRONMENT_SUFFIX": settings.environment.suffix,
        "PRIMARY_REGION": settings.environment.regions[Site.PRIMARY],
        "RECOVERY_REGION": settings.environment.regions[Site.RECOVERY],
        "POWERTOOLS_SERVICE_NAME": service,
        "POWERTOOLS_LOG_LEVEL": settings.log_level,
    }
