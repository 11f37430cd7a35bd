"""Backup and maintenance never meet, within a site or across the sites."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_layer.windows import backup_window, maintenance_window, refuse_collisions
from shared.errors import SettingsError

minutes = st.integers(0, 24 * 60 - 1)


def clock(minute: int) -> str:
    return f"{minute // 60 % 24:02}:{minute % 60:02}"


@given(minutes, st.integers(30, 240), minutes, st.integers(30, 240))
def test_two_daily_windows_collide_exactly_where_they_share_a_minute(
    one: int, one_lasts: int, other: int, other_lasts: int
) -> None:
    first = backup_window("primaryBackupWindow", f"{clock(one)}-{clock(one + one_lasts)}")
    second = backup_window("recoveryBackupWindow", f"{clock(other)}-{clock(other + other_lasts)}")
    shared = {(one + each) % 1440 for each in range(one_lasts)} & {(other + each) % 1440 for each in range(other_lasts)}
    assert first.collides_with(second) is bool(shared)
    assert second.collides_with(first) is bool(shared)


def test_a_weekly_window_collides_with_a_daily_one_past_midnight() -> None:
    daily = backup_window("primaryBackupWindow", "23:45-00:30")
    with pytest.raises(SettingsError, match=r"^recoveryMaintenanceWindow = mon:00:00-mon:00:30: it collides"):
        refuse_collisions(daily, maintenance_window("recoveryMaintenanceWindow", "mon:00:00-mon:00:30"))


def test_windows_that_only_touch_do_not_collide() -> None:
    refuse_collisions(
        backup_window("primaryBackupWindow", "14:00-15:00"),
        maintenance_window("primaryMaintenanceWindow", "sat:15:00-sat:16:00"),
    )


@pytest.mark.parametrize("text", ["14:00", "24:00-25:00", "14:00-14:60", "sat:14:00-sat:15:00", ""])
def test_a_malformed_backup_window_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="give a daily window in UTC"):
        backup_window("primaryBackupWindow", text)


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("14:00-15:00", "give a weekly window in UTC"),
        ("Sat:14:00-Sat:15:00", "give a weekly window in UTC"),
        ("sat:14:00-sat:14:20", "at least 30 minutes"),
        ("sat:14:00-sun:14:00", "shorter than a day"),
    ],
)
def test_a_maintenance_window_rds_would_refuse_is_refused(text: str, remedy: str) -> None:
    with pytest.raises(SettingsError, match=remedy):
        maintenance_window("primaryMaintenanceWindow", text)
