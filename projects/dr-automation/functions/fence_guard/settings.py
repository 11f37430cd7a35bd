"""What a fence-guard is told by its environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from function_runtime.environment import Environment, SettingError
from function_runtime.reporting import ReportingSettings, reporting_fields

# Below the shortest schedule of AWS, a minute, and with room for a last slow call and the last write.
LONGEST_FENCE_SECONDS = 44.0


@dataclass(frozen=True)
class GuardSettings(ReportingSettings):
    """The settings of one fence-guard.

    Attributes:
        instance_id: the RDS instance it guards.
        quarantine_group_id: the security group without rules that shuts it.
        other_instance_id: the RDS instance of the other site.
        other_quarantine_group_id: the security group that shuts that one.
        inspection_group_id: the security group that lets operators look at a fenced database; None where clients are
            in their network, too.
        fence_seconds: how long one run may take; the next goes on.
        poll_interval_seconds: from one look at something that takes its time to the next.
    """

    instance_id: str
    quarantine_group_id: str
    other_instance_id: str
    other_quarantine_group_id: str
    inspection_group_id: str | None
    fence_seconds: float
    poll_interval_seconds: float

    @classmethod
    def from_environment(cls, variables: Mapping[str, str]) -> GuardSettings:
        """Read and check the settings.

        Raises:
            SettingError: a variable is missing, malformed, or contradicts another.
        """
        environment = Environment(variables)
        inspection_group_id = environment.text("INSPECTION_GROUP_ID")
        settings = cls(
            **reporting_fields(environment),
            instance_id=environment.text("INSTANCE_ID"),
            quarantine_group_id=environment.text("QUARANTINE_GROUP_ID"),
            other_instance_id=environment.text("OTHER_INSTANCE_ID"),
            other_quarantine_group_id=environment.text("OTHER_QUARANTINE_GROUP_ID"),
            inspection_group_id=None if inspection_group_id == "none" else inspection_group_id,
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
