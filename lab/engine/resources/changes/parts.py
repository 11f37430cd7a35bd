"""What the modules here share: writing a resource once more, asking whether it is there, changing a few inputs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from lab.engine.registration import Created, Values
from lab.engine.resource_table import Context

Read = Callable[[Context, str, Values], Values | None]
Update = Callable[[Context, str, Values, Values], Values]

_NOT_THERE = ("NotFound", "NoSuch", "NonExistent", "404", "DoesNotExist")


def put_again(create: Callable[[Context, Values], Created]) -> Update:
    """An update of what is written as a whole: creating it again overwrites it."""

    def update(context: Context, _: str, __: Values, new: Values) -> Values:
        return create(context, new).outputs

    return update


def there(read: Read) -> Read:
    """A read that answers None where AWS says that there is nothing."""

    def asked(context: Context, identifier: str, inputs: Values) -> Values | None:
        try:
            return read(context, identifier, inputs)
        except ClientError as error:
            if any(word in str(error.response["Error"]["Code"]) for word in _NOT_THERE):
                return None
            raise

    return asked


def described(service: str, operation: str, name: str, *, listed: bool = False) -> Read:
    """A read that says only whether a resource is there, by a call that fails where it is not.

    Args:
        service: boto3's service.
        operation: its method.
        name: the argument that takes the id.
        listed: whether it takes a list of ids.
    """

    def read(context: Context, identifier: str, _: Values) -> Values:
        getattr(context.client(service), operation)(**{name: [identifier] if listed else identifier})
        return {}

    return there(read)


def differing(old: Values, new: Values, key: str) -> bool:
    """Whether an input is to be written: it is there now, and it is another one."""
    return key in new and old.get(key) != new[key]


def of_those_given(now: dict[str, Any], inputs: Values) -> Values:
    """What is there now of the inputs that the state has."""
    return {key: value for key, value in now.items() if key in inputs}
