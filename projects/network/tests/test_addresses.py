"""What a VPC's block must be like, and how it is cut into subnets (R12)."""

from __future__ import annotations

from ipaddress import IPv4Network
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from network_layer.addresses import parsed_block, parsed_client_blocks, parsed_vpc_block, refuse_overlap, subnet_blocks
from shared.errors import SettingsError

vpc_blocks = st.integers(16, 26).flatmap(
    lambda prefix: st.integers(0, 2 ** (prefix - 8) - 1).map(
        lambda number: IPv4Network(((10 << 24) + (number << (32 - prefix)), prefix))
    )
)


@given(vpc_blocks)
def test_three_disjoint_subnets_aws_accepts_fit_every_accepted_vpc(block: IPv4Network) -> None:
    assert parsed_vpc_block("primaryVpcCidr", str(block)) == block
    subnets = subnet_blocks(block)
    assert len(subnets) == 3
    assert all(subnet.subnet_of(block) and 16 <= subnet.prefixlen <= 28 for subnet in subnets)
    assert not any(one.overlaps(other) for one, other in combinations(subnets, 2))


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("10.20.0.0", "AWS takes no VPC|/26 or larger"),
        ("ten", "give an IPv4 block such as"),
        ("10.20.0.1/16", "has host bits set"),
        ("8.8.0.0/16", "give a private block"),
        ("10.0.0.0/15", "no VPC larger than /16"),
        ("10.0.0.0/27", "do not fit"),
        ("fd00::/16", "give an IPv4 block"),
    ],
)
def test_a_block_no_vpc_can_have_is_refused(text: str, remedy: str) -> None:
    with pytest.raises(SettingsError, match=remedy) as refused:
        parsed_vpc_block("primaryVpcCidr", text)
    assert str(refused.value).startswith(f"primaryVpcCidr = {text}: ")


def test_overlapping_vpcs_are_refused_and_both_are_named() -> None:
    with pytest.raises(SettingsError, match=r"recoveryVpcCidr = 10.20.128.0/17: it overlaps primaryVpcCidr"):
        refuse_overlap("recoveryVpcCidr", IPv4Network("10.20.128.0/17"), "primaryVpcCidr", IPv4Network("10.20.0.0/16"))


def test_a_client_may_be_one_host_but_not_the_internet() -> None:
    assert parsed_client_blocks("clientCidrs", ["10.1.2.3/32"]) == (IPv4Network("10.1.2.3/32"),)
    with pytest.raises(SettingsError, match="give a private block"):
        parsed_block("clientCidrs", "0.0.0.0/0")


def test_a_client_block_named_twice_is_refused() -> None:
    with pytest.raises(SettingsError, match="name each block once"):
        parsed_client_blocks("clientCidrs", ["10.0.0.0/24", "10.0.0.0/24"])
