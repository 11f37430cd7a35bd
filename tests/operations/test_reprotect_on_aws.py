"""What reprotection reads out of RDS and writes into the state table."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError

from aws_in_memory.deployed import healthy
from function_runtime.control import Pause
from function_runtime.fence import Outcome
from function_runtime.fence_record import FenceRecord
from function_runtime.items import serialized
from function_runtime.sites import Site
from operations.access import Role
from operations.errors import ChangedMeanwhileError, RefusedError, SilentRegionError
from operations.reprotect.on_aws import AwsWorld
from operations.reprotect.record import Reason, Record, StepName
from operations.reprotect.refusals import Words
from operations.reprotect.seen import look
from operations.reprotect.world import SnapshotSeen
from tests.operations.reprotecting import START, FakeLayer, failed_over
from tests.operations.terminal import ALICE, DEPLOYMENT, Terminal
from tests.operations.test_restore import CLIENT, NOW, PLACES, Person, Rds, instance

P, R = Site.PRIMARY, Site.RECOVERY
ID = "db-ABCDEFGHIJKL"
ARNS = {site: f"arn:aws:rds:{site}:111122223333:db:database-{site}" for site in Site}


@pytest.fixture
def rds() -> dict[Site, Rds]:
    made = {site: Rds() for site in Site}
    for site, each in made.items():
        group = f"{site}-QuarantineSecurityGroupId"
        each.instances[f"database-{site}"] = {**instance("available", group), "DbiResourceId": ID}
    return made


@pytest.fixture
def world(rds: dict[Site, Rds]) -> AwsWorld:
    terminal = Terminal(healthy())
    role = Role(ALICE, terminal, terminal.dynamodb, {})  # type: ignore[arg-type]
    return AwsWorld(ALICE, DEPLOYMENT, role, rds, PLACES, ARNS, Person())


def record(**more: Any) -> Record:
    known: dict[str, Any] = {
        "version": 0,
        "site": P,
        "writer_site": R,
        "epoch": 1,
        "reason": Reason.FAILED_OVER,
        "by": ALICE,
        "began_at": START,
        "replaces": True,
        "old_instance_id": ID,
        "generation": 2,
    }
    return Record(**{**known, **more})


def test_an_instance_is_what_rds_says_of_it(world: AwsWorld, rds: dict[Site, Rds]) -> None:
    seen = world.instance(P)
    assert seen is not None
    assert (seen.resource_id, seen.is_quarantined, seen.replica_of, seen.is_backed_up) == (ID, True, None, False)
    rds[P].instances["database-primary"] |= {
        "ReadReplicaSourceDBInstanceIdentifier": ARNS[R],
        "StatusInfos": [{"StatusType": "read replication", "Status": "terminated"}],
        "LatestRestorableTime": NOW,
    }
    seen = world.instance(P)
    assert seen is not None
    assert (seen.replica_of, seen.replication, seen.is_backed_up) == (ARNS[R], "terminated", True)
    rds[P].instances.clear()
    assert world.instance(P) is None


def test_a_backup_of_an_earlier_life_under_the_same_name_is_none_of_this_one(
    world: AwsWorld, rds: dict[Site, Rds]
) -> None:
    window = {"RestoreWindow": {"LatestTime": NOW}, "DBInstanceIdentifier": "database-primary"}
    rds[P].backups = [{**window, "DbiResourceId": "db-EARLIER"}]
    assert not _backed_up(world)
    rds[P].backups += [{**window, "DbiResourceId": ID}]
    assert _backed_up(world)


def _backed_up(world: AwsWorld) -> bool:
    seen = world.instance(P)
    assert seen is not None
    return seen.is_backed_up


def test_a_region_that_is_silent_is_told_from_one_that_refuses(world: AwsWorld, rds: dict[Site, Rds]) -> None:
    rds[P].silent = True
    with pytest.raises(SilentRegionError, match="wait until it does, then call this again"):
        world.instance(P)

    def refuse(**_: Any) -> Any:
        error: Any = {"Error": {"Code": "AccessDenied", "Message": "no"}, "ResponseMetadata": {"HTTPStatusCode": 403}}
        raise ClientError(error, "DescribeDBInstances")

    rds[P].silent = False
    rds[P].do_describe_db_instances = refuse  # type: ignore[method-assign,assignment]
    with pytest.raises(RefusedError, match="let your credentials look at the instance in ap-southeast-2") as refused:
        world.instance(P)
    assert not isinstance(refused.value, SilentRegionError)


def test_a_final_snapshot_is_named_after_this_life_of_the_instance(world: AwsWorld, rds: dict[Site, Rds]) -> None:
    name = world.snapshot_name(P, ID, 3)
    assert name == "final-database-primary-efghijkl-3"
    assert name not in (world.snapshot_name(P, "db-ABCDEFGHIJKM", 3), world.snapshot_name(P, ID, 4))

    def missing(**_: Any) -> Any:
        error: Any = {"Error": {"Code": "DBSnapshotNotFound", "Message": "-"}}
        raise CLIENT.exceptions.DBSnapshotNotFoundFault(error, "DescribeDBSnapshots")

    rds[P].do_describe_db_snapshots = missing  # type: ignore[method-assign]
    assert world.snapshot(P, name) is None
    world.take_snapshot(P, name)
    ((operation, asked),) = [each for each in rds[P].asked if each[0].startswith("create")]
    assert (operation, asked) == (
        "create_db_snapshot",
        {"DBSnapshotIdentifier": name, "DBInstanceIdentifier": "database-primary"},
    )
    found = {"DBSnapshots": [{"DbiResourceId": ID, "Status": "creating"}]}
    rds[P].do_describe_db_snapshots = lambda **_: found  # type: ignore[method-assign]
    assert world.snapshot(P, name) == SnapshotSeen(ID, "creating")


def test_backups_are_replicated_in_the_other_region(world: AwsWorld, rds: dict[Site, Rds]) -> None:
    assert not world.replicates_backups_of(R)
    rds[P].backups = [{"DBInstanceArn": ARNS[R], "Status": "replicating"}]
    assert world.replicates_backups_of(R)
    rds[P].backups = [{"DBInstanceArn": ARNS[R], "Status": "retained"}]
    assert not world.replicates_backups_of(R)
    world.stop_replicating_backups_of(R)
    assert rds[P].changes() == ["stop_db_instance_automated_backups_replication"]
    assert rds[R].changes() == []


def test_the_record_is_written_over_what_was_read_and_a_repeated_write_is_its_own(world: AwsWorld) -> None:
    first = world.save(record().begun(StepName.FOLLOW, START))
    assert first.version == 1
    # The SDK's second try of the same write.
    assert world.save(record().begun(StepName.FOLLOW, START)) == first
    with pytest.raises(ChangedMeanwhileError, match="another person runs this too"):
        world.save(record(by="bob"))
    item = world.tables()[R].reprotect
    assert item is not None
    assert Record.from_item(item) == first
    assert world.tables()[P].reprotect is None


def test_a_controller_is_told_in_its_own_table(world: AwsWorld) -> None:
    world.tell(P, world.control(P).with_pause(Pause(ALICE, START, "reprotect")))
    assert world.control(P).pause is not None
    assert world.control(R).pause is None


def test_of_two_fences_the_newer_counts(world: AwsWorld) -> None:
    for site, epoch in ((P, 1), (R, 3)):
        fenced = FenceRecord(P, epoch, Outcome.FENCED, "", START, version=1)
        world.role.dynamodb[site].put_item(
            TableName=DEPLOYMENT.at[site].state_table_name,
            Item=serialized(fenced.as_item()),
            ConditionExpression="attribute_not_exists(#version)",
            ExpressionAttributeNames={"#version": "version"},
        )
    fence = world.fence(world.tables(), P)
    assert fence.guard is not None
    assert (fence.guard.epoch, fence.incident) == (3, None)


def test_a_dark_region_ends_a_look_with_what_to_wait_for(world: AwsWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    def silent(**_: Any) -> Any:
        raise ConnectTimeoutError(endpoint_url="dynamodb")

    class Silent:
        get_item = staticmethod(silent)

    world.role.dynamodb[R] = Silent()  # type: ignore[index]
    with pytest.raises(RefusedError, match=r"the recovery region = .does not answer.: wait until it does"):
        look(world, FakeLayer(failed_over()))


def test_the_clock_is_the_consoles(world: AwsWorld) -> None:
    assert isinstance(world.now(), datetime)
    assert Words() == Words(without_snapshot=False, settled=False)


@pytest.mark.parametrize(("days", "kept"), [(7, True), (0, False)])
def test_backups_are_kept_where_their_retention_is_not_zero(
    world: AwsWorld, rds: dict[Site, Rds], days: int, kept: bool
) -> None:
    rds[P].instances["database-primary"] |= {"BackupRetentionPeriod": days}
    seen = world.instance(P)
    assert seen is not None
    assert seen.keeps_backups is kept
