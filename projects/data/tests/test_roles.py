"""What the program declares in each state of an environment: birth is an argument, the role follows (R1, R2)."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pulumi
import pytest

from data_layer.declared import DeclaredInstance, Role
from data_layer.instance import FIXED_AT_BIRTH, MOVED_BY_FAILOVER, InstanceProfile, Placement, instance_options
from lab.engine.recording import RecordedProgram, RecordedResource, run_recorded
from shared.sites import Site
from tests.contracts.settings_of import settings_of

REGIONS = {Site.PRIMARY: "ap-southeast-2", Site.RECOVERY: "ap-southeast-1"}
ARNS = {site: f"arn:aws:rds:{region}:000000000000:db:database-{site}-lab" for site, region in REGIONS.items()}
AUTO_BACKUP = "arn:aws:rds:ap-southeast-1:000000000000:auto-backup:ab-1"
KEPT = {"skipFinalSnapshot": False}
PROTECTED = {**KEPT, "environment": "production", "forceDestroyBuckets": False}

SWAPPED = {"activeSite": "recovery", "recoveryBirth": "original", "primaryBirth": "replica"}
FAILED_OVER = {"activeSite": "recovery"}
RETIRING = {**FAILED_OVER, "retiring": "primary"}
RETIRED = {**RETIRING, "primaryBirth": "none"}
REPROTECTED = {**FAILED_OVER, "primaryBirth": "replica", "primaryGeneration": 2}
FAILED_BACK = {"primaryBirth": "replica", "primaryGeneration": 2}
AS_AT_THE_START = {**FAILED_BACK, "recoveryGeneration": 2}
FAR_LATER = {"primaryBirth": "replica", "primaryGeneration": 11, "recoveryGeneration": 10, "activeSite": "recovery"}
ALONE = {"activeSite": "recovery", "primaryBirth": "none"}
STATES: dict[str, dict[str, Any]] = {
    "fresh": {},
    "swapped": SWAPPED,
    "failed over": FAILED_OVER,
    "retiring": RETIRING,
    "retired": RETIRED,
    "reprotected": REPROTECTED,
    "failed back": FAILED_BACK,
    "as at the start": AS_AT_THE_START,
    "standby lost": {"retiring": "recovery"},
    "far later": FAR_LATER,
    "restored": {**ALONE, "recoveryBirth": "snapshot old"},
    "restored in time": {**ALONE, "recoveryBirth": f"point-in-time {AUTO_BACKUP} latest"},
}
LAST: dict[str, Any] = {
    "databaseName": "app",
    "primaryDatabaseAddress": "database-primary-lab.last.example",
    "recoveryDatabaseAddress": "database-recovery-lab.last.example",
}
PASSWORD = "recorded-secret"

Declare = Callable[..., RecordedProgram]
each_state = pytest.mark.parametrize("state", STATES.values(), ids=STATES.keys())


@pytest.fixture
def declare(network: RecordedProgram) -> Declare:
    """The program's registrations with these settings, over an environment that is deployed."""

    def run(*settings: Mapping[str, Any], last: Mapping[str, Any] = LAST) -> RecordedProgram:
        merged = {key: value for each in settings for key, value in each.items()}
        return run_recorded("data", merged, below={"network": network.outputs, "data": last})

    return run


def at(program: RecordedProgram, site: Site) -> RecordedResource:
    (found,) = (one for one in program.of_type("Instance") if one.inputs["identifier"] == f"database-{site}-lab")
    return found


def expected(state: Mapping[str, Any]) -> Mapping[Site, DeclaredInstance]:
    instances: Mapping[Site, DeclaredInstance] = settings_of("data", "lab", **state).instances
    return instances


@each_state
def test_each_site_has_its_one_instance_under_its_canonical_name(declare: Declare, state: dict[str, Any]) -> None:
    program = declare(state)
    wanted = {site for site, declared in expected(state).items() if declared.exists}
    assert {one.inputs["identifier"] for one in program.of_type("Instance")} == {
        f"database-{site}-lab" for site in wanted
    }
    for site in wanted:
        declared, one = expected(state)[site], at(program, site)
        number = "" if declared.generation == 1 else f"-{declared.generation}"
        assert one.name == f"database-{site}-lab{number}"
        assert one.region == REGIONS[site]
        assert one.inputs["backupRetentionPeriod"] == 7
        assert one.inputs["parameterGroupName"] == f"postgres14-{site}-lab"


@each_state
def test_the_other_layers_learn_of_both_sites(declare: Declare, state: dict[str, Any]) -> None:
    program = declare(state)
    assert program.outputs["activeSite"] == state.get("activeSite", "primary")
    for site, declared in expected(state).items():
        offered = {
            key: program.outputs[f"{site}Database{key}"] for key in ("Id", "Arn", "Generation", "Birth", "Address")
        }
        last = LAST[f"{site}DatabaseAddress"]
        assert offered == {
            "Id": f"database-{site}-lab",
            "Arn": ARNS[site],
            "Generation": declared.generation,
            "Birth": str(declared.birth),
            "Address": at(program, site).outputs["address"] if declared.exists else last,
        }


