"""Whether the master user's secret is there in both regions: with the only one, nobody can read it after its loss."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from function_runtime.clients import AwsError, code_of
from function_runtime.sites import Site
from operations.access import LISTING
from shared.secret_id import secret_id_in

if TYPE_CHECKING:
    import boto3

SECRET_KEY = "masterSecretId"  # noqa: S105 - the name of an output
GONE = "ResourceNotFoundException"


def secret_in_both_regions(outputs: Mapping[str, Any], session: boto3.session.Session) -> list[str]:
    """What is to be said of it: a line a site where something is wrong or unknown, otherwise one that all is well.

    Args:
        outputs: the flat outputs; the data layer's say which secret it is.
        session: whose rights to look with: ``secretsmanager:DescribeSecret``, which shows no content.
    """
    lines = []
    for site in Site:
        region, secret = outputs.get(f"{site}Region"), outputs.get(SECRET_KEY)
        if not isinstance(region, str) or not isinstance(secret, str):
            return ["unknown: the outputs do not say which it is; deploy data, then run ./dr outputs"]
        try:
            client = session.client("secretsmanager", region_name=region, config=LISTING)
            described = client.describe_secret(SecretId=secret_id_in(secret, region))
        except AwsError as error:
            lines.append(_why_not(site, region, secret, error))
            continue
        if "DeletedDate" in described:
            lines.append(f"{site}: it is marked for deletion in {region}; its owners restore it")
    return lines or ["there in both regions"]


def _why_not(site: Site, region: str, secret: str, error: Any) -> str:
    if getattr(error, "response", None) is not None and code_of(error) == GONE:
        return (
            f"{site}: MISSING in {region}. After the loss of the other region nobody could read it; its owners "
            f"replicate it: aws secretsmanager replicate-secret-to-regions --secret-id {secret} "
            f"--add-replica-regions Region={region}"
        )
    return f"{site}: unknown in {region} ({error})"
