"""The table of a site's controller: its state, and all incidents it has led."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from shared.naming import STATE_TABLE, Names
from shared.providers import on
from shared.sites import Site

KEY = "id"
BIRTH = "birth"


@dataclass(frozen=True)
class StateTableArgs:
    """What the table is made of.

    Attributes:
        site: where it is.
        active_site: the site whose database takes writes when the table is made.
        key_arn: KMS key of the site for data at rest.
        deletion_protection: DynamoDB and Pulumi refuse to delete it.
    """

    site: Site
    active_site: Site
    key_arn: pulumi.Input[str]
    deletion_protection: bool


class StateTable(pulumi.ComponentResource):
    """A table in each site, and in it what its controller begins with.

    No global table: its conditional writes do not hold across regions. A table without the item of its birth and
    without the controller's own record is lost; one with the first alone has not been used yet.

    Attributes:
        name: the table's name.
        arn: its ARN.
    """

    name: pulumi.Output[str]
    arn: pulumi.Output[str]

    def __init__(self, names: Names, args: StateTableArgs, provider: aws.Provider) -> None:
        name = names.of(STATE_TABLE, args.site)
        super().__init__("postgres-dr:automation:StateTable", name)
        options = on(provider, parent=self, protect=args.deletion_protection)
        table = aws.dynamodb.Table(
            name,
            name=name,
            # A few requests a minute. On-demand capacity cannot be set too low for a failover.
            billing_mode="PAY_PER_REQUEST",
            hash_key=KEY,
            attributes=[aws.dynamodb.TableAttributeArgs(name=KEY, type="S")],
            point_in_time_recovery=aws.dynamodb.TablePointInTimeRecoveryArgs(enabled=True),
            server_side_encryption=aws.dynamodb.TableServerSideEncryptionArgs(enabled=True, kms_key_arn=args.key_arn),
            deletion_protection_enabled=args.deletion_protection,
            opts=options,
        )
        aws.dynamodb.TableItem(
            names.of(f"{STATE_TABLE}-{BIRTH}", args.site),
            table_name=table.name,
            hash_key=KEY,
            item=json.dumps(birth(args.active_site)),
            # Who was the writer at the birth stays true whatever moves afterwards.
            opts=pulumi.ResourceOptions.merge(options, pulumi.ResourceOptions(ignore_changes=["item"])),
        )
        self.name = table.name
        self.arn = table.arn
        self.register_outputs({})


def birth(active_site: Site) -> dict[str, dict[str, str]]:
    """What a controller begins with, as DynamoDB writes it: who the writer is, and whose controller has the authority.

    Args:
        active_site: the writer's site; the standby's controller acts.
    """
    return {
        KEY: {"S": BIRTH},
        "version": {"N": "1"},
        "writer_site": {"S": active_site.value},
        "authority": {"S": active_site.other.value},
    }
