"""The layer's configuration: the lab's is accepted, each mistake is one line that names key, value and remedy."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from shared.errors import SettingsError
from tests.contracts.settings_of import PRODUCTION, settings_of

load = partial(settings_of, "data", "lab")


def test_the_defaults_are_the_required_ones() -> None:
    settings = load()
    assert settings.engine_major_version == 14
    assert settings.instance_class == "db.t3.medium"
    assert settings.backup_retention_days == 7


def test_a_short_lived_stack_leaves_nothing_behind() -> None:
    settings = load()
    assert settings.skip_final_snapshot
    assert settings.force_destroy_buckets


def test_a_protected_production_stack_is_accepted() -> None:
    assert load(**PRODUCTION).environment.protected


@pytest.mark.parametrize("key", ["skipFinalSnapshot", "forceDestroyBuckets"])
def test_a_production_stack_that_forgets_one_is_refused(key: str) -> None:
    with pytest.raises(
        SettingsError,
        match=rf"^{key} = true: a production environment needs false: put postgres-dr-data:{key}: \"false\"",
    ):
        load(**{**PRODUCTION, key: True})


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"secretId": ""}, "secretId = (empty): give a value"),
        ({"databaseName": "1st"}, "databaseName = 1st: start with a letter"),
        ({"databaseName": "rdsadmin"}, "databaseName = rdsadmin: start with a letter"),
        ({"engineMajorVersion": 13}, "engineMajorVersion = 13: give a whole number from 14 to 17"),
        ({"instanceClass": "t3.medium"}, "instanceClass = t3.medium: give an RDS instance class"),
        ({"allocatedStorageGib": 5}, "allocatedStorageGib = 5: give a whole number from 20"),
        ({"maximumStorageGib": 21}, "maximumStorageGib = 21: give a whole number from 22"),
        ({"backupRetentionDays": 0}, "backupRetentionDays = 0: give a whole number from 1 to 35"),
        ({"maxSlotWalKeepSizeMegabytes": 10241}, "give a whole number from 64 to 10240"),
        ({"maxSlotWalKeepSizeMegabytes": -1}, "maxSlotWalKeepSizeMegabytes = -1: give a whole number"),
        ({"primaryBackupWindow": "noon"}, "primaryBackupWindow = noon: give a daily window"),
        ({"recoveryBackupWindow": "14:30-15:00"}, "recoveryBackupWindow = 14:30-15:00: it collides with primary"),
        ({"certificateAuthority": "rds-ca-2019"}, "certificateAuthority = rds-ca-2019: give one of"),
        ({"replicationTimeoutSeconds": 2}, "replicationTimeoutSeconds = 2: give a whole number from 3 to 300"),
        ({"logRetentionDays": 8}, "logRetentionDays = 8: give one of 1, 3, 5"),
        ({"monitoringIntervalSeconds": 20}, "monitoringIntervalSeconds = 20: RDS takes 0, 1, 5"),
        (
            {"backupReplicationRetentionDays": 36},
            "backupReplicationRetentionDays = 36: give a whole number from 0 to 35",
        ),
        ({"objectRetentionDays": 30}, "objectRetentionDays = 30: give a whole number from 31"),
        ({"recoveryRegion": "ap-southeast-2"}, "recoveryRegion = ap-southeast-2: choose another region"),
    ],
)
def test_a_mistake_is_one_line(overrides: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError) as refused:
        load(**overrides)
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)
