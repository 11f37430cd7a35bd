"""What RDS looks up in EC2 and KMS; moto would look into its own models."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from botocore.exceptions import ClientError

from lab.rds.errors import InvalidCombinationError, InvalidSubnetError, InvalidValueError, KeyNotAccessibleError


@dataclass(frozen=True)
class Subnet:
    """A subnet as a DB subnet group holds it (the attributes moto's subnet group reads)."""

    id: str
    vpc_id: str
    availability_zone: str
    cidr: str

    def addresses(self) -> Iterator[str]:
        """The addresses that an instance can have, from the bottom; functions get theirs from the top."""
        # AWS reserves the first four and the last address of each subnet.
        yield from map(str, islice(ipaddress.IPv4Network(self.cidr).hosts(), 3, None))


class Lookups:
    """Looks things up in one region."""

    def __init__(self, ec2: Callable[[], Any], kms: Callable[[], Any]) -> None:
        """Nothing is looked up yet; the arguments give the region's boto3 clients."""
        self._ec2 = ec2
        self._kms = kms

    def subnets(self, subnet_ids: Sequence[str]) -> list[Subnet]:
        """Describe subnets.

        Raises:
            InvalidSubnetError: one does not exist, or they lie in different VPCs.
        """
        try:
            answer = self._ec2().describe_subnets(SubnetIds=list(subnet_ids))
        except ClientError as error:
            raise InvalidSubnetError(f"Some input subnets in :{list(subnet_ids)} are invalid.") from error
        found = [
            Subnet(item["SubnetId"], item["VpcId"], item["AvailabilityZone"], item["CidrBlock"])
            for item in answer["Subnets"]
        ]
        if {subnet.id for subnet in found} != set(subnet_ids):
            raise InvalidSubnetError(f"Some input subnets in :{list(subnet_ids)} are invalid.")
        if len({subnet.vpc_id for subnet in found}) != 1:
            raise InvalidSubnetError("Some input subnets are in different VPCs.")
        return found

    def vpc_cidr(self, vpc_id: str) -> str:
        """The CIDR block of a VPC."""
        return str(self._ec2().describe_vpcs(VpcIds=[vpc_id])["Vpcs"][0]["CidrBlock"])

    def require_security_groups(self, group_ids: Sequence[str], vpc_id: str) -> None:
        """Check that security groups exist in a VPC.

        Raises:
            InvalidValueError: one does not exist.
            InvalidCombinationError: one belongs to another VPC.
        """
        groups = {group["GroupId"]: group for group in self._security_groups()}
        for group_id in group_ids:
            if group_id not in groups:
                raise InvalidValueError(f"Invalid security group , groupId= {group_id}, groupName=.")
            if groups[group_id].get("VpcId") != vpc_id:
                raise InvalidCombinationError("The DB instance and EC2 security group are in different VPCs.")

    def default_security_group(self, vpc_id: str) -> str:
        """The group that RDS uses where none is given.

        Raises:
            InvalidCombinationError: the VPC has none.
        """
        for group in self._security_groups():
            if group.get("VpcId") == vpc_id and group["GroupName"] == "default":
                return str(group["GroupId"])
        raise InvalidCombinationError(f"The VPC {vpc_id} has no default security group; name one.")

    def used_addresses(self) -> set[str]:
        """The addresses of every network interface of the region."""
        return {
            interface["PrivateIpAddress"]
            for page in self._ec2().get_paginator("describe_network_interfaces").paginate()
            for interface in page["NetworkInterfaces"]
            if "PrivateIpAddress" in interface
        }

    def key_arn(self, key_id: str) -> str:
        """The ARN of an enabled KMS key of this region.

        Args:
            key_id: a key's id or ARN, or an alias.

        Raises:
            KeyNotAccessibleError: there is none, or it is not enabled.
        """
        try:
            metadata = self._kms().describe_key(KeyId=key_id)["KeyMetadata"]
        except ClientError as error:
            raise KeyNotAccessibleError(key_id) from error
        if metadata.get("KeyState", "Enabled") != "Enabled":
            raise KeyNotAccessibleError(key_id)
        return str(metadata["Arn"])

    def _security_groups(self) -> Iterator[dict[str, Any]]:
        for page in self._ec2().get_paginator("describe_security_groups").paginate():
            yield from page["SecurityGroups"]
