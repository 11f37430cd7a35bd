"""Address blocks: which ones are accepted, and how a VPC's block is cut into subnets. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import AddressValueError, IPv4Network, NetmaskValueError

from shared.errors import SettingsError

SUBNETS_PER_SITE = 3
SMALLEST_VPC_PREFIX = 16
# AWS takes VPCs down to /28, but a subnet may not be smaller than /28 either, and three of them fit a /26 at the least:
# https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html
LARGEST_VPC_PREFIX = 26
SUBNET_PREFIX_STEP = 2
# Private addresses (RFC 1918) and shared address space (RFC 6598).
PRIVATE_BLOCKS = tuple(
    IPv4Network(block) for block in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")
)


def parsed_block(key: str, text: str) -> IPv4Network:
    """A private IPv4 block.

    Args:
        key: the setting it comes from.
        text: such as ``10.20.0.0/16``.

    Raises:
        SettingsError: it is none, has host bits set, or is not private.
    """
    try:
        block = IPv4Network(text)
    except (AddressValueError, NetmaskValueError, ValueError) as error:
        raise SettingsError(key, text, f"give an IPv4 block such as 10.20.0.0/16 ({error})") from error
    if not any(block.subnet_of(private) for private in PRIVATE_BLOCKS):
        raise SettingsError(key, text, f"give a private block, within one of {', '.join(map(str, PRIVATE_BLOCKS))}")
    return block


def parsed_vpc_block(key: str, text: str) -> IPv4Network:
    """A block a VPC can have and that three subnets fit.

    Raises:
        SettingsError: it is no private block, or too large for AWS or too small for three subnets.
    """
    block = parsed_block(key, text)
    if block.prefixlen < SMALLEST_VPC_PREFIX:
        raise SettingsError(key, text, f"AWS takes no VPC larger than /{SMALLEST_VPC_PREFIX}: give a longer prefix")
    if block.prefixlen > LARGEST_VPC_PREFIX:
        raise SettingsError(
            key,
            text,
            f"{SUBNETS_PER_SITE} subnets of AWS's smallest size (/28) do not fit: give /{LARGEST_VPC_PREFIX} or larger",
        )
    return block


def refuse_overlap(key: str, block: IPv4Network, other_key: str, other: IPv4Network) -> None:
    """Refuse VPCs whose blocks overlap.

    Raises:
        SettingsError: they do, and such VPCs cannot be peered.
    """
    if block.overlaps(other):
        raise SettingsError(key, block, f"it overlaps {other_key} ({other}), which VPC peering refuses: choose another")


def refuse_client_overlap(key: str, block: IPv4Network, vpc_key: str, vpc_block: IPv4Network) -> None:
    """Refuse a client's block that overlaps a VPC.

    Raises:
        SettingsError: it does. The sites' own subnets have rules already, which AWS refuses to make twice
            (InvalidPermission.Duplicate), and traffic from such a block would never leave the VPC it names.
    """
    if block.overlaps(vpc_block):
        raise SettingsError(
            key, block, f"it overlaps {vpc_key} ({vpc_block}), which has rules of its own: name blocks outside of it"
        )


def parsed_client_blocks(key: str, texts: Sequence[str]) -> tuple[IPv4Network, ...]:
    """The blocks clients connect from, each named once.

    Raises:
        SettingsError: one is no private block, or is given twice.
    """
    blocks: list[IPv4Network] = []
    for text in texts:
        block = parsed_block(key, text)
        if block in blocks:
            raise SettingsError(key, text, "name each block once")
        blocks.append(block)
    return tuple(blocks)


def subnet_blocks(vpc_block: IPv4Network) -> tuple[IPv4Network, ...]:
    """The blocks of a VPC's three private subnets: its first three quarters. The last one stays free to grow into."""
    return tuple(vpc_block.subnets(prefixlen_diff=SUBNET_PREFIX_STEP))[:SUBNETS_PER_SITE]
