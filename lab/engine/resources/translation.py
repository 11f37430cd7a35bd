"""What the resource tables share: inputs under an API's names, and errors that mean "already gone"."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import ClientError

from lab.engine.registration import Values
from lab.engine.tags import tag_list


def arguments(inputs: Values, names: Mapping[str, str]) -> dict[str, Any]:
    """The inputs that were given, under the API's names.

    Args:
        inputs: a resource's inputs.
        names: the API's name of each input that it takes as it is.
    """
    return {name: inputs[key] for key, name in names.items() if key in inputs}


def tag_specifications(resource: str, tags: Mapping[str, str]) -> list[dict[str, Any]]:
    """Tags as EC2 takes them at creation; without tags an empty list, since EC2 refuses an empty specification."""
    return [{"ResourceType": resource, "Tags": tag_list(tags)}] if tags else []


@contextmanager
def gone_is_fine(*codes: str) -> Iterator[None]:
    """Take these error codes of AWS for the news that what is to be deleted is gone already.

    Raises:
        ClientError: any other error.
    """
    try:
        yield
    except ClientError as error:
        if error.response["Error"]["Code"] not in codes:
            raise
