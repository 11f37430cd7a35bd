"""The other VPCs whose clients use the names: which ones are accepted. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shared.environment import ACCOUNT_PATTERN, REGION_PATTERN
from shared.errors import SettingsError
from shared.sites import Site

KEY = "clientVpcs"
EXAMPLE = "arn:aws:ec2:ap-southeast-2:111122223333:vpc/vpc-0a1b2c3d4e5f60718"
ARN_PATTERN = re.compile(r"arn:aws:ec2:(?P<region>[^:]*):(?P<account_id>[^:]*):vpc/(?P<vpc_id>[^/]*)")
VPC_PATTERN = re.compile(r"vpc-[0-9a-f]{8}([0-9a-f]{9})?")


@dataclass(frozen=True)
class ClientVpc:
    """A VPC in which the writer's and the reader's name are to be known.

    Attributes:
        region: where it is.
        account_id: whose it is.
        vpc_id: its id.
    """

    region: str
    account_id: str
    vpc_id: str


def parsed_client_vpcs(texts: Sequence[str]) -> tuple[ClientVpc, ...]:
    """The VPCs that these ARNs name, each once.

    Raises:
        SettingsError: one is no VPC's ARN, or names a VPC that another one names.
    """
    found: dict[str, ClientVpc] = {}
    for text in texts:
        vpc = _parsed(text)
        if vpc.vpc_id in found:
            raise SettingsError(KEY, text, "name each VPC once")
        found[vpc.vpc_id] = vpc
    return tuple(found.values())


def refuse_own_vpcs(client_vpcs: Sequence[ClientVpc], own: Mapping[Site, str]) -> None:
    """Refuse a site's own VPC: Route 53 takes no second association of it.

    Args:
        client_vpcs: as configured.
        own: the id of each site's VPC.

    Raises:
        SettingsError: one of them is configured.
    """
    for vpc in client_vpcs:
        for site, vpc_id in own.items():
            if vpc.vpc_id == vpc_id:
                raise SettingsError(KEY, vpc_id, f"the {site} site's own VPC knows the names already: leave it out")


def _parsed(text: str) -> ClientVpc:
    arn = ARN_PATTERN.fullmatch(text)
    if arn is None:
        raise SettingsError(KEY, text, f"give the ARN of a VPC, such as {EXAMPLE}")
    parts = {
        "region": (REGION_PATTERN, "an AWS region such as ap-southeast-2"),
        "account_id": (ACCOUNT_PATTERN, "an account of 12 digits"),
        "vpc_id": (VPC_PATTERN, "the id of a VPC, vpc- and 17 (or 8) of 0-9 and a-f"),
    }
    for part, (pattern, right) in parts.items():
        if not pattern.fullmatch(arn[part]):
            raise SettingsError(KEY, text, f"{arn[part] or 'nothing'} stands in the place of {right}: see {EXAMPLE}")
    return ClientVpc(**arn.groupdict())
