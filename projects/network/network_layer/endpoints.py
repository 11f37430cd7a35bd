"""A site's VPC endpoint for S3."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from shared.naming import Names
from shared.policy_documents import allow, as_json
from shared.providers import on
from shared.sites import Site

OBJECT_ACTIONS = (
    "s3:AbortMultipartUpload",
    "s3:GetObject",
    "s3:GetObjectVersion",
    "s3:ListMultipartUploadParts",
    "s3:PutObject",
)
BUCKET_ACTIONS = ("s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads")


@dataclass(frozen=True)
class EndpointsArgs:
    """What a site's endpoints are made of.

    Attributes:
        site: where they are.
        account_id: the account; principals and buckets of others have no way through.
        region: the site's region; a gateway endpoint reaches buckets of its own region only.
        vpc_id: the VPC.
        route_table_id: the private subnets' route table, which gets the routes to S3.
    """

    site: Site
    account_id: str
    region: str
    vpc_id: pulumi.Input[str]
    route_table_id: pulumi.Input[str]


class Endpoints(pulumi.ComponentResource):
    """The S3 gateway endpoint: free of charge, and what a database's import from or export to S3 goes through.

    Attributes:
        s3: the gateway endpoint.
    """

    s3: aws.ec2.VpcEndpoint

    def __init__(self, names: Names, args: EndpointsArgs, provider: aws.Provider) -> None:
        super().__init__("postgres-dr:network:Endpoints", names.of("endpoints", args.site), None, None)
        name = names.of("s3", args.site)
        self.s3 = aws.ec2.VpcEndpoint(
            name,
            vpc_id=args.vpc_id,
            service_name=f"com.amazonaws.{args.region}.s3",
            vpc_endpoint_type="Gateway",
            route_table_ids=[args.route_table_id],
            policy=s3_endpoint_policy(args.account_id),
            tags={"Name": name},
            opts=on(provider, parent=self),
        )
        self.register_outputs({})


def s3_endpoint_policy(account_id: str) -> str:
    """What may pass, as JSON: objects read and written, nothing deleted or configured, within the account.

    Without a policy of its own an endpoint lets everybody reach every bucket of the world, a way out for data. The
    principal stays ``*``: a gateway endpoint takes an account there for its root user only, so conditions limit it.
    https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-access.html
    """
    inside = {"StringEquals": {"aws:PrincipalAccount": account_id, "aws:ResourceAccount": account_id}}
    return as_json(allow("OwnBucketsOnly", [*OBJECT_ACTIONS, *BUCKET_ACTIONS], "*", inside, to="*"))
