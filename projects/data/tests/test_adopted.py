"""An instance that was there already: imported as it is, and left so until a setting takes an argument over."""

from __future__ import annotations

import json
from inspect import signature
from types import SimpleNamespace
from typing import Any

import pulumi_aws as aws
import pytest

from data_layer.adopted import KEPT, UNSAID
from data_layer.adoption_in_aws import refuse_a_stranger, refuse_unadoptable
from data_layer.replacement import refuse_replacement
from lab.engine.recording import RecordedProgram, RecordedResource, run_recorded
from shared.environment import Environment
from shared.errors import SettingsError
from shared.sites import Site
from tests.contracts.settings_of import settings_of

ADOPTED: dict[str, object] = {"primaryBirth": "adopted", "primaryDatabaseId": "orders"}
ARN = "arn:aws:rds:ap-southeast-2:000000000000:db:orders"
KEY = "arn:aws:kms:ap-southeast-2:000000000000:key/theirs"


def declared(network: RecordedProgram, **more: object) -> RecordedProgram:
    return run_recorded(
        "data", {**ADOPTED, **more}, below={"network": network.outputs, "data": {"databaseName": "app"}}
    )


def adopted(program: RecordedProgram) -> RecordedResource:
    return program.resource("database-primary-lab", "Instance")


@pytest.fixture(scope="module")
def program(network: RecordedProgram) -> RecordedProgram:
    return declared(network)


def test_it_is_imported_by_its_own_identifier(program: RecordedProgram) -> None:
    assert adopted(program).registration.import_id == adopted(program).inputs["identifier"] == "orders"
    others = [one for one in program.resources if one.registration.import_id]
    assert others == [adopted(program)]


def test_a_deploy_can_change_nothing_of_it_but_what_a_deletion_reads(program: RecordedProgram) -> None:
    one = adopted(program)
    assert set(one.inputs) - one.registration.ignore_changes == {"skipFinalSnapshot", "deleteAutomatedBackups"}
    assert "tagsAll" in one.registration.ignore_changes


@pytest.mark.parametrize("taken", [[], ["all"]], ids=["nothing taken over", "all"])
def test_what_the_program_never_says_is_not_taken_away_from_it(network: RecordedProgram, taken: list[str]) -> None:
    one = adopted(declared(network, takenOver=taken)).registration
    assert set(UNSAID) <= one.ignore_changes
    assert ({"iops", "storageThroughput"} <= one.ignore_changes) is (taken == [])


def test_every_argument_of_the_provider_is_said_ignored_or_computed(program: RecordedProgram) -> None:
    known = {
        word.split("_")[0] + "".join(part.title() for part in word.split("_")[1:])
        for word in signature(aws.rds.InstanceArgs.__init__).parameters
    }
    # What the provider computes where nothing is said, and what only a creation, a deletion or Pulumi reads.
    left = {
        *("allocatedStorage", "availabilityZone", "backupTarget", "characterSetName", "engineVersion", "licenseModel"),
        *("ncharCharacterSetName", "optionGroupName", "region", "replicaMode", "timezone"),
        *("blueGreenUpdate", "customIamInstanceProfile", "identifierPrefix", "passwordWo", "passwordWoVersion"),
        *("s3Import", "upgradeStorageConfig", "warningEventCategories", "Self"),
        *("deleteAutomatedBackups", "finalSnapshotIdentifier", "skipFinalSnapshot"),
    }
    assert known - adopted(program).registration.ignore_changes - left <= {"", "Self", "_Self__"}


def test_what_would_make_it_another_one_is_not_said_of_it(program: RecordedProgram) -> None:
    said = {"engine", "engineVersion", "dbName", "username", "allocatedStorage", "snapshotIdentifier"}
    assert not said & set(adopted(program).inputs)


def test_pulumi_refuses_to_delete_it_in_any_environment(program: RecordedProgram) -> None:
    assert adopted(program).registration.protect
    assert adopted(program).registration.retain_on_delete
    assert not program.resource("database-recovery-lab", "Instance").registration.protect


