"""What a guard did about its database: one item a site in the state table, written with conditions only."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from botocore.exceptions import ClientError

from failover.clients import code_of
from failover.state import AnotherRunIsAtWorkError
from function_runtime.items import plain, serialized
from function_runtime.sites import Site

BY = "fence-guard"


class Outcome(StrEnum):
    """How far a fence has come. Axis of certainty: who may still write."""

    BEGUN = "begun"
    """It is being done; what is in force is not known."""
    FENCED = "fenced"
    """Nobody: the group without rules is in force and the instance was rebooted after that."""
    GROUPS_REPLACED = "groups_replaced"
    """Those whose connections are older than the fence: no reboot."""
    REFUSED = "refused"
    """Everybody: RDS did not take it."""


@dataclass(frozen=True)
class FenceRecord:
    """One site's fence.

    Attributes:
        site: whose database.
        epoch: the epoch in which it is no longer the writer.
        outcome: how far it has come.
        detail: the same for people.
        at: when it was written.
        told: outcomes people were told of in this epoch, each once.
        version: grows with each write; 0 before the first.
    """

    site: Site
    epoch: int
    outcome: Outcome
    detail: str
    at: datetime
    told: tuple[Outcome, ...] = ()
    version: int = 0

    def as_item(self) -> dict[str, Any]:
        """For the state table."""
        return {
            "id": item_id(self.site),
            "version": self.version,
            "epoch": self.epoch,
            "outcome": self.outcome.value,
            "detail": self.detail,
            "at": self.at.isoformat(),
            "by": BY,
            "told": [outcome.value for outcome in self.told],
        }


def item_id(site: Site) -> str:
    """The item's key in the state table."""
    return f"fence#{site.value}"


class FenceRecords:
    """The items of the fence-guards.

    Args:
        client: DynamoDB's client in the table's region.
        table: the table's name.
    """

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table

    def read(self, site: Site) -> FenceRecord | None:
        """The site's record, None where there is none. Raises botocore's errors."""
        answer = self._client.get_item(
            TableName=self._table, Key=serialized({"id": item_id(site)}), ConsistentRead=True
        )
        if "Item" not in answer:
            return None
        item = plain(answer["Item"])
        return FenceRecord(
            site=site,
            epoch=int(item["epoch"]),
            outcome=Outcome(item["outcome"]),
            detail=item["detail"],
            at=datetime.fromisoformat(item["at"]),
            told=tuple(Outcome(each) for each in item["told"]),
            version=int(item["version"]),
        )

    def save(self, record: FenceRecord) -> FenceRecord:
        """Write it over the version it was read in; returns it with its new version.

        Raises:
            AnotherRunIsAtWorkError: the item is no longer what was read.
            ClientError, BotoCoreError: DynamoDB refuses or is silent.
        """
        written = replace(record, version=record.version + 1)
        condition: dict[str, Any] = {
            "ConditionExpression": "attribute_not_exists(#version)",
            "ExpressionAttributeNames": {"#version": "version"},
        }
        if record.version > 0:
            condition["ConditionExpression"] = "#version = :read_version"
            condition["ExpressionAttributeValues"] = serialized({":read_version": record.version})
        try:
            self._client.put_item(TableName=self._table, Item=serialized(written.as_item()), **condition)
        except ClientError as error:
            if code_of(error) == "ConditionalCheckFailedException":
                raise AnotherRunIsAtWorkError(f"{item_id(record.site)} was changed by another run") from error
            raise
        return written
