"""An instance is never replaced: what is deployed decides what the settings may say next."""

from __future__ import annotations

from typing import Any

import pytest

from data_layer.replacement import refuse_replacement
from shared.errors import SettingsError
from tests.contracts.settings_of import settings_of

SNAPSHOT = "snapshot final-recovery"
FRESH = {
    "databaseName": "app",
    "masterUsername": "owner",
    "primaryDatabaseGeneration": 1,
    "recoveryDatabaseGeneration": 1,
    "primaryDatabaseBirth": "original",
    "recoveryDatabaseBirth": "replica",
    "primaryDatabaseAddress": "database-primary-dev.example",
    "recoveryDatabaseAddress": "database-recovery-dev.example",
}
RETIRED = {**FRESH, "primaryDatabaseBirth": "none"}
# A whole number crosses the engine's wire as a float.
REPROTECTED = {**FRESH, "primaryDatabaseBirth": "replica", "primaryDatabaseGeneration": 2.0}
FAILED_OVER = {"activeSite": "recovery"}
RETIRING = {**FAILED_OVER, "retiring": "primary"}


def judge(deployed: dict[str, object], username: str = "owner", **overrides: Any) -> None:
    refuse_replacement(deployed, settings_of("data", "dev", **overrides), username)


@pytest.mark.parametrize(
    ("deployed", "overrides"),
    [
        ({}, {}),
        ({}, {"primaryBirth": "snapshot old"}),
        ({}, {"recoveryBirth": "none"}),
        ({}, {"activeSite": "recovery", "recoveryBirth": "original", "primaryBirth": "replica"}),
        (FRESH, {}),
        ({"databaseName": "app", "masterUsername": "owner"}, FAILED_OVER),
        (FRESH, FAILED_OVER),
        (FRESH, RETIRING),
        (FRESH, {**RETIRING, "primaryBirth": "none"}),
        (FRESH, {"retiring": "recovery", "recoveryBirth": "none"}),
        (RETIRED, {**RETIRING, "primaryBirth": "none"}),
        (RETIRED, {**FAILED_OVER, "primaryBirth": "none"}),
        (RETIRED, {**FAILED_OVER, "primaryBirth": "replica", "primaryGeneration": 2}),
        (REPROTECTED, {**FAILED_OVER, "primaryBirth": "replica", "primaryGeneration": 2}),
        ({**FRESH, "recoveryDatabaseBirth": "none", "recoveryDatabaseAddress": ""}, {}),
    ],
)
def test_what_follows_from_what_is_deployed_passes(deployed: dict[str, object], overrides: dict[str, Any]) -> None:
    judge(deployed, **overrides)


@pytest.mark.parametrize(
    ("deployed", "overrides", "message"),
    [
        (FRESH, {"databaseName": "other"}, "setting databaseName = other: the database was made with app"),
        (REPROTECTED, {"databaseName": "other", "primaryBirth": "replica", "primaryGeneration": 2}, "made with app"),
        ({}, {"primaryBirth": "replica"}, "primaryBirth = replica: nothing is deployed that it could be a replica of"),
        ({}, {"primaryBirth": "snapshot a", "recoveryBirth": "snapshot b"}, "it would share no data with the primary"),
        (FRESH, {"recoveryBirth": "none"}, "recoveryBirth = none: that deletes its instance: set retiring: recovery"),
        (FRESH, {"recoveryBirth": SNAPSHOT}, f"recoveryBirth = {SNAPSHOT}: its instance began as replica"),
        (FRESH, {"recoveryGeneration": 2}, "recoveryGeneration = 2: generation 1 is still there: put 1 back"),
        (REPROTECTED, {"primaryBirth": "replica", **FAILED_OVER}, "primaryGeneration = 1: generation 2 is still there"),
        (RETIRED, {**FAILED_OVER, "primaryBirth": "replica"}, "generation 1 was retired: set primaryGeneration to 2"),
        (
            RETIRED,
            {**FAILED_OVER, "primaryBirth": "replica", "primaryGeneration": 3},
            "generation 1 was the last: give 2",
        ),
    ],
)
def test_what_would_need_another_instance_is_refused(
    deployed: dict[str, object], overrides: dict[str, Any], message: str
) -> None:
    with pytest.raises(SettingsError) as refused:
        judge(deployed, **overrides)
    assert message in str(refused.value)


def test_another_master_user_is_refused() -> None:
    with pytest.raises(
        SettingsError, match=r"username of the secret postgres-dr/dev/master = other: .* put owner back"
    ):
        judge(FRESH, username="other")


def test_a_database_from_elsewhere_brings_its_own_names() -> None:
    lost = {**FRESH, "recoveryDatabaseBirth": "none"}
    restored = {"activeSite": "recovery", "recoveryBirth": "snapshot theirs", "recoveryGeneration": 2}
    judge(lost, username="theirs", databaseName="theirs", **restored)
