"""AWS itself is asked about protection and security groups: a stack's state can be out of date."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from deployment import in_aws
from shared.environment import Environment
from shared.errors import SettingsError
from shared.sites import Site
from tests.stubbed import stubbed

NETWORK = {
    "primaryDatabaseSecurityGroupId": "sg-primary",
    "recoveryDatabaseSecurityGroupId": "sg-recovery",
    "primaryQuarantineSecurityGroupId": "sg-shut-primary",
    "recoveryQuarantineSecurityGroupId": "sg-shut-recovery",
}


class Aws:
    """Databases by identifier, and whether the table is protected; None for what is not there."""

    def __init__(self) -> None:
        self.databases: dict[str, Mapping[str, Any] | None] = {
            "database-primary-dev": stands_in("sg-primary"),
            "database-recovery-dev": stands_in("sg-recovery"),
        }
        self.table: bool | None = False
        self.denied = False

    def client(self, service: str, region: str) -> Any:
        stubber = stubbed(service, region)
        if service == "dynamodb":
            if self.table is None:
                stubber.add_client_error("describe_table", "ResourceNotFoundException")
            else:
                stubber.add_response("describe_table", {"Table": {"DeletionProtectionEnabled": self.table}})
        else:
            name = "database-primary-dev" if region == "ap-southeast-2" else "database-recovery-dev"
            found = self.databases[name]
            if self.denied:
                stubber.add_client_error("describe_db_instances", "AccessDenied")
            elif found is None:
                stubber.add_client_error("describe_db_instances", "DBInstanceNotFound")
            else:
                stubber.add_response("describe_db_instances", {"DBInstances": [found]})
        return stubber.client


def stands_in(*groups: str) -> dict[str, Any]:
    return {"VpcSecurityGroups": [{"VpcSecurityGroupId": group, "Status": "active"} for group in groups]}


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Aws:
    made = Aws()
    monkeypatch.setattr(in_aws, "_client", made.client)
    return made


def test_protection_set_by_hand_is_found(aws: Aws, dev: Environment) -> None:
    assert in_aws.protected_in_aws(dev, databases=True, table=True) == []
    aws.databases["database-recovery-dev"] = {"DeletionProtection": True}
    aws.table = True
    found = in_aws.protected_in_aws(dev, databases=True, table=True)
    assert found == ["database-recovery-dev", "failover-state-primary-dev", "failover-state-recovery-dev"]
    assert in_aws.protected_in_aws(dev, databases=False, table=False) == []


def test_what_is_not_there_is_not_protected(aws: Aws, dev: Environment) -> None:
    aws.databases = dict.fromkeys(aws.databases)
    aws.table = None
    assert in_aws.protected_in_aws(dev, databases=True, table=True) == []


def test_what_may_not_be_looked_at_is_unknown_and_not_unprotected(aws: Aws, dev: Environment) -> None:
    aws.denied = True
    with pytest.raises(SettingsError, match="let these credentials look"):
        in_aws.protected_in_aws(dev, databases=True, table=False)
    with pytest.raises(SettingsError, match="let these credentials look"):
        in_aws.opened_or_shut(dev, NETWORK, Site.PRIMARY)


def test_databases_in_their_own_groups_are_no_drift(aws: Aws, dev: Environment) -> None:
    assert in_aws.opened_or_shut(dev, NETWORK, Site.PRIMARY) == []


@pytest.mark.parametrize("groups", [("sg-open",), ("sg-recovery", "sg-open"), ()])
def test_another_group_is_drift(aws: Aws, dev: Environment, groups: tuple[str, ...]) -> None:
    aws.databases["database-recovery-dev"] = stands_in(*groups)
    (difference,) = in_aws.opened_or_shut(dev, NETWORK, Site.PRIMARY)
    assert difference.startswith("database-recovery-dev stands in ")


def test_a_writer_in_quarantine_is_drift_and_an_old_writer_is_not(aws: Aws, dev: Environment) -> None:
    aws.databases["database-primary-dev"] = stands_in("sg-shut-primary")
    assert in_aws.opened_or_shut(dev, NETWORK, Site.PRIMARY) == [
        "database-primary-dev stands in sg-shut-primary, not in sg-primary"
    ]
    assert in_aws.opened_or_shut(dev, NETWORK, Site.RECOVERY) == []
    assert in_aws.opened_or_shut(dev, NETWORK, None) == []
