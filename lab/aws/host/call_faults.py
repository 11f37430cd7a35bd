"""Calls that are refused or answered late, by region, service and operation.

Drills make them so; AWS has no such API. As with dark regions, calls of the account's root user are answered as before.
"""

from __future__ import annotations

import json
import logging
import re
import threading
import urllib.parse
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape

import cbor2
from ministack.core import iam_evaluator, router  # type: ignore[import-untyped]

_LOG = logging.getLogger("lab.call_faults")

_SCOPE = re.compile(r"[^/]+/\d{8}/([^/]+)/([^/]+)/aws4_request")
_RPC_PATH = re.compile(r"/service/[^/]+/operation/([^/]+)")
_MESSAGE = "A drill refuses this call."

Answer = tuple[int, dict[str, str], bytes]


@dataclass(frozen=True)
class Rule:
    """The calls of one operation, or of a whole service, in a region.

    Attributes:
        region: the region that requests are signed for.
        service: the service that they are signed for.
        operation: its name; None for all of the service.
        protocol: the service's, in botocore's words; a request that shows another one is answered in that.
        route: method and path as a regular expression, where only these tell the operation.
    """

    region: str
    service: str
    operation: str | None
    protocol: str
    route: str | None = None


@dataclass(frozen=True)
class Fault:
    """What happens to a call.

    Attributes:
        seconds: how long it waits, before it is refused or passed on.
        refusal: what it is answered; None where it is passed on.
    """

    seconds: float = 0.0
    refusal: Answer | None = None


_state = threading.Lock()
_refused: dict[Rule, str] = {}
_slow: dict[Rule, float] = {}
# How many calls have met a rule, by region.
_met: Counter[str] = Counter()


def refuse(region: str, service: str, operation: str | None, protocol: str, route: str | None, code: str) -> None:
    """Answer calls with an error of this code; see `Rule` for the other arguments."""
    rule = Rule(region, service, operation, protocol, route)
    with _state:
        _refused.pop(rule, None)  # the order of the rules is that in which they were given
        _refused[rule] = code
    _LOG.info("%s refuses %s of %s with %s", region, operation or "every call", service, code)


def slow(region: str, service: str, operation: str | None, protocol: str, route: str | None, seconds: float) -> None:
    """Let calls wait before they are answered; see `Rule` for the other arguments."""
    with _state:
        _slow[Rule(region, service, operation, protocol, route)] = seconds
    _LOG.info("%s answers %s of %s after %g s", region, operation or "every call", service, seconds)


def answer(region: str) -> None:
    """Undo every `refuse` and `slow` of a region. A call that waits already still waits."""
    with _state:
        for rules in (_refused, _slow):
            for rule in [rule for rule in rules if rule.region == region]:
                del rules[rule]
        del _met[region]
    _LOG.info("%s answers every call", region)


def met(region: str) -> int:
    """How many calls have been refused or are or were made to wait in a region, since its last `answer`."""
    with _state:
        return _met[region]


def may_concern(headers: Mapping[str, str], query: Mapping[str, list[str]]) -> bool:
    """Whether there is any rule for the service and region that a call is signed for, and for its caller."""
    if iam_evaluator.is_root_access_key(router.extract_access_key_id(headers, query)):
        return False
    signed = _signed_for(headers, query)
    with _state:
        return any((rule.region, rule.service) == signed for rule in (*_refused, *_slow))


def fault_of(method: str, path: str, headers: Mapping[str, str], query: Mapping[str, list[str]], body: bytes) -> Fault:
    """What the rules say of a call that they `may_concern`. Of several refusals the last that was ordered counts."""
    signed = _signed_for(headers, query)
    spoken, operation = _named(path, headers, query, body)

    def concerns(rule: Rule) -> bool:
        if (rule.region, rule.service) != signed:
            return False
        if rule.operation is None or rule.operation == operation:
            return True
        return rule.route is not None and re.fullmatch(rule.route, f"{method} {path}") is not None

    with _state:
        seconds = max((seconds for rule, seconds in _slow.items() if concerns(rule)), default=0.0)
        refusals = [(rule, code) for rule, code in _refused.items() if concerns(rule)]
        if signed is not None and (seconds > 0 or refusals):
            _met[signed[0]] += 1
    if not refusals:
        return Fault(seconds)
    rule, code = refusals[-1]
    protocol = rule.protocol if spoken is None or rule.protocol == "ec2" else spoken
    return Fault(seconds, _refusal(protocol, code))


def _signed_for(headers: Mapping[str, str], query: Mapping[str, list[str]]) -> tuple[str, str] | None:
    """Region and service of the signature's scope."""
    credential = headers.get("authorization", "") or query.get("X-Amz-Credential", [""])[0]
    found = _SCOPE.search(credential)
    return None if found is None else (found[1], found[2])


def _named(
    path: str, headers: Mapping[str, str], query: Mapping[str, list[str]], body: bytes
) -> tuple[str | None, str | None]:
    """Protocol and operation, where the request names them."""
    target = headers.get("x-amz-target")
    if target is not None:
        return "json", target.rpartition(".")[2]
    rpc = _RPC_PATH.fullmatch(path)
    if rpc is not None:
        return "smithy-rpc-v2-cbor", rpc[1]
    action = query.get("Action")
    if action is None and headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        action = urllib.parse.parse_qs(body.decode(errors="replace")).get("Action")
    return (None, None) if action is None else ("query", action[0])


def _refusal(protocol: str, code: str) -> Answer:
    """An error as a service of this protocol answers it."""
    status = _status(code)
    content = {"__type": code, "message": _MESSAGE}
    if protocol == "smithy-rpc-v2-cbor":
        return status, {"content-type": "application/cbor", "smithy-protocol": "rpc-v2-cbor"}, cbor2.dumps(content)
    if protocol in ("json", "rest-json"):
        kind = "application/x-amz-json-1.0" if protocol == "json" else "application/json"
        return status, {"content-type": kind, "x-amzn-errortype": code}, json.dumps(content).encode()
    fault = "Receiver" if status >= 500 else "Sender"
    error = f"<Error><Type>{fault}</Type><Code>{escape(code)}</Code><Message>{_MESSAGE}</Message></Error>"
    document = f"<ErrorResponse>{error}<RequestId>drill</RequestId></ErrorResponse>"
    if protocol == "ec2":
        document = f"<Response><Errors>{error}</Errors><RequestID>drill</RequestID></Response>"
    return status, {"content-type": "text/xml"}, document.encode()


def _status(code: str) -> int:
    """https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/CommonErrors.html."""
    if code.startswith("ServiceUnavailable"):
        return 503
    if code.startswith("Internal"):
        return 500
    return 403 if code == "AccessDenied" else 400
