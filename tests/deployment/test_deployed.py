"""What is deployed of a layer is read from its stack's state."""

from __future__ import annotations

from typing import Any

import pytest

from deployment.deployed import MASKED, Deployed, survey
from deployment.pulumi_cli import PulumiCli, PulumiFailed
from shared.environment import Environment
from tests.deployment.answers import exported, resource, secret, stack_resource
from tests.deployment.recorder import StandIn
from tests.deployment.standing import contract_outputs

PROJECT, STACK = "postgres-dr-data", "dev"


def made(kind: str, name: str, **more: Any) -> dict[str, Any]:
    return resource(PROJECT, STACK, kind, name, **more)


def of(*resources: dict[str, Any], **outputs: Any) -> Deployed:
    return Deployed.of(exported([stack_resource(PROJECT, STACK, outputs), *resources]))


def test_what_stands_in_the_cloud_is_counted_and_named_with_its_type() -> None:
    assert of(made("aws:rds/instance:Instance", "database-primary-dev")).resources == ("Instance database-primary-dev",)


@pytest.mark.parametrize(
    "other",
    [
        made("pulumi:providers:aws", "aws-primary-dev"),
        made("pulumi:pulumi:StackReference", "organization/postgres-dr-network/dev", external=True),
        made("postgres-dr:data:Database", "database-primary-dev", custom=False),
    ],
    ids=["provider", "stack reference", "component"],
)
def test_what_has_nothing_in_the_cloud_is_not_counted(other: dict[str, Any]) -> None:
    deployed = of(other, made("aws:s3/bucket:Bucket", "backups"))
    assert deployed.resources == ("Bucket backups",)


def test_a_protected_resource_is_named_with_who_refuses_to_delete_it() -> None:
    deployed = of(
        made("aws:kms/key:Key", "data", protect=True),
        made("aws:rds/instance:Instance", "database", outputs={"deletionProtection": True}),
        made("aws:dynamodb/table:Table", "failover-state", outputs={"deletionProtectionEnabled": True}),
    )
    assert deployed.protected == (
        "Key data (protected by Pulumi)",
        "Instance database (deletion protection in AWS)",
        "Table failover-state (deletion protection in AWS)",
    )


@pytest.mark.parametrize(
    "other",
    [
        made("aws:kms/key:Key", "data"),
        made("aws:kms/key:Key", "data", protect=False),
        made("aws:rds/instance:Instance", "database", outputs={"deletionProtection": False}),
        made("aws:dynamodb/table:Table", "failover-state", outputs={"deletionProtectionEnabled": False}),
        # What AWS has now, not what was once asked for.
        made(
            "aws:rds/instance:Instance",
            "database",
            inputs={"deletionProtection": True},
            outputs={"deletionProtection": False},
        ),
        made("pulumi:providers:aws", "aws-primary-dev", protect=True),
    ],
)
def test_everything_else_is_not_protected(other: dict[str, Any]) -> None:
    assert of(other).protected == ()


def test_a_resource_whose_making_was_interrupted_is_judged_by_what_was_asked_for() -> None:
    deployed = of(made("aws:rds/instance:Instance", "database", inputs={"deletionProtection": True}))
    assert len(deployed.protected) == 1


@pytest.mark.parametrize(
    ("inputs", "lacks"),
    [
        ({"skipFinalSnapshot": True}, True),
        ({"skipFinalSnapshot": False}, False),
        ({}, False),
        # RDS takes none of a replica, but it may have been promoted since.
        ({"skipFinalSnapshot": True, "replicateSourceDb": "arn:aws:rds:::db:database-primary-dev"}, True),
    ],
)
def test_a_database_that_would_go_without_a_last_snapshot_is_named(inputs: dict[str, Any], lacks: bool) -> None:
    named = {"identifier": "database-primary-dev", **inputs}
    deployed = of(made("aws:rds/instance:Instance", "database", inputs=named))
    assert deployed.without_final_snapshot == (("database-primary-dev",) if lacks else ())


def test_what_an_interrupted_operation_was_making_is_named_and_what_it_was_changing_is_not() -> None:
    state = exported([stack_resource(PROJECT, STACK, {})])
    database = made("aws:rds/instance:Instance", "database")
    state["deployment"]["pending_operations"] = [
        {"resource": database, "type": "creating"},
        {"resource": made("aws:s3/bucket:Bucket", "backups"), "type": "updating"},
    ]
    assert Deployed.of(state).interrupted == (database["urn"],)


def test_outputs_are_the_stacks() -> None:
    deployed = of(
        made("aws:rds/instance:Instance", "database", outputs={"address": "elsewhere"}),
        databaseName="app",
        databasePort=5432,
        subnets=["a", "b"],
    )
    assert deployed.outputs == {"databaseName": "app", "databasePort": 5432, "subnets": ["a", "b"]}


def test_a_secret_output_is_masked() -> None:
    assert of(password=secret("v1:abc"), name="app").outputs == {"password": MASKED, "name": "app"}


@pytest.mark.parametrize("output", [{"password": secret("v1:abc")}, ["app", secret("v1:abc")]], ids=["key", "item"])
def test_a_secret_within_an_output_is_masked(output: object) -> None:
    assert "v1:abc" not in str(of(login=output).outputs)


def test_an_empty_stack_exists_with_nothing_in_it() -> None:
    assert Deployed.of(exported()) == Deployed(exists=True)
    assert "resources" not in exported()["deployment"]


def test_a_survey_tells_layers_without_a_stack_from_those_with_one(pulumi: StandIn, dev: Environment) -> None:
    pulumi.has_all_of(dev, "network")
    pulumi.has_empty("data")
    found = survey(PulumiCli.on_path(), "dev")
    assert {name: (known.exists, len(known.resources)) for name, known in found.items()} == {
        "network": (True, 1),
        "data": (True, 0),
        "dr-automation": (False, 0),
        "observability": (False, 0),
    }
    assert found["network"].outputs == contract_outputs("network", dev)
    assert not pulumi.touched


def test_a_survey_is_of_one_stack(pulumi: StandIn, dev: Environment) -> None:
    pulumi.has("network", {"primaryVpcId": "vpc-of-lab"}, stack="lab")
    assert not survey(PulumiCli.on_path(), "dev")["network"].exists
    assert survey(PulumiCli.on_path(), "lab")["network"].outputs == {"primaryVpcId": "vpc-of-lab"}


@pytest.mark.parametrize("command", ["stack ls", "stack export"])
def test_a_layer_that_cannot_be_looked_at_is_named(pulumi: StandIn, dev: Environment, command: str) -> None:
    pulumi.has_all_of(dev)
    pulumi.fails("data", command)
    with pytest.raises(PulumiFailed, match=f"data: pulumi {command} .*exit code 255"):
        survey(PulumiCli.on_path(), "dev")
