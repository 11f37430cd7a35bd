"""What the observability layer's stack configures, read and checked in one place."""

from __future__ import annotations

from dataclasses import dataclass

from shared.cloudwatch import SHORT_ALARM_PERIODS_SECONDS, STANDARD_PERIOD_SECONDS, refuse_period
from shared.environment import Environment
from shared.errors import SettingsError
from shared.settings import SettingsReader

# Without transactions on the primary the lag climbs for up to 5 minutes and falls back:
# https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_PostgreSQL.Replication.ReadReplicas.html
IDLE_LAG_SECONDS = 300
MEBIBYTE = 1024**2


@dataclass(frozen=True)
class Thresholds:
    """Thresholds of the alarms.

    Attributes:
        lag_seconds: replication lag (C2).
        slot_lag_bytes: WAL the primary holds back for the replica.
        cpu_percent: CPU of an instance.
        connections: open connections of an instance.
        free_storage_bytes: storage left to an instance.
        freeable_memory_bytes: memory left to an instance.
    """

    lag_seconds: int
    slot_lag_bytes: int
    cpu_percent: int
    connections: int
    free_storage_bytes: int
    freeable_memory_bytes: int


@dataclass(frozen=True)
class ObservabilitySettings:
    """Settings of the observability layer.

    Attributes:
        environment: what all layers share.
        thresholds: of the alarms.
        alarm_period_seconds: period of the alarms.
        copy_age_hours: how old the newest good copy of a snapshot may be.
        lag_periods: periods in a row with too much lag until people are told.
    """

    environment: Environment
    thresholds: Thresholds
    alarm_period_seconds: int
    copy_age_hours: int
    lag_periods: int

    @classmethod
    def load(cls, reader: SettingsReader | None = None) -> ObservabilitySettings:
        """Read the stack's configuration and check it.

        Raises:
            SettingsError: a value is missing or cannot be used.
        """
        reader = SettingsReader() if reader is None else reader
        number = reader.whole_number
        environment = Environment.load()
        settings = cls(
            environment=environment,
            thresholds=Thresholds(
                lag_seconds=number("lagThresholdSeconds", 60, minimum=1, maximum=3600),
                slot_lag_bytes=number("slotLagMebibytes", 1024, minimum=1, maximum=10**6) * MEBIBYTE,
                cpu_percent=number("cpuPercent", 80, minimum=1, maximum=100),
                connections=number("connections", 350, minimum=1, maximum=100_000),
                free_storage_bytes=number("freeStorageMebibytes", 10_240, minimum=1, maximum=10**8) * MEBIBYTE,
                freeable_memory_bytes=number("freeableMemoryMebibytes", 256, minimum=1, maximum=10**7) * MEBIBYTE,
            ),
            alarm_period_seconds=number("alarmPeriodSeconds", 60, minimum=10, maximum=300),
            copy_age_hours=number("copyAgeHours", 30, minimum=1, maximum=24 * 35),
            lag_periods=number("lagPeriods", 6, minimum=1, maximum=60),
        )
        refuse_period("alarmPeriodSeconds", settings.alarm_period_seconds, SHORT_ALARM_PERIODS_SECONDS)
        settings.refuse_paging_for_idle_nights()
        return settings

    def refuse_paging_for_idle_nights(self) -> None:
        """Check that the lag alarm outlasts the lag of an idle primary.

        Raises:
            SettingsError: it does not.
        """
        idle_seconds = max(0, IDLE_LAG_SECONDS - self.thresholds.lag_seconds)
        # Shorter periods are used in the lab only, where a second stands for twelve.
        alarms_after_seconds = self.lag_periods * self.alarm_period_seconds
        if self.alarm_period_seconds < STANDARD_PERIOD_SECONDS or alarms_after_seconds > idle_seconds + 60:
            return
        raise SettingsError(
            "lagPeriods",
            self.lag_periods,
            f"times alarmPeriodSeconds ({self.alarm_period_seconds}) it must be more than {idle_seconds + 60} s: an "
            f"idle primary alone makes up to {idle_seconds} s of lag above lagThresholdSeconds",
        )
