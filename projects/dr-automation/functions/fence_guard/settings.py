"""What a fence-guard is told by its environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from function_runtime.environment import Environment, SettingError
from function_runtime.sites import Site

# Below the shortest schedule of AWS, a minute, and with room for a last slow call and the last write.
LONGEST_FENCE_SECONDS = 44.0


@dataclass(frozen=True)
class GuardSettings:
    """The settings of one fence-guard.

    Attributes:
        metric_namespace: where its metrics go.
        metric_period_seconds: how finely they are read.
        environment_suffix: names the environment in messages.
        site: the site it is in and whose database it guards.
        state_site: the site of the state table and of the topics.
        regions: the region of each site.
        instance_id: the RDS instance it guards.
        quarantine_group_id: the security group without rules that shuts it.
        inspection_group_id: the security group that lets operators look at a fenced database; None where clients are
            in their network, too.
        state_table: the controller's table, in the state's site.
        failures_topic_arn: where people hear of it, in the state's site.
        writer_name: the DNS name clients write to, for messages.
        dashboard_url: where people see more, for messages.
        runbook_url: where people read what to do, for messages.
        fence_seconds: how long one run may take; the next goes on.
        poll_interval_seconds: from one look at something that takes its time to the next.
    """

    metric_namespace: str
    metric_period_seconds: int
    environment_suffix: str
    site: Site
    state_site: Site
    regions: Mapping[Site, str]
    instance_id: str
    quarantine_group_id: str
    inspection_group_id: str | None
    state_table: str
    failures_topic_arn: str
    writer_name: str
    dashboard_url: str
    runbook_url: str
    fence_seconds: float
    poll_interval_seconds: float

    @property
    def region(self) -> str:
        """The guard's own region."""
        return self.regions[self.site]

    @property
    def state_region(self) -> str:
        """The region of the state table and of the topics."""
        return self.regions[self.state_site]

    @classmethod
    def from_environment(cls, variables: Mapping[str, str]) -> GuardSettings:
        """Read and check the settings.

        Raises:
            SettingError: a variable is missing, malformed, or contradicts another.
        """
        environment = Environment(variables)
        inspection_group_id = environment.text("INSPECTION_GROUP_ID")
        settings = cls(
            metric_namespace=environment.text("METRIC_NAMESPACE"),
            metric_period_seconds=environment.whole("METRIC_PERIOD_SECONDS", minimum=1, maximum=3600),
            environment_suffix=environment.text("ENVIRONMENT_SUFFIX"),
            site=environment.choice("GUARDED_SITE", Site),
            state_site=environment.choice("STANDBY_SITE", Site),
            regions=environment.by_site("REGION"),
            instance_id=environment.text("INSTANCE_ID"),
            quarantine_group_id=environment.text("QUARANTINE_GROUP_ID"),
            inspection_group_id=None if inspection_group_id == "none" else inspection_group_id,
            state_table=environment.text("STATE_TABLE"),
            failures_topic_arn=environment.text("FAILURES_TOPIC_ARN"),
            writer_name=environment.text("WRITER_NAME"),
            dashboard_url=environment.text("DASHBOARD_URL"),
            runbook_url=environment.text("RUNBOOK_URL"),
            fence_seconds=environment.number("GUARD_SECONDS", minimum=1, maximum=LONGEST_FENCE_SECONDS),
            poll_interval_seconds=environment.number("POLL_INTERVAL_SECONDS", minimum=0.05, maximum=60),
        )
        if settings.poll_interval_seconds >= settings.fence_seconds:
            raise SettingError(
                "POLL_INTERVAL_SECONDS",
                settings.poll_interval_seconds,
                f"give less than GUARD_SECONDS ({settings.fence_seconds:g}), or a fence is never seen to work",
            )
        return settings
