"""Which database is the writer, by the controller's record and by RDS."""

from __future__ import annotations

import boto3
import pytest

from deployment.writer_on_record import promoted, recorded, why_not_primary
from function_runtime.items import serialized
from shared.environment import Environment
from shared.errors import SettingsError
from tests.stubbed import Stubbed, stubbed

TABLE, DATABASE = "failover-state-recovery-dev", "database-recovery-dev"
CONTROLLER: dict[str, object] = {"id": "controller", "version": 7, "epoch": 3, "writer_site": "primary"}
REPLICA = {"DBInstanceIdentifier": DATABASE, "ReadReplicaSourceDBInstanceIdentifier": "arn:aws:rds:::db:primary"}
# Of a database that is no replica, RDS leaves the key out or gives nothing.
PROMOTED = [{"DBInstanceIdentifier": DATABASE}, {**REPLICA, "ReadReplicaSourceDBInstanceIdentifier": ""}]


@pytest.fixture
def dynamodb() -> Stubbed:
    return stubbed("dynamodb", "ap-southeast-1")


@pytest.fixture
def rds() -> Stubbed:
    return stubbed("rds", "ap-southeast-1")


@pytest.fixture
def asked(dynamodb: Stubbed, rds: Stubbed, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """The services and regions that clients were made for."""
    made: list[tuple[str, str]] = []

    def stubbed(service: str, region_name: str, **_: object) -> object:
        made.append((service, region_name))
        return {"dynamodb": dynamodb, "rds": rds}[service].client

    monkeypatch.setattr(boto3, "client", stubbed)
    return made


def holds(stubber: Stubbed, item: dict[str, object] | None) -> None:
    answer = {} if item is None else {"Item": serialized({key: value for key, value in item.items() if value})}
    stubber.add_response(
        "get_item", answer, {"TableName": TABLE, "Key": serialized({"id": "controller"}), "ConsistentRead": True}
    )


@pytest.mark.parametrize("item", [None, CONTROLLER], ids=["nothing on record", "primary on record"])
def test_the_primary_is_the_writer_before_any_failover_and_after_a_switch_back(
    dynamodb: Stubbed, item: dict[str, object] | None
) -> None:
    holds(dynamodb, item)
    assert recorded(dynamodb.client, TABLE) is None


def test_without_a_table_nothing_is_deployed(dynamodb: Stubbed) -> None:
    dynamodb.add_client_error("get_item", "ResourceNotFoundException")
    assert recorded(dynamodb.client, TABLE) is None


def test_an_incident_under_way_may_move_the_writer_any_moment(dynamodb: Stubbed) -> None:
    holds(dynamodb, {**CONTROLLER, "incident_id": "0004-primary"})
    assert recorded(dynamodb.client, TABLE) == "incident 0004-primary, a failover, is under way"


def test_after_a_failover_the_recovery_site_is_the_writer(dynamodb: Stubbed) -> None:
    holds(dynamodb, {**CONTROLLER, "writer_site": "recovery"})
    assert recorded(dynamodb.client, TABLE) == "the recovery site is the writer since a failover (epoch 3)"


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
def test_a_damaged_record_is_reported_and_not_used(dynamodb: Stubbed, damage: dict[str, object]) -> None:
    holds(dynamodb, {**CONTROLLER, **damage})
    with pytest.raises(SettingsError, match=rf"{TABLE} = \(damaged: .*\): see the runbook, state lost"):
        recorded(dynamodb.client, TABLE)


@pytest.mark.parametrize("code", ["AccessDeniedException", "ExpiredTokenException"])
def test_a_record_that_may_not_be_read_is_an_error(dynamodb: Stubbed, code: str) -> None:
    dynamodb.add_client_error("get_item", code)
    with pytest.raises(
        SettingsError, match=rf"{TABLE} = \(unknown writer\): allow these credentials to read it: .*{code}"
    ):
        recorded(dynamodb.client, TABLE)


def describes(stubber: Stubbed, instance: dict[str, str]) -> None:
    stubber.add_response("describe_db_instances", {"DBInstances": [instance]}, {"DBInstanceIdentifier": DATABASE})


def test_a_replica_takes_no_writes(rds: Stubbed) -> None:
    describes(rds, REPLICA)
    assert promoted(rds.client, DATABASE) is None


@pytest.mark.parametrize("instance", PROMOTED, ids=["no source", "empty source"])
def test_a_database_without_a_source_was_promoted(rds: Stubbed, instance: dict[str, str]) -> None:
    describes(rds, instance)
    assert promoted(rds.client, DATABASE) == f"{DATABASE} takes writes: it was promoted"


def test_without_a_database_nothing_was_promoted(rds: Stubbed) -> None:
    rds.add_client_error("describe_db_instances", "DBInstanceNotFound")
    assert promoted(rds.client, DATABASE) is None


def test_a_database_that_may_not_be_described_is_an_error(rds: Stubbed) -> None:
    rds.add_client_error("describe_db_instances", "AccessDenied")
    with pytest.raises(SettingsError, match=rf"{DATABASE} = \(unknown state\): allow these credentials to see it"):
        promoted(rds.client, DATABASE)


def test_both_are_asked_in_the_recovery_region(
    asked: list[tuple[str, str]], dynamodb: Stubbed, rds: Stubbed, dev: Environment
) -> None:
    holds(dynamodb, CONTROLLER)
    describes(rds, REPLICA)
    assert why_not_primary(dev) is None
    assert asked == [("dynamodb", "ap-southeast-1"), ("rds", "ap-southeast-1")]
    dynamodb.assert_no_pending_responses()
    rds.assert_no_pending_responses()


def test_a_promotion_is_noticed_where_the_record_is_lost(
    asked: list[tuple[str, str]], dynamodb: Stubbed, rds: Stubbed, dev: Environment
) -> None:
    dynamodb.add_client_error("get_item", "ResourceNotFoundException")
    describes(rds, PROMOTED[0])
    assert why_not_primary(dev) == f"{DATABASE} takes writes: it was promoted"


def test_the_record_is_enough_without_asking_rds(
    asked: list[tuple[str, str]], dynamodb: Stubbed, dev: Environment
) -> None:
    holds(dynamodb, {**CONTROLLER, "writer_site": "recovery"})
    reason = why_not_primary(dev)
    assert reason is not None
    assert reason.startswith("the recovery site is the writer")


def test_without_credentials_the_writer_is_unknown(dev: Environment) -> None:
    with pytest.raises(
        SettingsError, match=r"AWS = \(NoCredentialsError\): give credentials .* that reach ap-southeast-1"
    ):
        why_not_primary(dev)
