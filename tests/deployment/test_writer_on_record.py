"""Who is the writer, by the two that can know. The AWS answers are botocore's own, without a network."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from deployment.writer_on_record import promoted, recorded, why_not_primary
from function_runtime.items import serialized
from lab.engine.recording import RecordedProgram, run_recorded
from shared.environment import Environment
from shared.errors import SettingsError
from shared.layers import layer
from tests.deployment.standing import contract_outputs

TABLE, DATABASE = "failover-state-recovery-dev", "database-recovery-dev"
CONTROLLER: dict[str, object] = {"id": "controller", "version": 7, "epoch": 3, "writer_site": "primary"}
REPLICA = {"DBInstanceIdentifier": DATABASE, "ReadReplicaSourceDBInstanceIdentifier": "arn:aws:rds:::db:primary"}
# Of a database that is no replica, RDS leaves the key out or gives nothing.
PROMOTED = [{"DBInstanceIdentifier": DATABASE}, {**REPLICA, "ReadReplicaSourceDBInstanceIdentifier": ""}]


def client(service: str) -> Any:
    return boto3.client(service, region_name="ap-southeast-1", aws_access_key_id="none", aws_secret_access_key="none")


@pytest.fixture
def dynamodb() -> Iterator[tuple[Any, Stubber]]:
    made = client("dynamodb")
    with Stubber(made) as stubber:
        yield made, stubber


@pytest.fixture
def rds() -> Iterator[tuple[Any, Stubber]]:
    made = client("rds")
    with Stubber(made) as stubber:
        yield made, stubber


@pytest.fixture
def asked(
    dynamodb: tuple[Any, Stubber], rds: tuple[Any, Stubber], monkeypatch: pytest.MonkeyPatch
) -> list[tuple[str, str]]:
    """The services and regions that clients were made for."""
    made: list[tuple[str, str]] = []

    def stubbed(service: str, region_name: str, **_: object) -> object:
        made.append((service, region_name))
        return {"dynamodb": dynamodb, "rds": rds}[service][0]

    monkeypatch.setattr(boto3, "client", stubbed)
    return made


def holds(stubber: Stubber, item: dict[str, object] | None) -> None:
    answer = {} if item is None else {"Item": serialized({key: value for key, value in item.items() if value})}
    stubber.add_response(
        "get_item", answer, {"TableName": TABLE, "Key": serialized({"id": "controller"}), "ConsistentRead": True}
    )


@pytest.mark.parametrize("item", [None, CONTROLLER], ids=["nothing on record", "primary on record"])
def test_the_primary_is_the_writer_before_any_failover_and_after_a_switch_back(
    dynamodb: tuple[Any, Stubber], item: dict[str, object] | None
) -> None:
    made, stubber = dynamodb
    holds(stubber, item)
    assert recorded(made, TABLE) is None


def test_without_a_table_nothing_is_deployed(dynamodb: tuple[Any, Stubber]) -> None:
    made, stubber = dynamodb
    stubber.add_client_error("get_item", "ResourceNotFoundException")
    assert recorded(made, TABLE) is None


def test_an_incident_under_way_may_move_the_writer_any_moment(dynamodb: tuple[Any, Stubber]) -> None:
    made, stubber = dynamodb
    holds(stubber, {**CONTROLLER, "incident_id": "0004-primary"})
    assert recorded(made, TABLE) == "incident 0004-primary, a failover, is under way"


def test_after_a_failover_the_recovery_site_is_the_writer(dynamodb: tuple[Any, Stubber]) -> None:
    made, stubber = dynamodb
    holds(stubber, {**CONTROLLER, "writer_site": "recovery"})
    assert recorded(made, TABLE) == "the recovery site is the writer since a failover (epoch 3)"


@pytest.mark.parametrize(
    "damage",
    [
        {"version": None},
        {"epoch": "many"},
        {"writer_site": "moon"},
        {"writer_site": None},
        {"trouble": "text"},
        {"last_closed_at": "yesterday"},
    ],
    ids=str,
)
def test_a_damaged_record_tells_nobody_anything_and_says_so(
    dynamodb: tuple[Any, Stubber], damage: dict[str, object]
) -> None:
    made, stubber = dynamodb
    holds(stubber, {**CONTROLLER, **damage})
    with pytest.raises(SettingsError, match=rf"{TABLE} = \(damaged: .*\): see the runbook, state lost"):
        recorded(made, TABLE)


@pytest.mark.parametrize("code", ["AccessDeniedException", "ExpiredTokenException"])
def test_a_record_that_may_not_be_read_is_no_record_of_the_primary(dynamodb: tuple[Any, Stubber], code: str) -> None:
    made, stubber = dynamodb
    stubber.add_client_error("get_item", code)
    with pytest.raises(
        SettingsError, match=rf"{TABLE} = \(unknown writer\): allow these credentials to read it: .*{code}"
    ):
        recorded(made, TABLE)


def describes(stubber: Stubber, instance: dict[str, str]) -> None:
    stubber.add_response("describe_db_instances", {"DBInstances": [instance]}, {"DBInstanceIdentifier": DATABASE})


def test_a_replica_takes_no_writes(rds: tuple[Any, Stubber]) -> None:
    made, stubber = rds
    describes(stubber, REPLICA)
    assert promoted(made, DATABASE) is None


@pytest.mark.parametrize("instance", PROMOTED, ids=["no source", "empty source"])
def test_a_database_of_its_own_was_promoted(rds: tuple[Any, Stubber], instance: dict[str, str]) -> None:
    made, stubber = rds
    describes(stubber, instance)
    assert promoted(made, DATABASE) == f"{DATABASE} takes writes: it was promoted"


def test_without_a_database_nothing_was_promoted(rds: tuple[Any, Stubber]) -> None:
    made, stubber = rds
    stubber.add_client_error("describe_db_instances", "DBInstanceNotFound")
    assert promoted(made, DATABASE) is None


def test_a_database_that_may_not_be_looked_at_is_no_replica(rds: tuple[Any, Stubber]) -> None:
    made, stubber = rds
    stubber.add_client_error("describe_db_instances", "AccessDenied")
    with pytest.raises(SettingsError, match=rf"{DATABASE} = \(unknown state\): allow these credentials to see it"):
        promoted(made, DATABASE)


def test_both_are_asked_in_the_recovery_region(
    asked: list[tuple[str, str]], dynamodb: tuple[Any, Stubber], rds: tuple[Any, Stubber], dev: Environment
) -> None:
    holds(dynamodb[1], CONTROLLER)
    describes(rds[1], REPLICA)
    assert why_not_primary(dev) is None
    assert asked == [("dynamodb", "ap-southeast-1"), ("rds", "ap-southeast-1")]
    dynamodb[1].assert_no_pending_responses()
    rds[1].assert_no_pending_responses()


def test_a_promotion_is_noticed_where_the_record_is_lost(
    asked: list[tuple[str, str]], dynamodb: tuple[Any, Stubber], rds: tuple[Any, Stubber], dev: Environment
) -> None:
    dynamodb[1].add_client_error("get_item", "ResourceNotFoundException")
    describes(rds[1], PROMOTED[0])
    assert why_not_primary(dev) == f"{DATABASE} takes writes: it was promoted"


def test_what_is_on_record_counts_whatever_rds_says(
    asked: list[tuple[str, str]], dynamodb: tuple[Any, Stubber], dev: Environment
) -> None:
    holds(dynamodb[1], {**CONTROLLER, "writer_site": "recovery"})
    reason = why_not_primary(dev)
    assert reason is not None
    assert reason.startswith("the recovery site is the writer")


def test_without_credentials_nobody_can_tell(dev: Environment) -> None:
    with pytest.raises(
        SettingsError, match=r"AWS = \(NoCredentialsError\): give credentials .* that reach ap-southeast-1"
    ):
        why_not_primary(dev)


@pytest.fixture(scope="module")
def programs() -> dict[str, RecordedProgram]:
    below = {lower: contract_outputs(lower, Environment.load("dev")) for lower in ("network", "data")}
    return {
        name: run_recorded(name, stack="dev", below={lower: below[lower] for lower in layer(name).reads})
        for name in ("data", "dr-automation")
    }


def test_the_table_and_the_database_asked_about_are_those_the_programs_make(
    programs: dict[str, RecordedProgram],
) -> None:
    tables = programs["dr-automation"].of_type("aws:dynamodb/table:Table")
    databases = programs["data"].of_type("aws:rds/instance:Instance")
    assert [table.inputs["name"] for table in tables] == [TABLE]
    assert DATABASE in [database.inputs["identifier"] for database in databases]
