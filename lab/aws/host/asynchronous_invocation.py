"""Asynchronous invocations of functions by SNS and EventBridge: with permission only, and with retries.

"How Lambda handles errors and retries with asynchronous invocation": an event is tried twice more after a function
error, 1 and 2 minutes later; one that is throttled is retried until its maximum age. A minute is a second here.
MiniStack does not check the function's resource policy, and drops the event when the function fails.

Two of a schedule's events for a function are at work at most, and the next is dropped: on AWS every run has a processor
of its own, while on a busy machine they would pile up and make each other slower and slower.
"""

from __future__ import annotations

import contextvars
import json
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from ministack.core.arn import parse_arn  # type: ignore[import-untyped]
from ministack.core.iam_evaluator import EvalContext, evaluate_resource_policy  # type: ignore[import-untyped]
from ministack.core.responses import request_scope  # type: ignore[import-untyped]
from ministack.services import eventbridge, lambda_svc, sns  # type: ignore[import-untyped]

from lab.aws.host.darkness import is_dark, region_of

_LOG = logging.getLogger("lab.functions")

_DEFAULT_RETRIES = 2
_DEFAULT_MAX_AGE_SECONDS = 6 * 3600
_RETRY_DELAY_SECONDS = 1.0
_THROTTLED_DELAY_SECONDS = 0.5

MOST_RUNS_OF_A_RULE = 2

_runs_of_rules: Counter[tuple[str, str]] = Counter()
_runs_lock = threading.Lock()
_rule_arn: contextvars.ContextVar[str] = contextvars.ContextVar("lab_rule_arn", default="")


def install() -> None:
    """Replace MiniStack's asynchronous invocations."""
    invoke_target = eventbridge._invoke_target
    emit_metrics = lambda_svc._emit_lambda_metrics

    def invoke_target_of_rule(target: Any, event: Any, rule: dict[str, Any], view: Any = None) -> None:
        token = _rule_arn.set(rule.get("Arn", ""))
        try:
            invoke_target(target, event, rule, view)
        finally:
            _rule_arn.reset(token)

    def emit_metrics_of_runs(function_name: str, duration_ms: float, error: bool, throttle: bool) -> None:  # noqa: FBT001
        # Without a duration an event was only accepted; its runs are counted when they happen.
        if duration_ms > 0 or error or throttle:
            emit_metrics(function_name, duration_ms, error, throttle)

    eventbridge._invoke_target = invoke_target_of_rule
    eventbridge._dispatch_to_lambda = _from_rule
    sns._deliver_to_lambda = _from_topic
    lambda_svc.invoke_async_with_retry = _invoke
    lambda_svc._emit_lambda_metrics = emit_metrics_of_runs


def _from_rule(function_arn: str, payload: str) -> None:
    run = (_rule_arn.get(), function_arn)
    with _runs_lock:
        if _runs_of_rules[run] >= MOST_RUNS_OF_A_RULE:
            _LOG.warning("%s: %s is still at work, twice: not started again", *run)
            return
        _runs_of_rules[run] += 1

    def ended() -> None:
        with _runs_lock:
            _runs_of_rules[run] -= 1

    _deliver(function_arn, json.loads(payload), "events.amazonaws.com", run[0], ended)


def _from_topic(
    function_arn: str,
    envelope: str,
    topic_arn: str,
    subscription_arn: str,
    _message_id: str,
    _message: str,
    _attributes: Any,
) -> None:
    record = {
        "EventVersion": "1.0",
        "EventSubscriptionArn": subscription_arn,
        "EventSource": "aws:sns",
        "Sns": json.loads(envelope),
    }
    _deliver(function_arn, {"Records": [record]}, "sns.amazonaws.com", topic_arn)


