"""The layer's settings: what follows from them, and values that are refused."""

from __future__ import annotations

from functools import partial

import pytest

from shared.errors import SettingsError
from tests.contracts.settings_of import settings_of

loaded = partial(settings_of, "dr-automation")


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
        ("recoveryRegion", "xx-nowhere-1"),
        ("referenceRegion", "Singapore"),
        ("witnessRegion", "ap-southeast-1"),
        ("witnessRegion", "ap-southeast-2"),
        ("witnessRegion", "Tokyo"),
        ("darkWithoutWitness", "hope"),
        ("writerHung", "hope"),
        ("maintenanceOverdue", "hope"),
        ("nameTtlSeconds", 61),
        ("outageSeconds", 30),
    ],
)
def test_a_value_that_cannot_be_used_is_named_with_its_key(key: str, value: object) -> None:
    with pytest.raises(SettingsError) as caught:
        loaded(**{key: value})
    assert caught.value.key == key
