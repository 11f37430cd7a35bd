"""RDS: MiniStack authenticates and authorizes the call, the lab's own backend answers it.

MiniStack's RDS knows no replicas across regions and no promotion, so the lab brings its own, in the lab's process. The
IAM decision stays here: the handler is called only after MiniStack has checked the caller's signature and policies.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import urllib.parse
from collections.abc import Mapping
from html import escape
from typing import Any

from ministack import app  # type: ignore[import-untyped]
from ministack.core import iam_actions, iam_evaluator, responses  # type: ignore[import-untyped]

# The longest an RDS call of the lab may take: it answers at once and works on in the background, as RDS does.
_TIMEOUT_SECONDS = 60.0
DELETE_SNAPSHOT = "rds:DeleteDBSnapshot"

Answer = tuple[int, dict[str, str], bytes]


def install(backend_url: str | None, secret: str) -> None:
    """Answer RDS calls from the backend; with none, say that RDS is unavailable."""

    async def handle(
        method: str, path: str, headers: dict[str, str], body: bytes, query_params: dict[str, Any]
    ) -> Answer:
        if backend_url is None:
            return _error("ServiceUnavailable", "this lab was started without its RDS")
        forwarded = {
            "Content-Type": headers.get("content-type", "application/x-www-form-urlencoded"),
            # The signature's scope is where an SDK says which region it means: one URL serves all of them.
            "Authorization": headers.get("authorization", ""),
            "X-Lab-Secret": secret,
            "X-Lab-Region": responses.get_region(),
            "X-Lab-Account": responses.get_account_id(),
            "X-Lab-Caller": iam_evaluator.caller_arn(),
        }
        target = path + ("?" + urllib.parse.urlencode(query_params, doseq=True) if query_params else "")
        try:
            return await asyncio.to_thread(_forward, backend_url, method, target, forwarded, body)
        except (OSError, http.client.HTTPException) as error:
            return _error("ServiceUnavailable", f"the lab's RDS does not answer: {error}")

    app.SERVICE_HANDLERS["rds"] = handle
    resource_arn, tag_context = iam_actions.extract_resource_arn, iam_actions.request_tag_context

    def extract_resource_arn(
        service: str,
        method: str,
        path: str,
        headers: dict[str, str],
        body: bytes,
        query_params: dict[str, Any],
        region: str,
        account_id: str,
    ) -> str:
        found = str(resource_arn(service, method, path, headers, body, query_params, region, account_id))
        return resource_of(query_params, region, account_id) if (service, found) == ("rds", "*") else found

    def request_tag_context(service: str, action: str, body: bytes, params: dict[str, Any]) -> dict[str, Any]:
        context: dict[str, Any] = tag_context(service, action, body, params)
        if action == DELETE_SNAPSHOT and backend_url is not None:
            tags = _snapshot_tags(backend_url, secret, responses.get_region(), _first(params, "DBSnapshotIdentifier"))
            context |= {f"aws:resourcetag/{key}".lower(): value for key, value in tags.items()}
        return context

    iam_actions.extract_resource_arn = extract_resource_arn
    iam_actions.request_tag_context = request_tag_context


def resource_of(params: Mapping[str, Any], region: str, account_id: str) -> str:
    """The resource of a call that names no instance: MiniStack knows instances only.

    Of a copy it is the target; that the caller may read the source is not checked here.
    https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonrds.html
    """
    for name in ("SourceDBInstanceArn", "ResourceName"):
        if _first(params, name):
            return _first(params, name)
    prefix = f"arn:aws:rds:{region}:{account_id}"
    if _first(params, "TargetDBInstanceIdentifier"):
        return f"{prefix}:db:{_first(params, 'TargetDBInstanceIdentifier')}"
    for name in ("TargetDBSnapshotIdentifier", "DBSnapshotIdentifier"):
        if _first(params, name):
            return f"{prefix}:snapshot:{_first(params, name)}"
    return {
        "DescribeDBSnapshots": f"{prefix}:snapshot:*",
        "DescribeDBInstanceAutomatedBackups": f"{prefix}:auto-backup:*",
    }.get(_first(params, "Action"), "*")


def _first(params: Mapping[str, Any], name: str) -> str:
    value = params.get(name, "")
    return str(value[0] if isinstance(value, list) else value)


def _snapshot_tags(backend_url: str, secret: str, region: str, snapshot: str) -> Mapping[str, str]:
    target = "/_lab/snapshot-tags?" + urllib.parse.urlencode({"region": region, "snapshot": snapshot})
    try:
        _, _, content = _forward(backend_url, "GET", target, {"X-Lab-Secret": secret}, b"")
        tags: Mapping[str, str] = json.loads(content)
    except (OSError, http.client.HTTPException, ValueError):
        return {}
    return tags


def _forward(backend_url: str, method: str, target: str, headers: dict[str, str], body: bytes) -> Answer:
    backend = urllib.parse.urlsplit(backend_url)
    connection = http.client.HTTPConnection(backend.hostname or "", backend.port, timeout=_TIMEOUT_SECONDS)
    try:
        connection.request(method, backend.path.rstrip("/") + target, body=body, headers=headers)
        response = connection.getresponse()
        content = response.read()
        return response.status, {"Content-Type": response.headers.get("Content-Type", "text/xml")}, content
    finally:
        connection.close()


def _error(code: str, message: str) -> Answer:
    document = (
        '<ErrorResponse xmlns="http://rds.amazonaws.com/doc/2014-10-31/"><Error><Type>Receiver</Type>'
        f"<Code>{code}</Code><Message>{escape(message)}</Message></Error></ErrorResponse>"
    )
    return int(http.client.SERVICE_UNAVAILABLE), {"Content-Type": "text/xml"}, document.encode()
