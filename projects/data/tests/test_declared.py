"""A configuration that contradicts itself is refused, by the program itself: a bare `pulumi up` has nothing else."""

from __future__ import annotations

from functools import partial

import pytest

from data_layer.declared import Role
from shared.errors import SettingsError
from shared.sites import Site
from tests.contracts.settings_of import settings_of

load = partial(settings_of, "data")
HERE = "arn:aws:rds:ap-southeast-1:111122223333"
THERE = "arn:aws:rds:ap-southeast-2:111122223333"


def roles(**overrides: object) -> dict[Site, Role]:
    return {site: declared.role for site, declared in load(**overrides).instances.items()}


def test_by_default_the_primary_site_is_active() -> None:
    assert roles() == {Site.PRIMARY: Role.ACTIVE, Site.RECOVERY: Role.STANDBY}


def test_after_a_failover_the_old_writer_is_a_standby_until_it_is_retired() -> None:
    assert roles(activeSite="recovery") == {Site.PRIMARY: Role.STANDBY, Site.RECOVERY: Role.ACTIVE}
    assert roles(activeSite="recovery", retiring="primary")[Site.PRIMARY] is Role.RETIRING


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"activeSite": "standby"}, "activeSite = standby: give one of: primary, recovery"),
        ({"retiring": "both"}, "retiring = both: give one of: none, primary, recovery"),
        ({"retiring": "primary"}, "retiring = primary: its database takes writes: retire recovery"),
        ({"activeSite": "recovery", "retiring": "recovery"}, "retiring = recovery: its database takes writes"),
        ({"primaryBirth": "none"}, "primaryBirth = none: activeSite is this site, so it needs an instance"),
        ({"recoveryBirth": "original"}, "recoveryBirth = original: primaryBirth is original too"),
        (
            {"recoveryBirth": "original", "activeSite": "recovery"},
            "primaryBirth = original: recoveryBirth is original too",
        ),
        ({"primaryGeneration": 0}, "primaryGeneration = 0: give a whole number from 1"),
        ({"recoveryGeneration": "1.5"}, "recoveryGeneration = 1.5: the project says it is an integer"),
        (
            {"recoveryBirth": f"replica {HERE}:db:database-recovery-dev"},
            "it would be a replica of itself: give replica",
        ),
        ({"recoveryBirth": f"replica {HERE}:db:other"}, "its source lies in ap-southeast-1 too and is lost with it"),
        (
            {"recoveryBirth": "replica arn:aws:rds:ap-southeast-2:999999999999:db:x"},
            "RDS replicates within an account only: name one of 111122223333",
        ),
        ({"recoveryBirth": f"snapshot {THERE}:snapshot:x"}, "RDS restores within a region only: name the copy in"),
        ({"recoveryBirth": f"point-in-time {THERE}:auto-backup:ab-1 latest"}, "RDS restores within a region only"),
        (
            {"recoveryBirth": f"point-in-time {HERE}:db:database-recovery-dev latest"},
            "retire the source and name its retained backup",
        ),
    ],
)
def test_a_contradiction_is_one_line_with_the_remedy(overrides: dict[str, object], message: str) -> None:
    with pytest.raises(SettingsError) as refused:
        load(**overrides)
    assert message in str(refused.value)
