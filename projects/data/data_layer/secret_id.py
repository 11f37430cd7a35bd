"""The master user's secret as each site knows it: under one name in both regions. Pure.

Whoever keeps the secret replicates it.
"""

from __future__ import annotations

from collections.abc import Mapping

from shared.environment import Environment
from shared.errors import SettingsError
from shared.secret_id import REGION_PART, secret_id_in
from shared.sites import Site

ARN_PARTS = 7


def secret_id_of_a_site(secret_id: str, environment: Environment) -> str:
    """A name, or an ARN of one of the sites' regions.

    Args:
        secret_id: as it is configured.
        environment: what all layers share.

    Raises:
        SettingsError: it is another ARN.
    """
    if secret_id.startswith("arn:"):
        parts = secret_id.split(":")
        regions = environment.regions.values()
        if len(parts) != ARN_PARTS or parts[2] != "secretsmanager" or parts[REGION_PART] not in regions:
            raise SettingsError(
                "secretId",
                secret_id,
                f"give the secret's name, or its ARN in {' or '.join(regions)}: it is needed in both",
            )
    return secret_id


def replication_command(secret_id: str, regions: Mapping[Site, str], missing_in: str) -> str:
    """The command that replicates the secret into the site's region where it is missing."""
    (there,) = (region for region in regions.values() if region != missing_in)
    return (
        f"aws secretsmanager replicate-secret-to-regions --region {there} "
        f"--secret-id {secret_id_in(secret_id, there)} --add-replica-regions Region={missing_in}"
    )