def test_a_site_that_never_had_an_instance_has_no_address(declare: Declare) -> None:
    assert declare({"recoveryBirth": "none"}, last={}).outputs["recoveryDatabaseAddress"] == ""


@each_state
def test_a_standby_stands_on_the_active_instance_and_that_on_none(declare: Declare, state: dict[str, Any]) -> None:
    program = declare(state)
    active = Site(state.get("activeSite", "primary"))
    instances = {one.urn for one in program.of_type("Instance")}
    assert not at(program, active).dependencies & instances
    for one in program.of_type("Instance"):
        if one is not at(program, active):
            assert one.dependencies & instances == {at(program, active).urn}


@each_state
def test_a_source_is_named_by_a_literal_arn(declare: Declare, state: dict[str, Any]) -> None:
    for site, declared in expected(state).items():
        if declared.exists:
            source = at(declare(state), site).inputs.get("replicateSourceDb")
            assert source == (ARNS[site.other] if str(declared.birth) == "replica" else None)


def test_another_source_can_be_named(declare: Declare) -> None:
    source = "arn:aws:rds:eu-central-1:000000000000:db:elsewhere"
    assert at(declare({"primaryBirth": f"replica {source}"}), Site.PRIMARY).inputs["replicateSourceDb"] == source


@each_state
def test_the_backups_of_the_active_instance_are_replicated_to_the_other_region(
    declare: Declare, network: RecordedProgram, state: dict[str, Any]
) -> None:
    program = declare(state)
    active = Site(state.get("activeSite", "primary"))
    generation = expected(state)[active].generation
    (replication,) = program.of_type("InstanceAutomatedBackupsReplication")
    number = "" if generation == 1 else f"-{generation}"
    assert replication.name == f"database-backups-{active.other}-lab{number}"
    assert replication.region == REGIONS[active.other]
    assert replication.inputs["sourceDbInstanceArn"] == ARNS[active]
    assert replication.inputs["kmsKeyId"] == network.outputs[f"{active.other}DataKeyArn"]
    assert at(program, active).urn in replication.dependencies


def test_with_a_dark_region_nothing_is_replicated_there(declare: Declare) -> None:
    program = declare(FAILED_OVER, {"backupReplicationRetentionDays": 0})
    assert not program.of_type("InstanceAutomatedBackupsReplication")


@each_state
def test_the_secret_is_read_in_the_active_region_and_given_to_the_writer(
    declare: Declare, state: dict[str, Any]
) -> None:
    program = declare(state)
    active = Site(state.get("activeSite", "primary"))
    (invocation,) = program.invocations
    assert invocation.provider is not None
    assert invocation.provider.inputs["region"] == REGIONS[active]
    assert at(program, active).inputs["password"] == PASSWORD
    for site, declared in expected(state).items():
        if declared.exists and site is not active:
            assert ("password" in at(program, site).inputs) is (str(declared.birth) == "original")
    holders = [one for one in program.resources if PASSWORD in json.dumps(dict(one.inputs), default=str)]
    assert all("password" in one.registration.secret_inputs for one in holders)


def test_an_arn_of_the_secret_is_asked_for_in_the_active_region(declare: Declare) -> None:
    arn = "arn:aws:secretsmanager:{}:000000000000:secret:master-AbCdEf"
    (invocation,) = declare(FAILED_OVER, {"secretId": arn.format("ap-southeast-2")}).invocations
    assert invocation.arguments["secretId"] == arn.format("ap-southeast-1")


@each_state
def test_a_second_zone_is_the_writers(declare: Declare, state: dict[str, Any]) -> None:
    program = declare(state, {"multiAz": True})
    for one in program.of_type("Instance"):
        is_active = one is at(program, Site(state.get("activeSite", "primary")))
        assert one.inputs.get("multiAz", False) is is_active


@each_state
@pytest.mark.parametrize("kept", [KEPT, PROTECTED], ids=["final snapshot", "production"])
def test_a_writer_is_never_deleted_without_a_last_snapshot(
    declare: Declare, state: dict[str, Any], kept: dict[str, Any]
) -> None:
    program = declare(state, kept)
    active = Site(state.get("activeSite", "primary"))
    names = set()
    for site, declared in expected(state).items():
        if not declared.exists:
            continue
        inputs = at(program, site).inputs
        is_replica = str(declared.birth).startswith("replica") and site is not active
        assert inputs["skipFinalSnapshot"] is (is_replica or declared.role is Role.RETIRING)
        assert ("finalSnapshotIdentifier" in inputs) is not inputs["skipFinalSnapshot"]
        names.add(inputs.get("finalSnapshotIdentifier"))
    assert names - {None}