def _deliver(
    function_arn: str, event: dict[str, Any], service: str, source_arn: str, ended: Callable[[], None] | None = None
) -> None:
    """Invoke a function if its policy permits it; ``ended`` is called when nothing more will be run of the event."""
    function, config, name = lambda_svc._get_func_record_for_ref(function_arn)
    refused = None
    if not function or not config:
        refused = f"there is no function {name} to deliver to"
    else:
        with request_scope(*lambda_svc._account_region_from_function_config(config)):
            if not _permits(function_arn, service, source_arn):
                refused = f"function {name} has no permission that lets {service} invoke it"
    if refused is None:
        _invoke(lambda_svc._execution_record_for_config(function, config), event, ended)
        return
    _LOG.warning("%s: %s", source_arn, refused)
    if ended is not None:
        ended()


def _permits(function_arn: str, service: str, source_arn: str) -> bool:
    found = lambda_svc.function_policy_for_arn(":".join(function_arn.split(":")[:7]))
    if found is None:
        return False
    spec = parse_arn(function_arn)
    context = EvalContext(
        principal_arn="*",
        principal_type="Service",
        principal_account="",
        action="lambda:InvokeFunction",
        resource_arn=function_arn,
        region=spec.region,
        service_context={"aws:sourcearn": source_arn, "aws:sourceaccount": parse_arn(source_arn).account_id},
    )
    return bool(evaluate_resource_policy(found[0], context, service=service).decision == "Allow")


def _invoke(function: dict[str, Any], event: Any, ended: Callable[[], None] | None = None) -> None:
    """Accept an event. A thread invokes the function, and retries."""
    context = contextvars.copy_context()

    def run() -> None:
        try:
            context.run(_run, function, event)
        finally:
            if ended is not None:
                ended()

    threading.Thread(target=run, name="lab-async-invocation", daemon=True).start()


def _run(function: dict[str, Any], event: Any) -> None:
    config = function.get("config", function)
    with request_scope(*lambda_svc._account_region_from_function_config(config)):
        settings = _settings(config)
        retries = settings.get("MaximumRetryAttempts")
        max_age_seconds = settings.get("MaximumEventAgeInSeconds")
        started = time.monotonic()
        result = _run_until_done(
            function,
            event,
            _DEFAULT_RETRIES if retries is None else int(retries),
            started + (_DEFAULT_MAX_AGE_SECONDS if max_age_seconds is None else int(max_age_seconds)),
        )
        target = (settings.get("DestinationConfig") or {}).get("OnFailure", {}).get("Destination")
        if target is None:
            target = (config.get("DeadLetterConfig") or {}).get("TargetArn")
        if result.get("error") and target:
            lambda_svc._route_async_failure(target, config["FunctionName"], event, result)


def _run_until_done(function: dict[str, Any], event: Any, retries: int, too_old_at: float) -> dict[str, Any]:
    name = function["config"]["FunctionName"]
    failures = 0
    while not is_dark(region_of(function["config"])):
        started = time.monotonic()
        result: dict[str, Any] = lambda_svc._execute_function(function, event)
        if result.get("throttle"):
            delay_seconds = _THROTTLED_DELAY_SECONDS  # does not count as an attempt
        else:
            duration_ms = (time.monotonic() - started) * 1000
            lambda_svc._emit_lambda_metrics(name, max(duration_ms, 0.001), bool(result.get("error")), False)  # noqa: FBT003
            if not result.get("error"):
                return result
            _LOG.warning("function %s failed: %s", name, result.get("body"))
            failures += 1
            if failures > retries or name not in lambda_svc._functions:
                return result
            delay_seconds = _RETRY_DELAY_SECONDS * failures
        if time.monotonic() + delay_seconds > too_old_at:
            return result
        time.sleep(delay_seconds)
    return {}  # the region is dark: the event is lost


def _settings(config: dict[str, Any]) -> dict[str, Any]:
    """The function's asynchronous invocation settings; no qualifier means $LATEST."""
    parts = config["FunctionArn"].split(":")
    record = lambda_svc._functions.get(config["FunctionName"], {})
    for qualifier in (parts[7],) if len(parts) > 7 else (None, "$LATEST"):
        found: dict[str, Any] | None = lambda_svc._event_invoke_config(record, qualifier)
        if found is not None:
            return found
    return {}
