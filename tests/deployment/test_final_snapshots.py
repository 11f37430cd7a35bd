"""A database that has data of its own is deleted by no deploy before its final snapshot is available."""

from __future__ import annotations

from typing import Any

import pytest

from deployment.final_snapshots import final_snapshot_name
from deployment.in_aws import refuse_without_snapshot
from shared.environment import Environment
from shared.errors import SettingsError
from shared.sites import Site
from tests.stubbed import stubbed

NAME, ID = "database-primary-dev", "db-ABCDEFGHIJKL"
OLD_WRITER: dict[str, Any] = {"DBInstanceIdentifier": NAME, "DbiResourceId": ID, "DBInstanceStatus": "available"}
FINAL = {"DBSnapshotIdentifier": f"{final_snapshot_name(NAME, ID)}-3", "DbiResourceId": ID, "Status": "available"}


def judge(
    monkeypatch: pytest.MonkeyPatch, dev: Environment, instance: dict[str, Any] | None, *snapshots: dict[str, Any]
) -> None:
    stubber = stubbed("rds", "ap-southeast-2")
    if instance is None:
        stubber.add_client_error("describe_db_instances", "DBInstanceNotFound")
    else:
        stubber.add_response("describe_db_instances", {"DBInstances": [instance]})
    stubber.add_response("describe_db_snapshots", {"DBSnapshots": list(snapshots)})
    monkeypatch.setattr("deployment.in_aws.boto3.client", lambda *_, **__: stubber.client)
    refuse_without_snapshot(dev, Site.PRIMARY)


@pytest.mark.parametrize(
    ("instance", "snapshots"),
    [
        (OLD_WRITER, [FINAL]),
        (
            OLD_WRITER,
            [{**FINAL, "Status": "failed"}, {**FINAL, "DBSnapshotIdentifier": f"{final_snapshot_name(NAME, ID)}"}],
        ),
        (None, []),
        ({**OLD_WRITER, "ReadReplicaSourceDBInstanceIdentifier": "arn"}, []),
        ({**OLD_WRITER, "DBInstanceStatus": "failed"}, []),
    ],
    ids=["with its final snapshot", "by hand", "gone", "a replica", "dead"],
)
def test_it_goes(
    instance: dict[str, Any] | None, snapshots: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch, dev: Environment
) -> None:
    judge(monkeypatch, dev, instance, *snapshots)


@pytest.mark.parametrize(
    ("status", "snapshots", "found"),
    [
        ("available", [], "not there"),
        ("modifying", [], "not there"),
        ("available", [{**FINAL, "Status": "creating"}], "creating"),
        ("available", [{**FINAL, "DbiResourceId": "db-EARLIER"}], "not there"),
        ("available", [{**FINAL, "DBSnapshotIdentifier": "of-last-year"}], "not there"),
    ],
)
def test_it_stays(
    status: str, snapshots: list[dict[str, Any]], found: str, monkeypatch: pytest.MonkeyPatch, dev: Environment
) -> None:
    with pytest.raises(SettingsError, match=f"final snapshot {final_snapshot_name(NAME, ID)} is {found}") as refused:
        judge(monkeypatch, dev, {**OLD_WRITER, "DBInstanceStatus": status}, *snapshots)
    assert "nothing was changed: ./dr reprotect takes it" in str(refused.value)
