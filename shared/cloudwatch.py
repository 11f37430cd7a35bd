"""What CloudWatch takes: periods of metrics and alarms, retentions of logs."""

from __future__ import annotations

from shared.errors import SettingsError
from shared.settings import SettingsReader

STANDARD_PERIOD_SECONDS = 60
"""The finest period of a standard-resolution metric."""
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html, Period
SHORT_ALARM_PERIODS_SECONDS = (10, 20, 30)
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricStat.html, Period
SHORT_METRIC_PERIODS_SECONDS = (1, 5, 10, 30)
# https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
LOG_RETENTION_DAYS = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731),
    *(1096, 1827, 2192, 2557, 2922, 3288, 3653),
)
"""In days, ascending; there is nothing between them."""


def refuse_period(key: str, seconds: int, short: tuple[int, ...]) -> None:
    """Refuse a period that CloudWatch does not take.

    Args:
        key: the setting it comes from.
        seconds: the period.
        short: what is taken below a minute.

    Raises:
        SettingsError: it is none of these, and no multiple of 60.
    """
    if seconds % STANDARD_PERIOD_SECONDS and seconds not in short:
        known = ", ".join(map(str, short))
        raise SettingsError(key, seconds, f"give {known} or a multiple of 60: CloudWatch has no other periods")


def log_retention_days(reader: SettingsReader, key: str, default: int) -> int:
    """A retention that CloudWatch Logs offers.

    Raises:
        SettingsError: it offers none such.
    """
    days = reader.whole_number(key, default, minimum=LOG_RETENTION_DAYS[0], maximum=LOG_RETENTION_DAYS[-1])
    if days not in LOG_RETENTION_DAYS:
        raise SettingsError(
            key, days, f"give one of {', '.join(map(str, LOG_RETENTION_DAYS))}, as CloudWatch Logs does"
        )
    return days
