"""What a deploy of this layer checks in the account before it touches anything, with boto3 and read-only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from network_layer.existing_in_aws import faults
from shared.errors import SettingsError

if TYPE_CHECKING:
    from network_layer.settings import NetworkSettings

# A dark region is not waited for long.
CONFIG = Config(connect_timeout=5, read_timeout=10, retries={"total_max_attempts": 2, "mode": "standard"})


def check(settings: NetworkSettings, _deployed: Mapping[str, object]) -> tuple[str, ...]:
    """Hold what the configuration says of existing VPCs against EC2, with the credentials the deploy will have.

    Args:
        settings: the layer's settings.

    Returns:
        which regions did not answer, so that nothing was compared there.

    Raises:
        SettingsError: a VPC, subnet or route table is not there, or not what the configuration says.
    """
    warnings = []
    for site, network in settings.existing.items():
        region = settings.environment.regions[site]
        try:
            for fault in faults(boto3.client("ec2", region_name=region, config=CONFIG), network):
                raise fault
        except ClientError as error:
            raise SettingsError("AWS", f"({region})", f"let these credentials describe its VPCs: {error}") from error
        except BotoCoreError as error:
            warnings.append(f"{region} does not answer, so {network.existing_vpc_id} there was not looked at: {error}")
    return tuple(warnings)
