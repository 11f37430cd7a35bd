"""The item ``control`` of the state table: the operators' commands write it, and nobody else does."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from function_runtime.clients import AwsError
from function_runtime.control import CONTROL, Control
from function_runtime.items import AnotherRunIsAtWorkError, Items
from function_runtime.state import State
from operations.errors import ChangedMeanwhileError, RefusedError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@dataclass(frozen=True)
class ControlItem:
    """The item. It is written only if it has not changed since it was read.

    Every method raises `RefusedError` if DynamoDB refuses or does not answer.

    Attributes:
        client: DynamoDB in the region of the controller with authority.
        table_name: the state table.
    """

    client: DynamoDBClient
    table_name: str

    def read(self) -> Control:
        """The pause and the order on record; empty before the first write.

        Raises:
            ControlUnreadableError: the item is not one that these commands wrote.
        """
        try:
            return State(self.client, self.table_name).control()
        except AwsError as error:
            raise self._refused(error) from error

    def write(self, control: Control) -> Control:
        """Write the item over the version that was read.

        Args:
            control: the item as it should be, with the version that was read.

        Returns:
            The item with its new version.

        Raises:
            ChangedMeanwhileError: another person has written it since.
        """
        return self._put(control, control.version)

    def write_anew(self) -> Control:
        """Replace an unreadable item by an empty one.

        Raises:
            ChangedMeanwhileError: another person has written it since.
        """
        version = (self._item() or {}).get("version", 0)
        return self._put(Control(version=int(version) if isinstance(version, Decimal) else 0), version)

    def _put(self, control: Control, read_version: Any) -> Control:
        written = replace(control, version=control.version + 1)
        try:
            Items(self.client, self.table_name).put(written.as_item(), read_version)
        except AnotherRunIsAtWorkError as error:
            # If DynamoDB's answer got lost, the SDK repeats the write, and the condition fails on our own first write.
            if self._item() == written.as_item():
                return written
            raise ChangedMeanwhileError(
                f"item {CONTROL} of {self.table_name}",
                f"no longer version {control.version}",
                "another person has just written to it; see nox -s status, then try again",
            ) from error
        except AwsError as error:
            raise self._refused(error) from error
        return written

    def _item(self) -> dict[str, Any] | None:
        try:
            return Items(self.client, self.table_name).get(CONTROL)
        except AwsError as error:
            raise self._refused(error) from error

    def _refused(self, error: Exception) -> RefusedError:
        return RefusedError(
            "stateTableName",
            self.table_name,
            f"DynamoDB failed ({error}); see with nox -s status what is on record, then try again",
        )
