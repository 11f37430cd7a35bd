"""What all layers share is read from one file, and an environment that is deployed keeps what it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared import environment
from shared.environment import Environment, Kind
from shared.errors import SettingsError
from shared.layers import LAYERS, Layer
from shared.sites import Site
from shared.stack_files import load_configuration

COMPLETE: dict[str, object] = {"accountId": "123456789012", "environment": "development", "owner": "team"}


def of(**values: object) -> Environment:
    return Environment.of("staging", {**COMPLETE, **values})


def test_the_suffix_is_the_stack_name_where_it_is_not_set() -> None:
    assert of().suffix == "staging"
    assert of(environmentSuffix="other").suffix == "other"


def test_the_regions_default_to_sydney_and_singapore() -> None:
    assert dict(of().regions) == {Site.PRIMARY: "ap-southeast-2", Site.RECOVERY: "ap-southeast-1"}


def test_production_is_protected_without_a_word() -> None:
    assert of(environment="production").protected
    assert not of(environment="staging").protected
    assert of(environment="staging", deletionProtection=True).protected


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"primaryRegion": "ap-southeast-1"}, "recoveryRegion = ap-southeast-1: choose another region"),
        ({"recoveryRegion": "Singapore"}, "recoveryRegion = Singapore: give an AWS region"),
        ({"witnessRegion": "ap-southeast-1"}, "witnessRegion = ap-southeast-1: give another region"),
        ({"stsRegion": "anywhere"}, "stsRegion = anywhere: give an AWS region"),
        ({"accountId": "1234"}, "accountId = 1234: give the 12 digits"),
        ({"accountId": 111122223333}, "accountId = 111122223333: give text .* in quotes"),
        ({"environment": "Production"}, "environment = Production: give one of: production, "),
        ({"environment": "prod"}, "environment = prod: give one of: production, "),
        ({"environment": "production", "deletionProtection": False}, "deletionProtection = false: .* always protected"),
        ({"environmentSuffix": "Too_Bad"}, "environmentSuffix = Too_Bad: start with a lower-case letter"),
        ({"owner": " "}, "owner = : give text"),
        ({"s3UsePathStyle": "yes"}, "s3UsePathStyle = yes: give true or false"),
        ({"tags": [1]}, r"tags = \[1\]: give a mapping"),
        ({"tags": {"CostCentre": 7}}, "tags = .*: give a mapping of tag names to text"),
        ({"primryRegion": "ap-southeast-4"}, "primryRegion = ap-southeast-4: no such key in environments/staging.yaml"),
    ],
)
def test_a_wrong_value_is_refused_in_one_line(values: dict[str, object], message: str) -> None:
    with pytest.raises(SettingsError, match=message) as refused:
        of(**values)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("key", sorted(COMPLETE))
def test_a_missing_value_is_named_with_its_file(key: str) -> None:
    with pytest.raises(SettingsError, match=f"{key} = .not set.: set it in environments/staging.yaml"):
        of(**{key: None})


def test_a_missing_file_is_named_with_those_there_are() -> None:
    with pytest.raises(
        SettingsError, match=r"no environments/nowhere.yaml; there are dev, lab: .*environment -- nowhere"
    ):
        Environment.load("nowhere")


@pytest.mark.parametrize("stack", ["../dev", "", "."])
def test_a_stack_is_a_name_and_no_path(stack: str) -> None:
    with pytest.raises(SettingsError, match="stack"):
        Environment.load(stack)


def test_a_malformed_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "FOLDER", tmp_path)
    (tmp_path / "dev.yaml").write_text("accountId: [")
    with pytest.raises(SettingsError, match=r"dev.yaml = .malformed.: write valid YAML"):
        Environment.load("dev")
    (tmp_path / "dev.yaml").write_text("- accountId")
    with pytest.raises(SettingsError, match=r"dev.yaml = .not a mapping."):
        Environment.load("dev")


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: layer.name)
def test_no_layer_configures_what_all_share(layer: Layer) -> None:
    own = load_configuration(layer.folder, "dev").values
    assert {key.rpartition(":")[2] for key in own} & set(environment.KEYS) == set()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("accountId", "999999999999"),
        ("environmentSuffix", "dev2"),
        ("primaryRegion", "ap-southeast-4"),
        ("recoveryRegion", "ap-northeast-1"),
    ],
)
def test_what_makes_an_environment_itself_cannot_change_once_it_is_deployed(key: str, value: str) -> None:
    deployed = dict(of().identity)
    of().refuse_another(deployed)
    with pytest.raises(SettingsError, match=rf"{key} = .*stack staging is deployed with {value}") as refused:
        of().refuse_another({**deployed, key: value})
    assert "databases too" in str(refused.value)


def test_everything_else_can_change() -> None:
    of(environment="production", owner="another", tags={"CostCentre": "7"}).refuse_another(of().identity)
    assert of(environment="production").kind is Kind.PRODUCTION
