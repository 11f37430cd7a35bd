"""What a snapshot copier is told by its environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from function_runtime.environment import Environment
from function_runtime.reporting import ReportingSettings, reporting_fields
from function_runtime.sites import Site
from snapshot_copier.plan import Rules


@dataclass(frozen=True)
class CopierSettings(ReportingSettings):
    """The settings of one snapshot copier.

    Attributes:
        instance_ids: the RDS instance of each site.
        instance_arns: its ARN.
        key_arn: the data key of its own site.
        retention_days: how long copies and replicated backups are kept.
        stuck_hours: a copy that makes no progress for so long is given up and made again.
        export_days: from one export to the next, None for none.
        export_bucket: the bucket of its own site; empty where nothing is exported.
        export_role_arn: the role that RDS exports with; empty where nothing is exported.
    """

    instance_ids: Mapping[Site, str]
    instance_arns: Mapping[Site, str]
    key_arn: str
    retention_days: int
    stuck_hours: float
    export_days: int | None
    export_bucket: str
    export_role_arn: str

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
            **reporting_fields(environment),
            instance_ids=environment.by_site("INSTANCE_ID"),
            instance_arns=environment.by_site("INSTANCE_ARN"),
            key_arn=environment.text("DATA_KEY_ARN"),
            retention_days=environment.whole("RETENTION_DAYS", minimum=1, maximum=35),
            stuck_hours=environment.number("STUCK_HOURS", minimum=0.001, maximum=240),
            export_days=environment.whole("EXPORT_DAYS", minimum=1, maximum=90) if exports else None,
            export_bucket=environment.text("EXPORT_BUCKET") if exports else "",
            export_role_arn=environment.text("EXPORT_ROLE_ARN") if exports else "",
        )
