"""One explicit AWS provider per region. Default providers are disabled, so nothing lands in a region by omission."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi
import pulumi_aws as aws

from shared.environment import Environment
from shared.sites import Site
from shared.tagging import site_tags

GLOBAL_SITE = Site.RECOVERY
"""The site whose provider makes what has no region (IAM, Route 53). Fixed, whatever the sites' roles are."""


WITNESS_ROLE = "witness"
"""The ``DR-Role`` of what stands in the witness's region, which is no site."""


def site_providers(environment: Environment) -> Mapping[Site, aws.Provider]:
    """A provider for each site's region, with the required tags (C5) on everything it makes.

    Endpoints are not set here: the SDK in the provider reads ``AWS_ENDPOINT_URL`` and ``AWS_ENDPOINT_URL_<SERVICE>``.
    """
    return {site: _provider(environment, site, region) for site, region in environment.regions.items()}


def witness_provider(environment: Environment, region: str) -> aws.Provider:
    """A provider for the region of the witness, which is neither site's; the same tags with a role of its own.

    Args:
        environment: what all layers share.
        region: the witness's region.
    """
    return _provider(environment, WITNESS_ROLE, region)


def _provider(environment: Environment, role: str, region: str) -> aws.Provider:
    """A provider asks STS who it is when it is configured, by default in its own region: while that is dark, no program
    that declares one for it could run, not even for the other sites' resources.
    """
    return aws.Provider(
        environment.names.of("aws", role),
        region=region,
        sts_region=environment.sts_region or environment.regions[GLOBAL_SITE],
        allowed_account_ids=[environment.account_id],
        s3_use_path_style=environment.s3_use_path_style,
        default_tags=aws.ProviderDefaultTagsArgs(
            tags={
                **environment.extra_tags,
                **site_tags(
                    environment=environment.kind,
                    owner=environment.owner,
                    dr_role=role,
                    suffix=environment.suffix,
                ),
            }
        ),
    )


def on(
    provider: aws.Provider, parent: pulumi.Resource | None = None, *, protect: bool | None = None
) -> pulumi.ResourceOptions:
    """Options that put a resource on a provider and under a parent.

    Args:
        provider: of the resource's region.
        parent: the component it belongs to.
        protect: whether Pulumi refuses to delete or replace it; None leaves that to the parent.
    """
    return pulumi.ResourceOptions(provider=provider, parent=parent, protect=protect)
