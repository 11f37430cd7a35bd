"""The data layer as reprotection sees and deploys it, through the Pulumi CLI."""

from __future__ import annotations

import pytest

from deployment.pulumi_cli import PulumiCli
from function_runtime.sites import Site
from operations.errors import RefusedError
from operations.reprotect import pulumi_layer
from operations.reprotect.pulumi_layer import INSTANCE, REPLICATION, PulumiDataLayer
from shared.environment import Environment
from shared.layers import Layer
from tests.deployment.answers import resource
from tests.deployment.checkout import Checkout
from tests.deployment.conftest import Account
from tests.deployment.recorder import StandIn
from tests.deployment.standing import contract_outputs

PROJECT = "postgres-dr-data"
ARNS = {site: f"arn:aws:rds:{site}:111122223333:db:database-{site}-dev" for site in Site}


@pytest.fixture
def layer(pulumi: StandIn, checkout: Checkout, monkeypatch: pytest.MonkeyPatch) -> PulumiDataLayer:
    monkeypatch.setattr(pulumi_layer, "REPOSITORY_ROOT", checkout.root)
    identifiers = {site: f"database-{site}-dev" for site in Site}
    return PulumiDataLayer("dev", identifiers, ARNS, PulumiCli.on_path())


def instance(name: str, site: Site, resource_id: str, **more: object) -> dict[str, object]:
    made = resource(PROJECT, "dev", INSTANCE, name, id=resource_id, inputs={"identifier": f"database-{site}-dev"})
    return {**made, **more}


def test_what_the_project_sets_by_default_is_set_and_none_that_retires_is_nothing(layer: PulumiDataLayer) -> None:
    assert layer.configuration() == {
        "activeSite": "primary",
        "primaryBirth": "original",
        "primaryGeneration": "1",
        "recoveryBirth": "replica",
        "recoveryGeneration": "1",
    }


def test_a_change_is_written_into_the_stacks_file_and_shown_as_a_difference(
    layer: PulumiDataLayer, checkout: Checkout
) -> None:
    file = checkout.stack_file("data")
    file.write_text(file.read_text() + "  # Since May.\n")
    difference = layer.change({"activeSite": "recovery", "retiring": "primary", "recoveryBirth": "replica"})
    assert "+  postgres-dr-data:activeSite: recovery" in difference.splitlines()
    assert "--- projects/data/Pulumi.dev.yaml" in difference.splitlines()
    assert "recoveryBirth" not in difference
    assert "# Since May." in file.read_text()
    assert layer.configuration()["retiring"] == "primary"
    assert layer.change({"activeSite": "recovery"}) == ""
    layer.change({"retiring": None})
    assert "retiring" not in layer.configuration()


def test_the_resource_id_comes_from_the_state_and_what_waits_for_its_deletion_is_gone(
    layer: PulumiDataLayer, pulumi: StandIn, dev: Environment
) -> None:
    assert layer.instance_id(Site.PRIMARY) is None
    replication = resource(PROJECT, "dev", REPLICATION, "backups", inputs={"sourceDbInstanceArn": ARNS[Site.PRIMARY]})
    made = [
        instance("database-primary-dev", Site.PRIMARY, "DB-OLD", delete=True),
        instance("database-primary-dev-2", Site.PRIMARY, "DB-NEW"),
        replication,
    ]
    pulumi.has("data", contract_outputs("data", dev), made)
    assert layer.instance_id(Site.PRIMARY) == "DB-NEW"
    assert layer.instance_id(Site.RECOVERY) is None
    assert layer.replicates_backups_of(Site.PRIMARY)
    assert not layer.replicates_backups_of(Site.RECOVERY)
    pulumi.has("data", {}, [*made, instance("database-primary-dev-3", Site.PRIMARY, "DB-THIRD")])
    with pytest.raises(RefusedError, match="DB-NEW, DB-THIRD: the state has more than one"):
        layer.instance_id(Site.PRIMARY)


def test_it_deploys_the_data_layer_alone_with_all_checks(
    layer: PulumiDataLayer, pulumi: StandIn, dev: Environment, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deployment.preflight.load_settings", lambda chosen, configuration: None)
    pulumi.has_all_of(dev)
    said: list[str] = []
    layer.deploy(said.append)
    assert [(call.layer, call.arguments[0]) for call in pulumi.operations] == [("data", "preview"), ("data", "up")]
    assert said[0] == "deploy of stack dev"
    pulumi.fails("data", "up")
    with pytest.raises(RefusedError, match=r"deploy = data: deploy stopped at data: .*then call this again"):
        layer.deploy(said.append)


def test_another_backend_is_not_taken_for_an_empty_state(
    layer: PulumiDataLayer, pulumi: StandIn, dev: Environment
) -> None:
    with pytest.raises(RefusedError, match="stack = dev: the data layer has none in the backend"):
        layer.required()
    pulumi.has_all_of(dev)
    layer.required()


def test_what_a_deploy_is_refused_for_is_said(layer: PulumiDataLayer, pulumi: StandIn, account: Account) -> None:
    with pytest.raises(RefusedError, match="it reads network"):
        layer.deploy(lambda line: None)


def test_the_layers_folder_is_the_checkouts(layer: PulumiDataLayer, checkout: Checkout) -> None:
    known: Layer = pulumi_layer.DATA
    assert known.folder == checkout.root / "projects" / "data"
