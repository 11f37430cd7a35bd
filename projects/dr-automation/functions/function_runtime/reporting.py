"""What a function is told that reads the recorded state of both sites and tells people of failures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from function_runtime.environment import Environment
from function_runtime.sites import Site


@dataclass(frozen=True)
class ReportingSettings:
    """The settings of such a function; its own ones follow.

    Attributes:
        metric_namespace: where its metrics go.
        metric_period_seconds: how finely they are read.
        environment_suffix: names the environment in messages.
        site: the site it is in.
        regions: the region of each site.
        state_tables: the state table of each site.
        failures_topic_arn: where people hear of failures, in its own site.
        other_failures_topic_arn: the same in the other site, for what its own region's topic does not take.
        writer_name: the DNS name clients write to, for messages.
        dashboard_url: where people see more, for messages.
        runbook_url: where people read what to do, for messages.
    """

    metric_namespace: str
    metric_period_seconds: int
    environment_suffix: str
    site: Site
    regions: Mapping[Site, str]
    state_tables: Mapping[Site, str]
    failures_topic_arn: str
    other_failures_topic_arn: str
    writer_name: str
    dashboard_url: str
    runbook_url: str

    @property
    def region(self) -> str:
        """The function's own region."""
        return self.regions[self.site]


def reporting_fields(environment: Environment) -> dict[str, Any]:
    """The fields of `ReportingSettings`, read and checked.

    Args:
        environment: the function's environment.

    Raises:
        SettingError: a variable is missing or malformed.
    """
    return {
        "metric_namespace": environment.text("METRIC_NAMESPACE"),
        "metric_period_seconds": environment.whole("METRIC_PERIOD_SECONDS", minimum=1, maximum=3600),
        "environment_suffix": environment.text("ENVIRONMENT_SUFFIX"),
        "site": environment.choice("SITE", Site),
        "regions": environment.by_site("REGION"),
        "state_tables": environment.by_site("STATE_TABLE"),
        "failures_topic_arn": environment.text("FAILURES_TOPIC_ARN"),
        "other_failures_topic_arn": environment.text("OTHER_FAILURES_TOPIC_ARN"),
        "writer_name": environment.text("WRITER_NAME"),
        "dashboard_url": environment.text("DASHBOARD_URL"),
        "runbook_url": environment.text("RUNBOOK_URL"),
    }
