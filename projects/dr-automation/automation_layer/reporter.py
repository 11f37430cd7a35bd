"""A function in one site that reads the recorded state from its site and tells people: what it gets and may."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi

from automation_layer import policies
from automation_layer.settings import AutomationSettings
from automation_layer.state_table import StateTable
from automation_layer.topics import Topics
from shared.contracts import DataContract, NetworkContract
from shared.policy_documents import Statement
from shared.sites import Site

# Where the controller's table and the topics are.
STATE_SITE = Site.RECOVERY


@dataclass(frozen=True)
class ReporterArgs:
    """What such a function works with.

    Attributes:
        site: the site it is in.
        network: both sites' networks.
        data: both sites' databases.
        state: who the writer is.
        topics: how it tells people.
    """

    site: Site
    network: NetworkContract
    data: DataContract
    state: StateTable
    topics: Topics

    def state_reach(self, settings: AutomationSettings) -> pulumi.Output[StateReach]:
        """Where the state and the topics are."""
        network, region = self.network.at(STATE_SITE), settings.environment.regions[STATE_SITE]
        return pulumi.Output.all(
            table_arn=self.state.arn,
            key_arn=network.data_key_arn,
            topic_arn=self.topics.failures.arn,
            topics_key_arn=network.messages_key_arn,
        ).apply(lambda known: StateReach(region=region, **known))


@dataclass(frozen=True)
class StateReach:
    """The state table and the topic of failures.

    Attributes:
        region: the region of both.
        table_arn: the controller's table.
        key_arn: its KMS key.
        topic_arn: the topic it tells people through.
        topics_key_arn: its KMS key.
    """

    region: str
    table_arn: str
    key_arn: str
    topic_arn: str
    topics_key_arn: str


def report(reach: StateReach, own_item: str, read: Sequence[str]) -> list[Statement]:
    """Read items of the state table, write the function's own one, and tell people.

    Args:
        reach: where they are.
        own_item: the key of its own item, which it reads, too.
        read: the keys of the other items it reads, ``*`` for any end.
    """
    return [
        policies.read_state(reach.table_arn, [*read, own_item]),
        policies.write_state(reach.table_arn, [own_item]),
        policies.use_state_key(reach.key_arn, reach.region),
        *policies.tell_people([reach.topic_arn], reach.topics_key_arn, reach.region),
    ]
