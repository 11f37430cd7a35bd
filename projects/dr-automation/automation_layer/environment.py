"""Environment variables that several functions read."""

from __future__ import annotations

import pulumi

from automation_layer.reporter import ReporterArgs
from automation_layer.settings import AutomationSettings
from shared.sites import Site


def shared_environment(settings: AutomationSettings, service: str) -> dict[str, str]:
    """What every function reads.

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


def reporting_environment(settings: AutomationSettings, args: ReporterArgs) -> dict[str, pulumi.Input[str]]:
    """What a function reads that uses the state tables and tells people about failures.

    Args:
        settings: the layer's settings.
        args: what it works with.
    """
    return {
        "SITE": args.site,
        **{f"{site.upper()}_STATE_TABLE": args.states[site].name for site in Site},
        "FAILURES_TOPIC_ARN": args.topics[args.site].failures.arn,
        "OTHER_FAILURES_TOPIC_ARN": args.topics[args.site.other].failures.arn,
        "WRITER_NAME": settings.writer_name,
        "DASHBOARD_URL": settings.dashboard_url,
        "RUNBOOK_URL": settings.runbook_url,
    }
