"""The KMS keys: one for data, in both sites; one for messages and logs in each site."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from network_layer.key_policies import data_key_policy, messages_key_policy
from shared.naming import Names
from shared.providers import on
from shared.sites import Site

ROTATION_PERIOD_DAYS = 365


@dataclass(frozen=True)
class KeysArgs:
    """What the keys are made of.

    Attributes:
        account_id: the account that owns them.
        regions: the region of each site.
        deletion_days: waiting period before a destroyed key is deleted.
        protect: Pulumi refuses to destroy them, since everything encrypted with them would be lost.
    """

    account_id: str
    regions: Mapping[Site, str]
    deletion_days: int
    protect: bool


class Keys(pulumi.ComponentResource):
    """All keys of an environment, each with an alias and with rotation on.

    The data key is a multi-region key with a replica in the recovery site, so that what is encrypted in one site can be
    read in the other. RDS and S3 replication treat the two as unrelated keys and get the one of their own region.

    Attributes:
        data_key_arns: the data key of each site.
        messages_key_arns: the messages and logs key of each site.
    """

    data_key_arns: Mapping[Site, pulumi.Output[str]]
    messages_key_arns: Mapping[Site, pulumi.Output[str]]

    def __init__(self, names: Names, args: KeysArgs, providers: Mapping[Site, aws.Provider]) -> None:
        super().__init__("postgres-dr:network:Keys", names.of("keys", "network"), None, None)
        self._names = names
        self._args = args
        self._aws = providers
        self.data_key_arns = self._data_keys()
        self.messages_key_arns = {site: self._messages_key(site) for site in args.regions}
        self.register_outputs({})

    def _data_keys(self) -> Mapping[Site, pulumi.Output[str]]:
        name = self._names.of("data", Site.PRIMARY)
        primary = aws.kms.Key(
            name,
            description=f"Data at rest: databases, backups, state ({Site.PRIMARY})",
            multi_region=True,
            enable_key_rotation=True,
            rotation_period_in_days=ROTATION_PERIOD_DAYS,
            deletion_window_in_days=self._args.deletion_days,
            policy=self._data_policy(Site.PRIMARY),
            tags={"Name": name},
            opts=on(self._aws[Site.PRIMARY], parent=self, protect=self._args.protect),
        )
        replica_name = self._names.of("data", Site.RECOVERY)
        # A replica key rotates with its primary key.
        replica = aws.kms.ReplicaKey(
            replica_name,
            description=f"Data at rest: databases, backups, state ({Site.RECOVERY})",
            primary_key_arn=primary.arn,
            deletion_window_in_days=self._args.deletion_days,
            policy=self._data_policy(Site.RECOVERY),
            tags={"Name": replica_name},
            opts=on(self._aws[Site.RECOVERY], parent=self, protect=self._args.protect),
        )
        self._alias(name, Site.PRIMARY, primary.key_id)
        self._alias(replica_name, Site.RECOVERY, replica.key_id)
        return {Site.PRIMARY: primary.arn, Site.RECOVERY: replica.arn}

    def _messages_key(self, site: Site) -> pulumi.Output[str]:
        name = self._names.of("messages", site)
        key = aws.kms.Key(
            name,
            description=f"Topics and log groups ({site})",
            enable_key_rotation=True,
            rotation_period_in_days=ROTATION_PERIOD_DAYS,
            deletion_window_in_days=self._args.deletion_days,
            policy=messages_key_policy(self._args.account_id, self._args.regions[site], self._names.suffix),
            tags={"Name": name},
            opts=on(self._aws[site], parent=self, protect=self._args.protect),
        )
        self._alias(name, site, key.key_id)
        return key.arn

    def _data_policy(self, site: Site) -> str:
        return data_key_policy(self._args.account_id, self._args.regions[site], self._args.regions.values())

    def _alias(self, name: str, site: Site, key_id: pulumi.Output[str]) -> None:
        aws.kms.Alias(name, name=f"alias/{name}", target_key_id=key_id, opts=on(self._aws[site], parent=self))
