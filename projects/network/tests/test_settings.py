"""The layer's configuration: the lab's is accepted, each mistake is one line that names key, value and remedy."""

from __future__ import annotations

from functools import partial
from ipaddress import IPv4Network
from typing import Any

import pytest

from shared.errors import SettingsError
from shared.sites import Site
from tests.contracts.settings_of import settings_of

load = partial(settings_of, "network", "lab")


def test_the_lab_stack_has_an_own_port_and_a_client_block() -> None:
    settings = load()
    assert settings.database_port == 15432
    assert settings.client_blocks == (IPv4Network("10.0.0.0/24"),)
    assert settings.environment.account_id == "000000000000"


def test_zones_default_to_the_first_three_of_the_region() -> None:
    assert load().availability_zones[Site.RECOVERY] == ("ap-southeast-1a", "ap-southeast-1b", "ap-southeast-1c")


def test_zones_can_be_named() -> None:
    zones = ["ap-southeast-2a", "ap-southeast-2c", "ap-southeast-2d"]
    assert load(primaryAvailabilityZones=zones).availability_zones[Site.PRIMARY] == tuple(zones)


def test_flow_logs_are_kept_three_months_where_nothing_else_is_asked() -> None:
    assert load().flow_log_retention_days == 90
    assert load(flowLogRetentionDays=3653).flow_log_retention_days == 3653


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"recoveryVpcCidr": "10.20.4.0/22"}, "recoveryVpcCidr = 10.20.4.0/22: it overlaps primaryVpcCidr"),
        ({"primaryVpcCidr": "10.20.0.0/28"}, "primaryVpcCidr = 10.20.0.0/28: 3 subnets"),
        ({"recoveryRegion": "ap-southeast-2"}, "recoveryRegion = ap-southeast-2: choose another region"),
        ({"databasePort": 80}, "databasePort = 80: give a whole number from 1150 to 65535"),
        ({"clientCidrs": ["0.0.0.0/0"]}, "clientCidrs = 0.0.0.0/0: give a private block"),
        ({"clientCidrs": ["10.0.0.0/24", "10.0.0.0/24"]}, "clientCidrs = 10.0.0.0/24: name each block once"),
        ({"clientCidrs": ["10.20.0.0/16"]}, "clientCidrs = 10.20.0.0/16: it overlaps primaryVpcCidr"),
        ({"clientCidrs": ["10.30.64.0/18"]}, "clientCidrs = 10.30.64.0/18: it overlaps recoveryVpcCidr"),
        ({"clientCidrs": ["10.0.0.0/8"]}, "clientCidrs = 10.0.0.0/8: it overlaps primaryVpcCidr"),
        ({"flowLogRetentionDays": 0}, "flowLogRetentionDays = 0: give a whole number from 1 to 3653"),
        ({"flowLogRetentionDays": 31}, "flowLogRetentionDays = 31: give one of 1, 3, 5"),
        ({"keyDeletionDays": 6}, "keyDeletionDays = 6: give a whole number from 7 to 30"),
        ({"environmentSuffix": "Not_Valid"}, "environmentSuffix = Not_Valid: start with"),
        ({"environmentSuffix": "a-suffix-too-long"}, "environmentSuffix = a-suffix-too-long: use at most 16"),
        ({"primaryAvailabilityZones": ["ap-southeast-2a"]}, "name 3 different zones"),
        (
            {"primaryAvailabilityZones": ["ap-southeast-2a", "ap-southeast-2b", "us-east-1c"]},
            "primaryAvailabilityZones = us-east-1c: name a zone of ap-southeast-2",
        ),
    ],
)
def test_a_mistake_is_one_line(overrides: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError) as refused:
        load(**overrides)
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("operators", "admits"), [("10.0.0.128/25", "operators and clients"), ("10.1.0.0/24", "operators")]
)
def test_whether_the_operators_network_has_clients_is_said(operators: str, admits: str) -> None:
    assert load(operatorCidrs=[operators]).inspection_admits == admits
