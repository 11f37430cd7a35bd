"""A function in one site that reads the recorded state of both and tells people: what it gets and may."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi

from automation_layer import policies
from automation_layer.settings import AutomationSettings
from automation_layer.state_table import StateTable
from automation_layer.topics import Topics
from shared.contracts import DataContract, NetworkContract
from shared.policy_documents import Statement
from shared.sites import Site


@dataclass(frozen=True)
class ReporterArgs:
    """What such a function works with.

    Attributes:
        site: the site it is in.
        network: both sites' networks.
        data: both sites' databases.
        states: who the writer is, as each site's controller knows it.
        topics: how it tells people, in each site.
    """

    site: Site
    network: NetworkContract
    data: DataContract
    states: Mapping[Site, StateTable]
    topics: Mapping[Site, Topics]

    def state_reaches(self, settings: AutomationSettings) -> pulumi.Output[dict[Site, StateReach]]:
        """Where state and topics are, by site."""
        known = [
            pulumi.Output.all(
                table_arn=self.states[site].arn,
                key_arn=self.network.at(site).data_key_arn,
                failures_topic_arn=self.topics[site].failures.arn,
                recoveries_topic_arn=self.topics[site].recoveries.arn,
                topics_key_arn=self.network.at(site).messages_key_arn,
            )
            for site in Site
        ]
        regions = settings.environment.regions
        return pulumi.Output.all(*known).apply(
            lambda each: {site: StateReach(regions[site], **found) for site, found in zip(Site, each, strict=True)}
        )


@dataclass(frozen=True)
class StateReach:
    """The state table and the topics for people of one site.

    Attributes:
        region: the site's region.
        table_arn: its controller's table.
        key_arn: the table's KMS key.
        failures_topic_arn: the topic of failures.
        recoveries_topic_arn: the topic of recoveries.
        topics_key_arn: the topics' KMS key.
    """

    region: str
    table_arn: str
    key_arn: str
    failures_topic_arn: str
    recoveries_topic_arn: str
    topics_key_arn: str


@dataclass(frozen=True)
class OwnItem:
    """The one item that such a function writes.

    Attributes:
        key: its key.
        site: in which site's table.
    """

    key: str
    site: Site


def report(reaches: Mapping[Site, StateReach], own: OwnItem, read: Sequence[str]) -> list[Statement]:
    """Read items of both state tables, write the function's own one, and tell people in either site.

    Args:
        reaches: where the tables and topics are.
        own: its own item, which it reads, too.
        read: the keys of the other items it reads, ``*`` for any end.
    """
    granted: list[Statement] = []
    for site, reach in reaches.items():
        items = [*read, own.key] if site is own.site else read
        granted += [
            policies.read_state(reach.table_arn, items, site),
            policies.use_state_key(reach.key_arn, reach.region, site),
            *policies.tell_people([reach.failures_topic_arn], reach.topics_key_arn, reach.region, site),
        ]
    return [*granted, policies.write_state(reaches[own.site].table_arn, [own.key])]
