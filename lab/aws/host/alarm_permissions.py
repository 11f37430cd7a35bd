"""What IAM decides DescribeAlarms on: all alarms of the region, whichever the caller names.

https://github.com/mattclay/aws-terminator/pull/63 and
https://github.com/aws-samples/amazon-cloudwatch-auto-alarms/issues/1 show AWS's answer to a caller without that right.
"""

from __future__ import annotations

from typing import Any

from ministack.core import iam_actions  # type: ignore[import-untyped]

_ACTION = "cloudwatch:DescribeAlarms"


def install() -> None:
    """Let MiniStack decide on the same resource; it knows one for calls about a single alarm only."""
    extract = iam_actions.extract_resource_arn

    def extract_resource_arn(
        service: str, method: str, path: str, headers: Any, body: bytes, query: Any, region: str, account_id: str
    ) -> str:
        if (
            service == "monitoring"
            and iam_actions.extract_iam_action(service, method, path, headers, body, query) == _ACTION
        ):
            return f"arn:aws:cloudwatch:{region}:{account_id}:alarm:*"
        found: str = extract(service, method, path, headers, body, query, region, account_id)
        return found

    iam_actions.extract_resource_arn = extract_resource_arn
