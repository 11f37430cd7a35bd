"""One explicit AWS provider per region. Default providers are disabled, so nothing lands in a region by omission."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi
import pulumi_aws as aws

from shared.settings import StackSettings
from shared.sites import Site
from shared.tagging import site_tags

GLOBAL_SITE = Site.RECOVERY
"""The site whose provider makes what has no region (IAM, Route 53): the one expected to be there after a disaster."""


WITNESS_ROLE = "witness"
"""The ``DR-Role`` of what stands in the witness's region, which is no site."""


def site_providers(settings: StackSettings) -> Mapping[Site, aws.Provider]:
    """A provider for each site's region, with the required tags (C5) on everything it makes.

    Endpoints are not set here: the SDK in the provider reads ``AWS_ENDPOINT_URL`` and ``AWS_ENDPOINT_URL_<SERVICE>``.
    """
    return {site: _provider(settings, site, region) for site, region in settings.regions.items()}


def witness_provider(settings: StackSettings, region: str) -> aws.Provider:
    """A provider for the region of the witness, which is neither site's; the same tags with a role of its own.

    Args:
        settings: what all layers configure.
        region: the witness's region.
    """
    return _provider(settings, WITNESS_ROLE, region)


def _provider(settings: StackSettings, role: str, region: str) -> aws.Provider:
    return aws.Provider(
        settings.names.of("aws", role),
        region=region,
        allowed_account_ids=[settings.account_id],
        s3_use_path_style=settings.s3_use_path_style,
        default_tags=aws.ProviderDefaultTagsArgs(
            tags={
                **settings.extra_tags,
                **site_tags(
                    environment=settings.environment,
                    owner=settings.owner,
                    dr_role=role,
                    suffix=settings.suffix,
                ),
            }
        ),
    )


def on(provider: aws.Provider, parent: pulumi.Resource | None = None) -> pulumi.ResourceOptions:
    """Options that put a resource on a provider and under a parent."""
    return pulumi.ResourceOptions(provider=provider, parent=parent)
