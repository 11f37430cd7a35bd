"""The layer's settings: the schema and the code say the same, and what cannot be used is refused."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pulumi
import pytest
import yaml

from automation_layer.settings import AutomationSettings
from shared.errors import SettingsError
from shared.layers import layer
from shared.settings import SettingsReader

LAYER = layer("dr-automation")
REQUIRED = {"accountId": "123456789012", "environment": "development", "owner": "team", "environmentSuffix": "dev"}
SCHEMA: Mapping[str, Any] = yaml.safe_load((LAYER.folder / "Pulumi.yaml").read_text())["config"]


@pytest.fixture(autouse=True)
def _no_configuration_is_left_behind() -> Iterator[None]:
    yield
    pulumi.runtime.set_all_config({})


def loaded(**values: object) -> AutomationSettings:
    pulumi.runtime.configure(pulumi.runtime.Settings(project=LAYER.project, stack="dev"))
    texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in values.items()}
    pulumi.runtime.set_all_config({f"{LAYER.project}:{key}": value for key, value in {**REQUIRED, **texts}.items()})
    return AutomationSettings.load(SettingsReader(pulumi.Config(LAYER.project)))


def test_the_schemas_defaults_are_the_codes() -> None:
    defaults = {key: declared["default"] for key, declared in SCHEMA.items() if "default" in declared}
    del defaults["environmentSuffix"]
    assert loaded(**defaults) == loaded()


def test_the_zone_carries_the_environments_suffix() -> None:
    settings = loaded(parentDomain="corp.example")
    assert settings.writer_name == "writer.postgres-dev.corp.example"
    assert settings.reader_name == "reader.postgres-dev.corp.example"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("mode", "sometimes"),
        ("parentDomain", "corp.example."),
        ("clientSslMode", "disable"),
        ("failureEmails", ["nobody"]),
        ("recoveryEmails", ["a@example.com", "a@example.com"]),
        ("logRetentionDays", 8),
        ("logLevel", "LOUD"),
        ("referenceRegion", "ap-southeast-2"),
        ("referenceRegion", "Singapore"),
        ("witnessRegion", "ap-southeast-1"),
        ("witnessRegion", "ap-southeast-2"),
        ("witnessRegion", "Tokyo"),
        ("darkWithoutWitness", "hope"),
        ("nameTtlSeconds", 61),
        ("outageSeconds", 30),
    ],
)
def test_a_value_that_cannot_be_used_is_named_with_its_key(key: str, value: object) -> None:
    with pytest.raises(SettingsError) as caught:
        loaded(**{key: value})
    assert caught.value.key == key


def test_there_is_a_witness_only_where_its_region_is_named() -> None:
    assert loaded().witness_region is None
    assert loaded(witnessRegion="").witness_region is None
    assert loaded(witnessRegion="ap-northeast-1").witness_region == "ap-northeast-1"


def test_production_does_not_forget_its_protection() -> None:
    with pytest.raises(SettingsError, match="deletionProtection"):
        loaded(environment="production")
    assert loaded(environment="production", deletionProtection=True).deletion_protection
