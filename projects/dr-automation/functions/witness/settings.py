"""What the witness is told by its environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from function_runtime.environment import Environment
from function_runtime.sites import Site

# Probes start late, and metrics arrive late.
LATE_PERIODS = 3


@dataclass(frozen=True)
class WitnessSettings:
    """The settings of the witness.

    Attributes:
        metric_namespace: where the probes' readings are, and where its own go.
        region: its own region.
        regions: the region of each site.
        instance_ids: the RDS instance of each site.
        metric_period_seconds: how finely metrics are read.
        outage_seconds: how long every probe must have failed before a database counts as down.
    """

    metric_namespace: str
    region: str
    regions: Mapping[Site, str]
    instance_ids: Mapping[Site, str]
    metric_period_seconds: int
    outage_seconds: float

    @property
    def recent(self) -> timedelta:
        """How old the newest reading may be, and how long a gap between two, to mean anything."""
        return timedelta(seconds=max(LATE_PERIODS * self.metric_period_seconds, self.outage_seconds))

    @property
    def lookback(self) -> timedelta:
        """How far back readings are asked for: a whole outage that ended as long ago as may be."""
        return self.recent + timedelta(seconds=self.outage_seconds + 2 * self.metric_period_seconds)

    @classmethod
    def from_environment(cls, variables: Mapping[str, str]) -> WitnessSettings:
        """Read and check the settings.

        Raises:
            SettingError: a variable is missing, malformed, or contradicts another.
        """
        environment = Environment(variables)
        regions = environment.by_site("REGION")
        return cls(
            metric_namespace=environment.text("METRIC_NAMESPACE"),
            region=environment.third_region("WITNESS_REGION", regions),
            regions=regions,
            instance_ids=environment.by_site("INSTANCE_ID"),
            metric_period_seconds=environment.whole("METRIC_PERIOD_SECONDS", minimum=1, maximum=3600),
            outage_seconds=environment.number("OUTAGE_SECONDS", minimum=1, maximum=3600),
        )
