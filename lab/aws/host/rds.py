"""RDS: MiniStack authenticates and authorizes the call, the lab's own backend answers it.

MiniStack's RDS knows no replicas across regions and no promotion, so the lab brings its own, in the lab's process. The
IAM decision stays here: the handler is called only after MiniStack has checked the caller's signature and policies.
"""

from __future__ import annotations

import asyncio
import http.client
import urllib.parse
from html import escape
from typing import Any

from ministack import app  # type: ignore[import-untyped]
from ministack.core import iam_evaluator, responses  # type: ignore[import-untyped]

# The longest an RDS call of the lab may take: it answers at once and works on in the background, as RDS does.
_TIMEOUT_SECONDS = 60.0

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
