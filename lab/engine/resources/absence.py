"""Deleting what is gone already."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import ClientError


@contextmanager
def absence_is_fine(*codes: str) -> Iterator[None]:
    """Run a block that may find nothing to delete.

    Args:
        codes: the error codes that say so; the rest of the block is skipped at one of them.

    Raises:
        ClientError: AWS refused for another reason.
    """
    try:
        yield
    except ClientError as error:
        if error.response["Error"]["Code"] not in codes:
            raise
