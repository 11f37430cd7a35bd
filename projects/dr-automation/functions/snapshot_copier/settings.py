"""What a snapshot copier is told by its environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from function_runtime.environment import Environment
from function_runtime.sites import Site
from snapshot_copier.plan import Rules


@dataclass(frozen=True)
class CopierSettings:
    """The settings of one snapshot copier.

    Attributes:
        metric_namespace: where its metrics go.
        metric_period_seconds: how finely they are read.
        environment_suffix: names the environment in messages and in the tag of its copies.
        site: the site it is in, and copies to.
        state_site: the site of the state table and of the topics.
        regions: the region of each site.
        instance_ids: the RDS instance of each site.
        instance_arns: its ARN.
        state_table: the controller's table, in the state's site.
        failures_topic_arn: where people hear of failures, in the state's site.
        writer_name: the DNS name clients write to, for messages.
        dashboard_url: where people see more, for messages.
        runbook_url: where people read what to do, for messages.
        key_arn: the data key of its own site.
        retention_days: how long copies and replicated backups are kept.
        stuck_hours: a copy that makes no progress for so long is given up and made again.
        export_days: from one export to the next, None for none.
        export_bucket: the bucket of its own site; empty where nothing is exported.
        export_role_arn: the role that RDS exports with; empty where nothing is exported.
    """

    metric_namespace: str
    metric_period_seconds: int
    environment_suffix: str
    site: Site
    state_site: Site
    regions: Mapping[Site, str]
    instance_ids: Mapping[Site, str]
    instance_arns: Mapping[Site, str]
    state_table: str
    failures_topic_arn: str
    writer_name: str
    dashboard_url: str
    runbook_url: str
    key_arn: str
    retention_days: int
    stuck_hours: float
    export_days: int | None
    export_bucket: str
    export_role_arn: str

    @property
    def region(self) -> str:
        """The copier's own region."""
        return self.regions[self.site]

    @property
    def state_region(self) -> str:
        """The region of the state table and of the topics."""
        return self.regions[self.state_site]

    @property
    def rules(self) -> Rules:
        """What a plan goes by."""
        return Rules(
            copied_by=f"snapshot-copier-{self.environment_suffix}",
            key_arn=self.key_arn,
            retention=timedelta(days=self.retention_days),
            stuck_after=timedelta(hours=self.stuck_hours),
            export_every=None if self.export_days is None else timedelta(days=self.export_days),
            export_prefix=f"export-{self.environment_suffix}-",
        )

    @classmethod
    def from_environment(cls, variables: Mapping[str, str]) -> CopierSettings:
        """Read and check the settings.

        Raises:
            SettingError: a variable is missing or malformed.
        """
        environment = Environment(variables)
        exports = environment.is_set("EXPORT_DAYS")
        return cls(
            metric_namespace=environment.text("METRIC_NAMESPACE"),
            metric_period_seconds=environment.whole("METRIC_PERIOD_SECONDS", minimum=1, maximum=3600),
            environment_suffix=environment.text("ENVIRONMENT_SUFFIX"),
            site=environment.choice("COPIER_SITE", Site),
            state_site=environment.choice("STANDBY_SITE", Site),
            regions=environment.by_site("REGION"),
            instance_ids=environment.by_site("INSTANCE_ID"),
            instance_arns=environment.by_site("INSTANCE_ARN"),
            state_table=environment.text("STATE_TABLE"),
            failures_topic_arn=environment.text("FAILURES_TOPIC_ARN"),
            writer_name=environment.text("WRITER_NAME"),
            dashboard_url=environment.text("DASHBOARD_URL"),
            runbook_url=environment.text("RUNBOOK_URL"),
            key_arn=environment.text("DATA_KEY_ARN"),
            retention_days=environment.whole("RETENTION_DAYS", minimum=1, maximum=35),
            stuck_hours=environment.number("STUCK_HOURS", minimum=0.001, maximum=240),
            export_days=environment.whole("EXPORT_DAYS", minimum=1, maximum=90) if exports else None,
            export_bucket=environment.text("EXPORT_BUCKET") if exports else "",
            export_role_arn=environment.text("EXPORT_ROLE_ARN") if exports else "",
        )
