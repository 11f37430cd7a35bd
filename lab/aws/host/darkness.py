"""Dark regions: they answer no call of a role and run no function.

Drills make them; AWS has no such API. Calls of the account's root user are answered as before: it is the lab's own
clients that use its key, such as those that evaluate alarms or observe a drill.
"""

from __future__ import annotations

import logging
import threading
from typing import Any

from ministack.core import iam_evaluator, lambda_runtime  # type: ignore[import-untyped]
from ministack.core.arn import parse_arn  # type: ignore[import-untyped]
from ministack.services import eventbridge, lambda_svc, sns  # type: ignore[import-untyped]

from lab.aws.host.function_processes import kill_region

_LOG = logging.getLogger("lab.darkness")

_state = threading.Lock()
# The region for whose functions it is dark, None for everybody; and the dark region.
_dark: set[tuple[str | None, str]] = set()
# Access key of a function's session -> the function's region.
_function_regions: dict[str, str] = {}


def darken(region: str, seen_from: str | None) -> None:
    """Make a region dark; with `seen_from` only for the functions of that region."""
    with _state:
        _dark.add((seen_from, region))
    _LOG.info("%s is dark for %s", region, "everybody" if seen_from is None else f"the functions of {seen_from}")
    if seen_from is None:
        kill_region(region)


def lighten(region: str) -> None:
    """Undo every `darken` of a region. A call that was not answered stays unanswered."""
    with _state:
        _dark.difference_update({(seen_from, dark) for seen_from, dark in _dark if dark == region})
    _LOG.info("%s is back", region)


def is_dark(region: str) -> bool:
    """Whether a region is dark for everybody."""
    with _state:
        return (None, region) in _dark


def leaves_unanswered(access_key: str, region: str) -> bool:
    """Whether a call with this access key, signed for this region, gets no answer."""
    if iam_evaluator.is_root_access_key(access_key):
        return False
    with _state:
        return bool(_dark & {(None, region), (_function_regions.get(access_key, ""), region)})


def install() -> None:
    """Check before a function runs or an event is delivered. To be called after the other modules' `install`."""
    invoke_target, deliver = eventbridge._invoke_target, sns._deliver_to_lambda
    execute, spawn = lambda_svc._execute_function, lambda_runtime.Worker._spawn
    credentials = lambda_runtime.execution_credentials

    def invoke_target_in_the_light(target: Any, event: Any, rule: dict[str, Any], view: Any = None) -> None:
        if not _concerns_the_dark(rule.get("Arn", ""), target.get("Arn", "")):
            invoke_target(target, event, rule, view)

    def deliver_in_the_light(function_arn: str, envelope: str, topic_arn: str, *more: Any) -> None:
        if not _concerns_the_dark(function_arn, topic_arn):
            deliver(function_arn, envelope, topic_arn, *more)

    def execute_in_the_light(function: dict[str, Any], event: Any) -> Any:
        region = region_of(function.get("config") or function)
        if is_dark(region):
            body = {"errorType": "Lab.RegionDark", "errorMessage": f"the region {region} is dark: it runs no function"}
            return {"body": body, "error": True, "log": ""}
        return execute(function, event)

    def spawn_in_the_light(worker: Any) -> None:
        spawn(worker)
        if is_dark(region_of(worker.config)):  # it fell dark meanwhile
            worker._proc.kill()

    def known_credentials(config: dict[str, Any]) -> dict[str, str]:
        found: dict[str, str] = credentials(config)
        with _state:
            _function_regions[found["AWS_ACCESS_KEY_ID"]] = region_of(config)
        return found

    eventbridge._invoke_target = invoke_target_in_the_light
    sns._deliver_to_lambda = deliver_in_the_light
    lambda_svc._execute_function = execute_in_the_light
    lambda_runtime.Worker._spawn = spawn_in_the_light
    lambda_runtime.execution_credentials = known_credentials


def region_of(config: dict[str, Any]) -> str:
    """The region of a function."""
    region: str = lambda_runtime._account_region_from_function_config(config)[1]
    return region


def _concerns_the_dark(*arns: str) -> bool:
    return any(is_dark(parse_arn(arn).region) for arn in arns if arn.startswith("arn:"))
