"""Asking the failover function what it sees and what it would do. It looks with its own eyes, and does nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from function_runtime.control import Order
from operations.errors import NoReportError
from operations.report import Report

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

KEY = "failoverFunctionName"


class Controller:
    """The failover function, as people talk to it.

    Args:
        client: Lambda in the controller's region.
        function_name: the failover function.
    """

    def __init__(self, client: LambdaClient, function_name: str) -> None:
        self._client = client
        self._function_name = function_name

    def report(self, order: Order | None = None) -> Report:
        """Ask.

        Args:
            order: decide as if this order were given; None decides with what is on record.

        Raises:
            NoReportError: it does not answer, or not with a report.
        """
        asked = None if order is None else order.as_item()
        question = json.dumps({"report": {"order": asked}}).encode()
        name = self._function_name
        try:
            # The stubs promise FunctionError in every answer; Lambda sends it with failures only.
            answer: Mapping[str, Any] = self._client.invoke(
                FunctionName=name, InvocationType="RequestResponse", Payload=question
            )
            payload = answer["Payload"].read()
        except ClientError as error:
            raise NoReportError(KEY, name, f"Lambda does not run it ({error}); look at the function in AWS") from error
        except BotoCoreError as error:
            raise NoReportError(KEY, name, f"Lambda does not answer ({error}); check the network, ask again") from error
        try:
            content = json.loads(payload)
        except ValueError as error:
            raise NoReportError(KEY, name, f"it does not answer in JSON ({error}); look at its log") from error
        if "FunctionError" in answer:
            raise NoReportError(KEY, name, f"it failed ({_failure(content)}); look at its log")
        try:
            return Report.of(content)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise NoReportError(
                KEY, name, f"its answer is not understood ({error!r}); run the commands of the version that is deployed"
            ) from error


def _failure(content: Any) -> str:
    if not isinstance(content, dict):
        return str(content)
    return f"{content.get('errorType', 'no type')}: {content.get('errorMessage', 'no message')}"
