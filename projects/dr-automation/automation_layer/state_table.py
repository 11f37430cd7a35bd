"""The table of the controller's state and of all incidents."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from shared.naming import STATE_TABLE, Names
from shared.providers import on
from shared.sites import Site


@dataclass(frozen=True)
class StateTableArgs:
    """What the table is made of.

    Attributes:
        key_arn: KMS key of the recovery site for data at rest.
        deletion_protection: DynamoDB and Pulumi refuse to delete it.
    """

    key_arn: pulumi.Input[str]
    deletion_protection: bool


class StateTable(pulumi.ComponentResource):
    """A table in the recovery site: the state must not be lost with the primary site.

    Attributes:
        name: the table's name.
        arn: its ARN.
    """

    name: pulumi.Output[str]
    arn: pulumi.Output[str]

    def __init__(self, names: Names, args: StateTableArgs, provider: aws.Provider) -> None:
        name = names.of(STATE_TABLE, Site.RECOVERY)
        super().__init__("postgres-dr:automation:StateTable", name)
        table = aws.dynamodb.Table(
            name,
            name=name,
            # A few requests a minute. On-demand capacity cannot be set too low for a failover.
            billing_mode="PAY_PER_REQUEST",
            hash_key="id",
            attributes=[aws.dynamodb.TableAttributeArgs(name="id", type="S")],
            point_in_time_recovery=aws.dynamodb.TablePointInTimeRecoveryArgs(enabled=True),
            server_side_encryption=aws.dynamodb.TableServerSideEncryptionArgs(enabled=True, kms_key_arn=args.key_arn),
            deletion_protection_enabled=args.deletion_protection,
            opts=on(provider, parent=self, protect=args.deletion_protection),
        )
        self.name = table.name
        self.arn = table.arn
        self.register_outputs({})
