"""The item ``control`` of the state table, which operators write and nobody else: only over what was read."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from function_runtime.clients import AwsError
from function_runtime.control import CONTROL, Control
from function_runtime.items import AnotherRunIsAtWorkError, Items
from operations.errors import ChangedMeanwhileError, RefusedError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

KEY = "stateTableName"


class ControlUnreadableError(RefusedError):
    """The item is not what the operators' commands write."""


@dataclass(frozen=True)
class ControlItem:
    """The item.

    Attributes:
        client: DynamoDB in the controller's region.
        table_name: the state table.
    """

    client: DynamoDBClient
    table_name: str

    def read(self) -> Control:
        """What people have told the controller; before the first write, nothing.

        Raises:
            ControlUnreadableError: somebody has written something else there.
            RefusedError: DynamoDB refuses, or does not answer.
        """
        item = self._item()
        if item is None:
            return Control()
        try:
            return Control.from_item(item)
        except (KeyError, TypeError, ValueError) as error:
            raise ControlUnreadableError(
                f"item {CONTROL} of {self.table_name}",
                f"{item} ({error!r})",
                "nobody fails over while it is there: write it anew with nox -s resume",
            ) from error

    def write(self, control: Control) -> Control:
        """Write it over the version it was read in.

        Args:
            control: the item as it should be, with the version it was read in.

        Returns:
            The item with its new version.

        Raises:
            ChangedMeanwhileError: another person has written it since.
            RefusedError: DynamoDB refuses, or does not answer.
        """
        return self._put(control, None if control.version == 0 else control.version)

    def write_anew(self) -> Control:
        """Replace an unreadable item by an empty one.

        Raises:
            ChangedMeanwhileError: another person has written it since.
            RefusedError: DynamoDB refuses, or does not answer.
        """
        item = self._item()
        was = None if item is None else item.get("version")
        known = int(was) if isinstance(was, Decimal) else 0
        return self._put(Control(version=known), was)

    def _put(self, control: Control, read_version: Any) -> Control:
        written = replace(control, version=control.version + 1)
        try:
            self._items.put(written.as_item(), 0 if read_version is None else read_version)
        except AnotherRunIsAtWorkError as error:
            # The answer to a write may be lost and the write be tried again, against its own result.
            if self._item() == written.as_item():
                return written
            raise ChangedMeanwhileError(
                f"item {CONTROL} of {self.table_name}",
                f"no longer version {control.version}",
                "another person has just told the controller something; see nox -s status, then try again",
            ) from error
        except AwsError as error:
            raise self._refused(error) from error
        return written

    def _item(self) -> dict[str, Any] | None:
        try:
            return self._items.get(CONTROL)
        except AwsError as error:
            raise self._refused(error) from error

    @property
    def _items(self) -> Items:
        return Items(self.client, self.table_name)

    def _refused(self, error: Exception) -> RefusedError:
        return RefusedError(
            KEY, self.table_name, f"DynamoDB did not do it ({error}); see with nox -s status what holds, then try again"
        )