@pytest.mark.parametrize("taken", [["iamDatabaseAuthenticationEnabled", "tags"], ["all"]])
def test_what_is_taken_over_follows_the_settings_from_then_on(network: RecordedProgram, taken: list[str]) -> None:
    one = adopted(declared(network, takenOver=taken)).registration
    over = set(KEPT) if taken == ["all"] else set(taken)
    assert not over & one.ignore_changes
    assert set(KEPT) - over <= one.ignore_changes
    assert {"dbSubnetGroupName", "identifier", "kmsKeyId"} <= one.ignore_changes


def test_a_retired_one_gives_up_its_protection(network: RecordedProgram) -> None:
    moved = {"activeSite": "recovery", "retiring": "primary"}
    one = adopted(declared(network, **moved))
    assert not one.registration.protect
    assert not one.registration.retain_on_delete
    assert "deletionProtection" not in one.registration.ignore_changes
    assert one.inputs["deletionProtection"] is False


def test_its_successor_has_its_identifier_and_is_an_ordinary_replica(network: RecordedProgram) -> None:
    moved = {"activeSite": "recovery", "primaryGeneration": 2, "primaryBirth": "replica", "recoveryBirth": "replica"}
    program = declared(network, **moved)
    successor = program.resource("database-primary-lab-2", "Instance")
    assert (successor.inputs["identifier"], successor.registration.import_id) == ("orders", "")
    assert "instanceClass" not in successor.registration.ignore_changes


def test_everything_else_knows_it_by_its_identifier(program: RecordedProgram) -> None:
    assert program.outputs["primaryDatabaseId"] == "orders"
    assert program.outputs["primaryDatabaseArn"] == ARN
    assert program.resource("database-recovery-lab", "Instance").inputs["replicateSourceDb"] == ARN
    (replication,) = program.of_type("InstanceAutomatedBackupsReplication")
    assert replication.inputs["sourceDbInstanceArn"] == ARN
    role = program.resource("database-monitoring-data-lab", "Role")
    assert ARN in json.loads(role.inputs["assumeRolePolicy"])["Statement"][0]["Condition"]["ArnLike"]["aws:SourceArn"]
    names = {group.inputs["name"] for group in program.of_type("LogGroup")}
    assert "/aws/rds/instance/orders/postgresql" in names


def test_log_groups_that_rds_has_made_are_left_to_it(network: RecordedProgram) -> None:
    program = declared(network, primaryLogGroupsExist=True)
    assert {group.region for group in program.of_type("LogGroup")} == {"ap-southeast-1"}


def test_its_key_is_told_to_who_copies_and_restores(network: RecordedProgram, program: RecordedProgram) -> None:
    assert program.outputs["primaryDatabaseKeyArn"] == network.outputs["primaryDataKeyArn"]
    assert declared(network, primaryDatabaseKeyArn=KEY).outputs["primaryDatabaseKeyArn"] == KEY


