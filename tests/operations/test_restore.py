"""``nox -s restore``: what it lists, what it asks RDS for, and what it refuses."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore import xform_name
from botocore.exceptions import ClientError, ConnectTimeoutError
from botocore.validate import validate_parameters

from deployment.state_tables import Answer, Table, Tables
from function_runtime import words
from function_runtime.sites import Site
from function_runtime.state import Controller
from operations.arguments import parse
from operations.console import Console
from operations.errors import RefusedError
from operations.inspect_command import RestoreAccess, inspect
from operations.places import Places
from operations.requests import InspectRequest, RestoreRequest
from operations.restorable import restorable, summary
from operations.restore_command import restore
from shared.errors import SettingsError

NOW = datetime(2026, 1, 2, 12, tzinfo=UTC)
COPY = "copy-database-primary-2026-01-02-03-00"
OUTPUTS = {
    "stackName": "test",
    "environmentSuffix": "test",
    "databasePort": 5432,
    "databaseName": "app",
    "masterUsername": "owner",
    "restoreRoleArn": "arn:aws:iam::111122223333:role/restore",
    "inspectionAdmits": "operators",
    **{
        f"{site}{key}": f"{site}-{key}"
        for site in Site
        for key in (
            "SubnetGroupName",
            "ParameterGroupName",
            "QuarantineSecurityGroupId",
            "InspectionSecurityGroupId",
            "DataKeyArn",
        )
    },
    **{f"{site}DatabaseId": f"database-{site}" for site in Site},
    "primaryRegion": "ap-southeast-2",
    "recoveryRegion": "ap-southeast-1",
}
PLACES = Places.of(OUTPUTS)
CLIENT: Any = boto3.client("rds", region_name="ap-southeast-1", aws_access_key_id="-", aws_secret_access_key="-")


class Rds:
    """RDS of one region: every call's parameters are held against RDS's own description of them."""

    exceptions = CLIENT.exceptions

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.instances: dict[str, dict[str, Any]] = {}
        self.snapshots = [described("rds:database-recovery-1", "automated", 5), described(COPY, "manual", 9)]
        self.backups: list[dict[str, Any]] = []
        self.silent = False
        self.ends_as = "available"

    def __getattr__(self, operation: str) -> Any:
        if operation.startswith("do_"):
            raise AttributeError(operation)

        def call(**parameters: Any) -> Any:
            if self.silent:
                raise ConnectTimeoutError(endpoint_url="rds")
            model = CLIENT.meta.service_model
            (name,) = (each for each in model.operation_names if xform_name(each) == operation)
            validate_parameters(parameters, model.operation_model(name).input_shape)
            self.asked.append((operation, parameters))
            return getattr(self, f"do_{operation}", lambda **_: {})(**parameters)

        return call

    def do_describe_db_snapshots(self, **asked: Any) -> Any:
        return {"DBSnapshots": [each for each in self.snapshots if each["SnapshotType"] == asked["SnapshotType"]]}

    def do_describe_db_instance_automated_backups(self, Marker: str = "0", **_: Any) -> Any:  # noqa: N803
        """Page by page, one on each."""
        number = int(Marker)
        more = {"Marker": str(number + 1)} if number + 1 < len(self.backups) else {}
        return {"DBInstanceAutomatedBackups": self.backups[number : number + 1], **more}

    def do_describe_db_instances(self, DBInstanceIdentifier: str | None = None, **_: Any) -> Any:  # noqa: N803
        if DBInstanceIdentifier is None:
            return {"DBInstances": [{"DBInstanceIdentifier": name, **each} for name, each in self.instances.items()]}
        if DBInstanceIdentifier not in self.instances:
            error: Any = {"Error": {"Code": "DBInstanceNotFound", "Message": "-"}}
            raise CLIENT.exceptions.DBInstanceNotFoundFault(error, "DescribeDBInstances")
        return {"DBInstances": [self.instances[DBInstanceIdentifier]]}

    def do_restore_db_instance_from_db_snapshot(self, **asked: Any) -> Any:
        self.instances[asked["DBInstanceIdentifier"]] = instance(self.ends_as, *asked["VpcSecurityGroupIds"])

    def do_restore_db_instance_to_point_in_time(self, **asked: Any) -> Any:
        self.instances[asked["TargetDBInstanceIdentifier"]] = instance(self.ends_as, *asked["VpcSecurityGroupIds"])

    def changes(self) -> list[str]:
        return [operation for operation, _ in self.asked if not operation.startswith("describe")]


def described(identifier: str, kind: str, hours: int) -> dict[str, Any]:
    return {
        "DBSnapshotIdentifier": identifier,
        "DBSnapshotArn": f"arn:{identifier}",
        "DBInstanceIdentifier": "database-primary" if kind == "manual" else "database-recovery",
        "SnapshotType": kind,
        "Status": "available",
        "SnapshotCreateTime": NOW - timedelta(hours=hours),
        "TagList": [{"Key": "Owner", "Value": "team"}, {"Key": "DR-CopiedBy", "Value": "us"}],
    }


def instance(status: str, *groups: str) -> dict[str, Any]:
    return {
        "DBInstanceStatus": status,
        "VpcSecurityGroups": [{"VpcSecurityGroupId": group, "Status": "active"} for group in groups],
        "Endpoint": {"Address": "restored.example", "Port": 5432},
    }


class Person(Console):
    """Answers, and keeps what is said."""

    def __init__(self, answer: str = "") -> None:
        self.lines: list[str] = []
        self.answer = answer

    def say(self, lines: Iterable[str]) -> None:
        self.lines += lines

    def ask(self, question: str) -> str:
        self.lines.append(question)
        return self.answer

    def now(self) -> datetime:
        return NOW

    def sleep(self, seconds: float) -> None:
        del seconds

    @property
    def said(self) -> str:
        return "\n".join(self.lines)


class Terminal:
    """Gives commands."""

    def __init__(self, writer: Site = Site.PRIMARY) -> None:
        self.rds = {site: Rds() for site in Site}
        self.places = PLACES
        self.known = Controller(version=1, epoch=1, writer_site=writer)
        self.person = Person()

    def tables(self) -> Tables:
        """Who the writer is; both say the same."""
        return {site: Table(site, Answer.RECORD, self.known) for site in Site}

    def give(self, command: str) -> int:
        request = parse(["restore", *command.split()])
        access = RestoreAccess("arn:aws:iam::111122223333:user/alice", self.rds, self.tables)
        if isinstance(request, InspectRequest):
            return inspect(request, self.places, access, self.person)
        assert isinstance(request, RestoreRequest)
        return restore(request, self.places, access, self.person)


TO = "--site recovery --name restored-orders"


def test_the_status_shows_the_newest_of_each_kind_and_what_a_dark_source_leaves() -> None:
    rds = {site: Rds() for site in Site}
    rds[Site.RECOVERY].snapshots.append(described("copy-database-primary-2025-12-31-03-00", "manual", 57))
    rds[Site.RECOVERY].backups = [backup("arn:backups", "replicating", 0)]
    rds[Site.PRIMARY].silent = True
    status = summary(restorable(rds, PLACES), NOW)
    assert status[1].strip().startswith("primary: its region does not answer; use the other site")
    assert [line.strip() for line in status[2:]] == [
        "recovery:",
        "rds:database-recovery-1, of 2026-01-02 07:00:00 UTC (5 h ago)",
        f"{COPY}, of 2026-01-02 03:00:00 UTC (9 h ago)",
        f"replicated backups of database-primary: any moment from 2025-12-26 12:00:00 UTC to {words.ago(NOW, NOW)}",
    ]


def test_it_lists_both_sites_and_a_dark_region_hides_nothing_of_the_other() -> None:
    terminal = Terminal()
    terminal.rds[Site.PRIMARY].silent = True
    assert terminal.give("") == 0
    assert f"{COPY}, of 2026-01-02 03:00:00 UTC (9 h ago)" in terminal.person.said
    assert "primary: its region does not answer" in terminal.person.said
    assert terminal.rds[Site.RECOVERY].changes() == []


def test_a_snapshot_becomes_a_new_instance_that_nobody_reaches() -> None:
    terminal = Terminal()
    terminal.person.answer = "restored-orders"
    assert terminal.give(f"--snapshot {COPY} {TO}") == 0
    ((operation, asked),) = [each for each in terminal.rds[Site.RECOVERY].asked if not each[0].startswith("describe")]
    assert operation == "restore_db_instance_from_db_snapshot"
    assert (asked["DBInstanceIdentifier"], asked["DBSnapshotIdentifier"]) == ("restored-orders", COPY)
    assert asked["VpcSecurityGroupIds"] == ["recovery-QuarantineSecurityGroupId"]
    assert (asked["DBSubnetGroupName"], asked["PubliclyAccessible"]) == ("recovery-SubnetGroupName", False)
    assert {tag["Key"] for tag in asked["Tags"]} == {"Owner", "Name", "RestoredBy"}
    assert "host=restored.example port=5432 dbname=app user=owner" in terminal.person.said


@pytest.mark.parametrize("options", ["--dry-run", ""])
def test_a_dry_run_and_somebody_who_does_not_confirm_change_nothing(options: str) -> None:
    terminal = Terminal()
    if options:
        assert terminal.give(f"--snapshot {COPY} {TO} {options}") == 0
    else:
        with pytest.raises(RefusedError, match="nothing was done"):
            terminal.give(f"--snapshot {COPY} {TO}")
    assert "Plan: a new instance in the recovery site" in terminal.person.said
    assert terminal.rds[Site.RECOVERY].changes() == []


WINDOW = {"EarliestTime": NOW - timedelta(days=7), "LatestTime": NOW - timedelta(minutes=5)}


def test_a_moment_of_the_other_sites_database_comes_from_its_replicated_backups() -> None:
    terminal = Terminal()
    terminal.rds[Site.RECOVERY].backups = [
        {
            "DBInstanceIdentifier": "database-primary",
            "DBInstanceAutomatedBackupsArn": "arn:backups",
            "Region": "ap-southeast-2",
            "RestoreWindow": WINDOW,
        }
    ]
    assert terminal.give(f"--point-in-time 2026-01-02T11:00:00Z --of primary {TO} --yes") == 0
    asked = dict(terminal.rds[Site.RECOVERY].asked)["restore_db_instance_to_point_in_time"]
    assert asked["SourceDBInstanceAutomatedBackupsArn"] == "arn:backups"
    assert asked["RestoreTime"] == NOW - timedelta(hours=1)
    assert terminal.give("--point-in-time latest --of primary --site recovery --name restored-2 --yes") == 0
    assert terminal.rds[Site.RECOVERY].asked[-3][1]["UseLatestRestorableTime"] is True
    with pytest.raises(SettingsError, match=r"--point-in-time = 2026-01-02T11:59:00\+00:00: give a moment from"):
        terminal.give("--point-in-time 2026-01-02T11:59:00Z --of primary --site recovery --name restored-3 --yes")


def test_a_moment_of_the_sites_own_database_names_the_instance() -> None:
    terminal = Terminal()
    terminal.rds[Site.PRIMARY].backups = [{"DBInstanceIdentifier": "database-primary", "RestoreWindow": WINDOW}]
    assert terminal.give("--point-in-time latest --site primary --name restored-orders --yes") == 0
    asked = dict(terminal.rds[Site.PRIMARY].asked)["restore_db_instance_to_point_in_time"]
    assert asked["SourceDBInstanceIdentifier"] == "database-primary"


def test_an_instance_that_fails_is_no_success() -> None:
    terminal = Terminal()
    terminal.rds[Site.RECOVERY].ends_as = "incompatible-restore"
    assert terminal.give(f"--snapshot {COPY} {TO} --yes") == 1


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (f"--snapshot nothing {TO}", "--snapshot = nothing: no complete snapshot of the recovery site"),
        (f"--snapshot {COPY} --site recovery --name database-recovery", "--name = database-recovery: give a name such"),
        (
            f"--snapshot {COPY} --site recovery --name restored-there",
            "--name = restored-there: an instance of that name",
        ),
        (f"--snapshot {COPY} --name restored-orders", r"--site = \(not set\)"),
        (f"--snapshot {COPY} --site recovery", r"--name = \(not set\)"),
        (f"--point-in-time noon {TO}", "--point-in-time = noon: give latest, or a moment"),
        (f"--point-in-time 2026-01-02T11:00:00 {TO}", "say the time zone"),
        (f"--point-in-time latest {TO}", "--of = database-recovery: the recovery site has no automated backups"),
        ("--site recovery", "--site = recovery: give it with"),
    ],
)
def test_what_cannot_be_is_refused_with_the_remedy_before_anything_is_done(command: str, message: str) -> None:
    terminal = Terminal()
    terminal.rds[Site.RECOVERY].instances["restored-there"] = instance("available", "x")
    with pytest.raises(SettingsError, match=message):
        terminal.give(command)
    assert terminal.rds[Site.RECOVERY].changes() == []


def test_a_restored_instance_is_opened_for_the_operators_and_closed_again() -> None:
    terminal = Terminal()
    rds = terminal.rds[Site.RECOVERY]
    rds.instances["restored-orders"] = instance("available", "recovery-QuarantineSecurityGroupId")
    assert terminal.give("--inspect restored-orders --site recovery") == 0
    assert rds.asked[1][1]["VpcSecurityGroupIds"] == ["recovery-InspectionSecurityGroupId"]
    rds.instances["restored-orders"] = instance("available", "recovery-InspectionSecurityGroupId")
    assert terminal.give("--close restored-orders --site recovery") == 0
    assert rds.asked[-1][1]["VpcSecurityGroupIds"] == ["recovery-QuarantineSecurityGroupId"]


def test_a_fenced_old_writer_is_opened_for_a_look_and_the_writer_never() -> None:
    terminal = Terminal(writer=Site.RECOVERY)
    rds = terminal.rds[Site.PRIMARY]
    rds.instances["database-primary"] = instance("available", "primary-QuarantineSecurityGroupId")
    assert terminal.give("--inspect database-primary --site primary --yes") == 0
    assert "default_transaction_read_only=on" in terminal.person.said
    terminal.known = Controller(version=2, epoch=1, writer_site=Site.PRIMARY)
    with pytest.raises(SettingsError, match="the primary site is the writer"):
        terminal.give("--inspect database-primary --site primary")
    terminal.known = Controller(version=3, epoch=2, writer_site=Site.RECOVERY, incident_id="000002-x")
    with pytest.raises(RefusedError, match="incident 000002-x is under way"):
        terminal.give("--inspect database-primary --site primary")
    rds.instances["database-primary"] = instance("available", "sg-of-clients")
    with pytest.raises(SettingsError, match="it is neither restored nor fenced"):
        terminal.give("--inspect database-primary --site primary")


def test_what_rds_refuses_is_said_and_nothing_else_was_touched() -> None:
    terminal = Terminal()

    def refuse(**_: Any) -> Any:
        error: Any = {"Error": {"Code": "InstanceQuotaExceeded", "Message": "too many"}}
        raise ClientError(error, "RestoreDBInstanceFromDBSnapshot")

    terminal.rds[Site.RECOVERY].do_restore_db_instance_from_db_snapshot = refuse  # type: ignore[method-assign]
    with pytest.raises(RefusedError, match="InstanceQuotaExceeded"):
        terminal.give(f"--snapshot {COPY} {TO} --yes")


def test_an_output_that_an_older_version_did_not_write_is_named() -> None:
    with pytest.raises(SettingsError, match="restoreRoleArn"):
        Places.of({key: value for key, value in OUTPUTS.items() if key != "restoreRoleArn"})
    assert parse(["restore"]).outputs == Path(parse(["status"]).outputs)


def fenced() -> Terminal:
    terminal = Terminal(writer=Site.RECOVERY)
    terminal.rds[Site.PRIMARY].instances["database-primary"] = instance(
        "available", "primary-QuarantineSecurityGroupId"
    )
    return terminal


def test_a_fenced_old_writer_is_not_opened_where_clients_are_in_the_operators_network() -> None:
    terminal = fenced()
    terminal.places = replace(PLACES, operators_are_clients=True)
    with pytest.raises(RefusedError, match=r"operatorCidrs = .overlaps clientCidrs.: nothing was done: clients would"):
        terminal.give("--inspect database-primary --site primary --yes")
    assert terminal.rds[Site.PRIMARY].changes() == []
    assert terminal.give("--close database-primary --site primary") == 0


def test_a_fenced_old_writer_is_opened_only_by_somebody_who_confirms_it() -> None:
    terminal = fenced()
    with pytest.raises(RefusedError, match="not confirmed"):
        terminal.give("--inspect database-primary --site primary")
    assert terminal.rds[Site.PRIMARY].changes() == []
    terminal.person.answer = "database-primary"
    assert terminal.give("--inspect database-primary --site primary") == 0


def test_a_dry_run_opens_nothing_and_what_an_inspection_does_not_take_is_refused() -> None:
    terminal = Terminal()
    terminal.rds[Site.RECOVERY].instances["restored-a"] = instance("available", "recovery-QuarantineSecurityGroupId")
    assert terminal.give("--inspect restored-a --site recovery --dry-run") == 0
    assert "Nothing was done" in terminal.person.said
    for option in ("--of primary", "--no-wait"):
        with pytest.raises(SettingsError, match="it is for a restore"):
            terminal.give(f"--inspect restored-a --site recovery {option}")
    assert terminal.rds[Site.RECOVERY].changes() == []


def test_the_list_says_what_is_open_to_operators() -> None:
    terminal = fenced()
    terminal.rds[Site.PRIMARY].instances["database-primary"] = instance(
        "available", "primary-InspectionSecurityGroupId"
    )
    terminal.give("")
    assert "database-primary in primary is OPEN to the operators' network" in terminal.person.said


def backup(arn: str, status: str, days: int) -> dict[str, Any]:
    return {
        "DBInstanceIdentifier": "database-primary",
        "DBInstanceAutomatedBackupsArn": arn,
        "Region": "ap-southeast-2",
        "Status": status,
        "RestoreWindow": {"EarliestTime": NOW - timedelta(days=days + 7), "LatestTime": NOW - timedelta(days=days)},
    }


def restored_from(rds: Rds) -> str:
    calls = [asked for operation, asked in rds.asked if operation == "restore_db_instance_to_point_in_time"]
    return str(calls[-1]["SourceDBInstanceAutomatedBackupsArn"])


def test_backups_of_an_instance_that_is_gone_come_after_those_of_the_living_one() -> None:
    terminal = Terminal()
    rds = terminal.rds[Site.RECOVERY]
    rds.backups = [backup("arn:old", "retained", 20), backup("arn:new", "replicating", 0)]
    terminal.give(f"--point-in-time latest --of primary {TO} --yes")
    assert restored_from(rds) == "arn:new"
    assert "2026-01-02 12:00:00 UTC" in terminal.person.said
    rds.instances.clear()
    rds.backups = [backup("arn:old", "retained", 20)]
    terminal.give(f"--point-in-time latest --of primary {TO} --yes")
    assert restored_from(rds) == "arn:old"
    assert "an instance that is gone" in terminal.person.said


def test_a_moment_in_another_zone_is_told_as_what_it_is() -> None:
    terminal = Terminal()
    terminal.rds[Site.RECOVERY].backups = [backup("arn:new", "replicating", 0)]
    terminal.give(f"--point-in-time 2026-01-02T21:00:00+10:00 --of primary {TO} --dry-run")
    assert "as of 2026-01-02 11:00:00 UTC" in terminal.person.said


def test_a_snapshot_under_another_key_is_refused_and_another_environments_is_not_listed() -> None:
    terminal = Terminal()
    rds = terminal.rds[Site.RECOVERY]
    rds.snapshots = [{**described(COPY, "manual", 9), "KmsKeyId": "arn:another"}]
    with pytest.raises(SettingsError, match="encrypted with arn:another"):
        terminal.give(f"--snapshot {COPY} {TO}")
    rds.snapshots = [
        {**described("copy-database-primary-2-x", "manual", 1), "DBInstanceIdentifier": "database-primary-2"}
    ]
    terminal.give("")
    assert "copy-database-primary-2-x" not in terminal.person.said


def test_a_refusal_is_not_called_a_dark_region() -> None:
    terminal = Terminal()

    def refuse(**_: Any) -> Any:
        error: Any = {"Error": {"Code": "AccessDenied", "Message": "no"}, "ResponseMetadata": {"HTTPStatusCode": 403}}
        raise ClientError(error, "DescribeDBSnapshots")

    terminal.rds[Site.PRIMARY].do_describe_db_snapshots = refuse  # type: ignore[method-assign]
    terminal.give("")
    assert "primary: its region answers and refuses" in terminal.person.said
    assert "does not answer" not in terminal.person.said


@pytest.mark.parametrize("status", ["incompatible-network", "inaccessible-encryption-credentials", "storage-full"])
def test_a_restore_that_fails_in_any_way_ends(status: str) -> None:
    terminal = Terminal()
    terminal.rds[Site.RECOVERY].ends_as = status
    assert terminal.give(f"--snapshot {COPY} {TO} --yes") == 1


def test_a_restore_whose_answer_was_lost_is_followed_and_not_called_undone() -> None:
    terminal = Terminal()
    rds = terminal.rds[Site.RECOVERY]

    def lose(**asked: Any) -> Any:
        tags = asked["Tags"]
        rds.instances[asked["DBInstanceIdentifier"]] = {**instance("available", "x"), "TagList": tags}
        raise ConnectTimeoutError(endpoint_url="rds")

    rds.do_restore_db_instance_from_db_snapshot = lose  # type: ignore[method-assign]
    assert terminal.give(f"--snapshot {COPY} {TO} --yes") == 0
    assert "is available" in terminal.person.said


def test_an_answer_that_is_lost_for_good_is_not_called_undone() -> None:
    terminal = Terminal()
    rds = terminal.rds[Site.RECOVERY]

    def lose(**_: Any) -> Any:
        rds.silent = True
        raise ConnectTimeoutError(endpoint_url="rds")

    rds.do_restore_db_instance_from_db_snapshot = lose  # type: ignore[method-assign]
    with pytest.raises(RefusedError, match="whether RDS creates restored-orders is not known"):
        terminal.give(f"--snapshot {COPY} {TO} --yes")
    rds.silent = False
    rds.instances["restored-a"] = instance("available", "recovery-QuarantineSecurityGroupId")
    rds.do_modify_db_instance = lose  # type: ignore[attr-defined]
    with pytest.raises(RefusedError, match="whether restored-a has its new security group is not known"):
        terminal.give("--inspect restored-a --site recovery")
