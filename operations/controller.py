"""Ask the failover function what it sees and what it would do. The question changes nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from function_runtime.control import Order
from operations.access import Access
from operations.errors import NoReportError
from operations.report import Report


class Controller:
    """The failover function, as the commands call it.

    Args:
        access: which function, and with which rights.
    """

    def __init__(self, access: Access) -> None:
        self._client = access.lambda_client
        self._function_name = access.place.failover_function_name

    def report(self, order: Order | None = None) -> Report:
        """Ask for a report.

        Args:
            order: decide as if this order were on record; None to decide with the one that is.

        Raises:
            NoReportError: the function does not answer, or not with a report.
        """
        question = json.dumps({"report": {"order": None if order is None else order.as_item()}}).encode()
        try:
            # By the stubs FunctionError is in every answer; Lambda sends it with failures only.
            answer: Mapping[str, Any] = self._client.invoke(
                FunctionName=self._function_name, InvocationType="RequestResponse", Payload=question
            )
            payload = answer["Payload"].read()
        except ClientError as error:
            raise self._no_report(f"Lambda does not run it ({error}); look at the function in AWS") from error
        except BotoCoreError as error:
            raise self._no_report(f"Lambda does not answer ({error}); check the network, then try again") from error
        try:
            content = json.loads(payload)
        except ValueError as error:
            raise self._no_report(f"its answer is not JSON ({error}); look at its log") from error
        if "FunctionError" in answer:
            raise self._no_report(f"it failed ({_failure(content)}); look at its log")
        try:
            return Report.of(content)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise self._no_report(
                f"its answer is not understood ({error!r}); run the commands of the version that is deployed"
            ) from error

    def _no_report(self, why: str) -> NoReportError:
        return NoReportError("failoverFunctionName", self._function_name, why)


def _failure(content: Any) -> str:
    if not isinstance(content, dict):
        return str(content)
    return f"{content.get('errorType', 'no type')}: {content.get('errorMessage', 'no message')}"
