"""The layer's settings: what follows from them, and values that are refused."""

from __future__ import annotations

from functools import partial

import pytest

from shared.errors import SettingsError
from tests.contracts.settings_of import settings_of

loaded = partial(settings_of, "dr-automation")


VPC = "arn:aws:ec2:eu-west-1:111122223333:vpc/vpc-0a1b2c3d"


def test_the_zone_carries_the_environments_suffix() -> None:
    settings = loaded(parentDomain="corp.example")
    assert settings.writer_name == "writer.postgres-dev.corp.example"
    assert settings.reader_name == "reader.postgres-dev.corp.example"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("mode", "sometimes"),
        ("parentDomain", "corp.example."),
        ("clientVpcs", ["vpc-0a1b2c3d"]),
        ("clientVpcs", [f"{VPC}/more"]),
        ("clientVpcs", [VPC.replace("eu-west-1", "Ireland")]),
        ("clientVpcs", [VPC.replace("111122223333", "")]),
        ("clientVpcs", [VPC.replace("vpc-", "subnet-")]),
        ("clientVpcs", [VPC, VPC.replace("eu-west-1", "eu-west-2")]),
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
        ("snapshotRetentionDays", 0),
        ("snapshotRetentionDays", 36),
        ("copyStuckHours", 0),
        ("snapshotExportDays", -1),
    ],
)
def test_a_value_that_cannot_be_used_is_named_with_its_key(key: str, value: object) -> None:
    with pytest.raises(SettingsError) as caught:
        loaded(**{key: value})
    assert caught.value.key == key


def test_what_is_wrong_with_a_vpcs_arn_is_said() -> None:
    with pytest.raises(SettingsError) as caught:
        loaded(clientVpcs=[VPC.replace("eu-west-1", "Ireland")])
    assert str(caught.value).startswith(
        "clientVpcs = arn:aws:ec2:Ireland:111122223333:vpc/vpc-0a1b2c3d: Ireland stands in the place of an AWS region"
    )