def test_the_final_snapshot_of_each_instance_has_a_name_of_its_own(declare: Declare) -> None:
    named = {
        (site, number): at(
            declare({"activeSite": site, f"{site}Generation": number, f"{site}Birth": "snapshot a"}, KEPT), site
        ).inputs["finalSnapshotIdentifier"]
        for site in Site
        for number in (1, 2, 12)
    }
    assert len(set(named.values())) == len(named)
    assert named[Site.PRIMARY, 1].startswith("final-primary-lab-")
    assert named[Site.RECOVERY, 12].startswith("final-recovery-lab-12-")


@pytest.mark.parametrize(
    ("settings", "refuses"),
    [
        ({}, {Role.ACTIVE: False, Role.STANDBY: False, Role.RETIRING: False}),
        # Promoted without a deploy, a standby would be deleted by `pulumi destroy` as the replica that it was.
        (KEPT, {Role.ACTIVE: False, Role.STANDBY: True, Role.RETIRING: False}),
        (PROTECTED, {Role.ACTIVE: True, Role.STANDBY: True, Role.RETIRING: False}),
    ],
    ids=["short-lived", "final snapshot", "production"],
)
@each_state
def test_who_refuses_to_be_deleted_follows_the_role(
    declare: Declare, state: dict[str, Any], settings: dict[str, Any], refuses: dict[Role, bool]
) -> None:
    program = declare(state, settings)
    for site, declared in expected(state).items():
        if declared.exists:
            one = at(program, site)
            assert (one.registration.protect, one.inputs["deletionProtection"]) == (refuses[declared.role],) * 2


@pytest.mark.parametrize("settings", [{}, PROTECTED], ids=["short-lived", "production"])
def test_the_backups_of_one_that_is_retired_are_kept(declare: Declare, settings: dict[str, Any]) -> None:
    assert at(declare(RETIRING, settings), Site.PRIMARY).inputs["deleteAutomatedBackups"] is False


@pytest.mark.parametrize(
    ("birth", "restored"),
    [
        ("snapshot rds:old", {"snapshotIdentifier": "rds:old"}),
        (
            f"point-in-time {AUTO_BACKUP} latest",
            {
                "restoreToPointInTime": {
                    "sourceDbInstanceAutomatedBackupsArn": AUTO_BACKUP,
                    "useLatestRestorableTime": True,
                }
            },
        ),
        (
            "point-in-time arn:aws:rds:ap-southeast-1:000000000000:db:looked-at 2026-05-04T03:02:01Z",
            {
                "restoreToPointInTime": {
                    "sourceDbInstanceIdentifier": "looked-at",
                    "restoreTime": "2026-05-04T03:02:01Z",
                }
            },
        ),
    ],
)
def test_a_restored_database_has_what_its_source_had(declare: Declare, birth: str, restored: dict[str, Any]) -> None:
    inputs = at(declare({**ALONE, "recoveryBirth": birth}), Site.RECOVERY).inputs
    assert {key: inputs[key] for key in restored} == restored
    assert inputs["engineLifecycleSupport"] == "open-source-rds-extended-support-disabled"
    assert (
        not {"engine", "engineVersion", "dbName", "username", "allocatedStorage", "replicateSourceDb"} & inputs.keys()
    )


@pytest.mark.parametrize("role", list(Role))
def test_no_deploy_undoes_a_failover_or_replaces_an_instance(role: Role) -> None:
    declared = DeclaredInstance(Site.PRIMARY, 1, expected({})[Site.PRIMARY].birth, role)
    options = instance_options("database", declared, _profile(), _placement(), None, None, None)  # type: ignore[arg-type]
    ignored = set(options.ignore_changes or [])
    assert {"vpcSecurityGroupIds", "replicateSourceDb"} == set(MOVED_BY_FAILOVER)
    assert set(MOVED_BY_FAILOVER) | set(FIXED_AT_BIRTH) <= ignored
    assert ("password" in ignored) is (role is not Role.ACTIVE)
    assert not options.replace_on_changes
    assert not options.delete_before_replace


def _profile() -> InstanceProfile:
    return InstanceProfile(
        instance_class="db.t3.medium",
        port=5432,
        maximum_storage_gib=100,
        backup_retention_days=7,
        certificate_authority="rds-ca-rsa2048-g1",
        apply_immediately=False,
        protected=True,
        skip_final_snapshot=False,
        monitoring_interval_seconds=0,
        monitoring_role_arn=None,
    )


def _placement() -> Placement:
    class NoFoundation:
        log_groups: tuple[pulumi.Resource, ...] = ()

    settings = settings_of("data", "lab")
    return Placement(
        site=Site.PRIMARY,
        foundation=NoFoundation(),  # type: ignore[arg-type]
        security_group_id="sg-1",
        data_key_arn="arn",
        backup_window=settings.backup_windows[Site.PRIMARY],
        maintenance_window=settings.maintenance_windows[Site.PRIMARY],
    )
