"""The layer's settings: the schema and the code say the same, and what cannot be used is refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import yaml

from automation_layer.settings import AutomationSettings
from deployment.layer_settings import load_settings
from shared import environment
from shared.errors import SettingsError
from shared.layers import layer
from shared.stack_files import StackConfiguration, as_text

LAYER = layer("dr-automation")
SCHEMA: Mapping[str, Any] = yaml.safe_load((LAYER.folder / "Pulumi.yaml").read_text())["config"]


def loaded(**values: object) -> AutomationSettings:
    """Settings of stack dev, with nothing configured but these values."""
    texts = {f"{LAYER.project}:{key}": as_text(value) for key, value in values.items() if key not in environment.KEYS}
    common = {key: value for key, value in values.items() if key in environment.KEYS}
    settings = load_settings(LAYER, StackConfiguration(LAYER.project, "dev", texts, frozenset()), common)
    assert isinstance(settings, AutomationSettings)
    return settings


def test_the_schemas_defaults_are_the_codes() -> None:
    defaults = {key: declared["default"] for key, declared in SCHEMA.items() if "default" in declared}
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
