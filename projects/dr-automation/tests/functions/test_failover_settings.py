"""A failover with a wrong setting fails at its first run and says which, not on the night it is needed."""

from __future__ import annotations

import pytest

from aws_in_memory import deployed
from failover.policy import Mode
from failover.settings import Settings
from function_runtime.environment import SettingError
from function_runtime.sites import Site

# By the minute, as on AWS: what is refused there is not refused by the second.
ENVIRONMENT = {
    **deployed.ENVIRONMENT,
    "OUTAGE_SECONDS": "120",
    "METRIC_PERIOD_SECONDS": "60",
    "FENCE_TIMEOUT_SECONDS": "30",
    "POLL_INTERVAL_SECONDS": "5",
    "RUN_BUDGET_SECONDS": "270",
}


def test_what_is_not_set_follows_from_what_is() -> None:
    settings = Settings.from_environment(ENVIRONMENT)
    assert (settings.here, settings.policy.mode) == (Site.RECOVERY, Mode.AUTOMATIC)
    assert settings.policy.lag_period_seconds == settings.policy.metric_period_seconds
    assert settings.lease_seconds > settings.poll_interval_seconds


@pytest.mark.parametrize("variable", sorted(ENVIRONMENT))
def test_a_missing_setting_is_named(variable: str) -> None:
    rest = {name: text for name, text in ENVIRONMENT.items() if name != variable}
    with pytest.raises(SettingError, match=rf"^{variable} = \(not set\)"):
        Settings.from_environment(rest)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("MODE", "auto"),
        ("DARK_WITHOUT_WITNESS", "maybe"),
        ("WITNESS_REGION", "ap-southeast-1"),
        ("FENCE_TIMEOUT_SECONDS", "31"),
        ("PLANNED_FENCE_TIMEOUT_SECONDS", "29"),  # less than an emergency's
        ("PLANNED_FENCE_TIMEOUT_SECONDS", "3601"),
        ("SITE", "singapore"),
        ("PRIMARY_WORD_ALARMS", "one,two"),
        ("RECOVERY_WORD_ALARMS", "one,"),
        ("HANDOVER_MARGIN_SECONDS", "0"),
        ("METRIC_PERIOD_SECONDS", "45"),  # CloudWatch has no such period
        ("LAG_PERIOD_SECONDS", "90"),
        ("OUTAGE_SECONDS", "30"),  # less than one period cannot be seen
        ("OUTAGE_SECONDS", "inf"),
        ("RUN_BUDGET_SECONDS", "300"),  # C3
        ("POLL_INTERVAL_SECONDS", "0"),
        ("PROMOTED_BACKUP_RETENTION_DAYS", "0"),  # would switch backups off
        ("NAME_TTL_SECONDS", "300"),
        ("MAX_DATA_LOSS_SECONDS", "-1"),
        ("REFERENCE_REGION", "ap-southeast-2"),  # shares the active site's fate
    ],
)
def test_a_wrong_setting_is_named_with_its_value_and_remedy(variable: str, value: str) -> None:
    with pytest.raises(SettingError) as raised:
        Settings.from_environment({**ENVIRONMENT, variable: value})
    assert raised.value.variable == variable
    assert raised.value.remedy
    assert "\n" not in str(raised.value)


def test_a_look_that_takes_longer_than_the_run_is_refused() -> None:
    with pytest.raises(SettingError, match=r"^POLL_INTERVAL_SECONDS"):
        Settings.from_environment({**ENVIRONMENT, "POLL_INTERVAL_SECONDS": "10", "RUN_BUDGET_SECONDS": "10"})