def test_further_parameters_are_those_of_both_sites(network: RecordedProgram) -> None:
    program = declared(network, furtherParameters=["max_connections=500", "rds.logical_replication=1"])
    for group in program.of_type("ParameterGroup"):
        static = {
            each["name"]: each["value"] for each in group.inputs["parameters"] if each["applyMethod"] != "immediate"
        }
        assert static == {"max_connections": "500", "rds.logical_replication": "1"}


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"primaryBirth": "adopted"}, r"primaryDatabaseId = \(not set\): primaryBirth is adopted: set"),
        ({**ADOPTED, "recoveryBirth": "original"}, "recoveryBirth = original: primaryBirth is adopted, and two"),
        ({"primaryDatabaseId": "Orders"}, "primaryDatabaseId = Orders: give the instance's identifier"),
        ({"takenOver": ["dbSubnetGroupName"]}, "takenOver = dbSubnetGroupName: give all, or some of"),
        ({"primaryDatabaseKeyArn": KEY.replace("southeast-2", "southeast-1")}, "give the ARN of a KMS key in ap-south"),
        ({"furtherParameters": ["max_connections"]}, "furtherParameters = max_connections: give each parameter once"),
    ],
)
def test_a_mistake_is_one_line_with_the_remedy(overrides: dict[str, object], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        settings_of("data", "lab", **overrides)


def test_a_parameter_of_the_layers_own_is_not_set_twice(network: RecordedProgram) -> None:
    with pytest.raises(SettingsError, match=r"furtherParameters = rds.force_ssl: the layer sets it itself"):
        declared(network, furtherParameters=["rds.force_ssl=0"])


@pytest.mark.parametrize("site", list(Site), ids=str)
def test_an_identifier_that_is_deployed_does_not_change(site: Site) -> None:
    before = {f"{each}DatabaseId": f"database-{each}-lab" for each in Site}
    refuse_replacement(before, settings_of("data", "lab"), "postgres")
    renamed = settings_of("data", "lab", **{f"{site}DatabaseId": "orders"})
    with pytest.raises(
        SettingsError, match=f"{site}DatabaseId = orders: the site's database is called database-{site}"
    ):
        refuse_replacement(before, renamed, "postgres")


class Rds:
    """RDS with one instance, or none."""

    meta = SimpleNamespace(region_name="ap-southeast-2")
    exceptions = SimpleNamespace(DBInstanceNotFoundFault=LookupError)

    def __init__(self, **instance: object) -> None:
        self._instance = instance

    def describe_db_instances(self, DBInstanceIdentifier: str) -> dict[str, Any]:  # noqa: N803
        if not self._instance:
            raise LookupError(DBInstanceIdentifier)
        return {"DBInstances": [self._instance]}


SUFFIX = {"Key": "EnvironmentSuffix", "Value": "lab"}
THERE = {"MasterUsername": "owner", "StorageEncrypted": True}


@pytest.mark.parametrize(
    ("instance", "message"),
    [
        ({}, "primaryDatabaseId = orders: primaryBirth is adopted, and RDS has no such instance in ap-southeast-2"),
        ({**THERE, "StorageEncrypted": False}, "primaryDatabaseId = orders: a replica or unencrypted.* ./dr adopt -- "),
        ({**THERE, "ReadReplicaSourceDBInstanceIdentifier": "x"}, "primaryDatabaseId = orders: a replica"),
        (
            {**THERE, "MasterUsername": "root"},
            "secretId = .*: the master user of orders is root, and the secret has o",
        ),
        ({**THERE, "TagList": [SUFFIX | {"Value": "prod"}]}, "= orders: the environment with the suffix prod has it"),
    ],
)
def test_a_deploy_refuses_to_adopt_what_it_would_be_wrong_about(instance: dict[str, object], message: str) -> None:
    settings = settings_of("data", "lab", **ADOPTED)
    refuse_unadoptable(Rds(**THERE), settings, Site.PRIMARY, "owner")  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match=message):
        refuse_unadoptable(Rds(**instance), settings, Site.PRIMARY, "owner")  # type: ignore[arg-type]


def test_what_another_environments_file_names_is_not_adopted_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    other = Environment.overridden("lab", {"primaryDatabaseId": "orders", "environmentSuffix": "other"})
    monkeypatch.setattr("data_layer.adoption_in_aws.known_stacks", lambda: ("lab", "other"))
    settings = settings_of("data", "lab", **ADOPTED)
    monkeypatch.setattr(Environment, "overridden", lambda *_: other)
    rds: Any = Rds(**THERE, DBInstanceIdentifier="orders")
    with pytest.raises(SettingsError, match=r"primaryDatabaseId = orders: environments/other.yaml has it"):
        refuse_unadoptable(rds, settings, Site.PRIMARY, "owner")


def test_what_was_there_before_is_not_declared_as_the_environments_own() -> None:
    settings = settings_of("data", "lab", primaryDatabaseId="orders")
    for absent_or_ours in (Rds(), Rds(**THERE, TagList=[SUFFIX])):
        refuse_a_stranger(absent_or_ours, settings, Site.PRIMARY)  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match=r"primaryBirth = original: orders is there, and this.*give adopted"):
        refuse_a_stranger(Rds(**THERE, TagList=[]), settings, Site.PRIMARY)  # type: ignore[arg-type]


def test_nobodys_standby_is_adopted() -> None:
    births = {"primaryBirth": "snapshot before", "recoveryBirth": "adopted", "recoveryDatabaseId": "orders"}
    with pytest.raises(SettingsError, match=r"recoveryBirth = adopted: orders would stand by for another database"):
        refuse_unadoptable(Rds(**THERE), settings_of("data", "lab", **births), Site.RECOVERY, "owner")  # type: ignore[arg-type]
