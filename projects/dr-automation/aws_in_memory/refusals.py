"""Errors as AWS answers them."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError, ConnectTimeoutError


def refusal(code: str, status: int = 400) -> ClientError:
    """An error that a service answers with."""
    answer: Any = {"Error": {"Code": code, "Message": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, "Operation")


def silence() -> ConnectTimeoutError:
    """No answer."""
    return ConnectTimeoutError(endpoint_url="https://service.example")
