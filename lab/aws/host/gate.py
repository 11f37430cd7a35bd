"""An ASGI application in front of MiniStack: the lab's own commands, dark regions, refused and slow calls."""

from __future__ import annotations

import asyncio
import json
import secrets
import urllib.parse
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from ministack.core import router  # type: ignore[import-untyped]

from lab.aws.host import call_faults, darkness, database_logins, metrics
from lab.aws.host.function_processes import kill_function

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
App = Callable[[dict[str, Any], Receive, Send], Awaitable[None]]

PREFIX = "/_lab/"
SECRET_HEADER = "x-lab-secret"  # noqa: S105 - the header's name


class Gate:
    """An ASGI application around another one."""

    def __init__(self, app: App, secret: str) -> None:
        """Wrap an application.

        Args:
            app: answers AWS calls.
            secret: the lab sends it with each command; functions do not know it.
        """
        self._app = app
        self._secret = secret

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Answer, pass on, or wait until the caller has given up."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        query = urllib.parse.parse_qs(scope["query_string"].decode(), keep_blank_values=True)
        if scope["path"].startswith(PREFIX):
            await self._command(scope["path"].removeprefix(PREFIX), headers, receive, send)
        elif _is_in_the_dark(headers, query):
            # As when packets are lost: no answer and no error. The caller's library has a timeout, and a function too.
            while (await receive())["type"] != "http.disconnect":
                pass
        elif call_faults.may_concern(headers, query):
            await self._with_fault(scope, headers, query, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _with_fault(
        self,
        scope: dict[str, Any],
        headers: Mapping[str, str],
        query: Mapping[str, list[str]],
        receive: Receive,
        send: Send,
    ) -> None:
        """Refuse or delay a call as a drill asked for, and pass on what is not refused.

        A call that waits is passed on also where its caller has given up meanwhile.
        """
        messages = await _request(receive)
        body = b"".join(message.get("body", b"") for message in messages)
        path = scope.get("raw_path", scope["path"].encode()).partition(b"?")[0].decode("latin-1")
        fault = call_faults.fault_of(scope["method"], path, headers, query, body)
        await asyncio.sleep(fault.seconds)
        if fault.refusal is not None:
            await _send(send, *fault.refusal)
            return
        unread = iter(messages)

        async def replay() -> dict[str, Any]:
            message = next(unread, None)
            return await receive() if message is None else message

        await self._app(scope, replay, send)

    async def _command(self, name: str, headers: Mapping[str, str], receive: Receive, send: Send) -> None:
        if not secrets.compare_digest(headers.get(SECRET_HEADER, "").encode(), self._secret.encode()):
            await _answer(send, 403, {"error": "only the lab may send commands"})
            return
        body = b"".join(message.get("body", b"") for message in await _request(receive))
        command = _COMMANDS.get(name)
        if command is None:
            await _answer(send, 404, {"error": f"there is no command {name}"})
            return
        await _answer(send, 200, {"result": await asyncio.to_thread(command, **json.loads(body))})


_COMMANDS: dict[str, Callable[..., object]] = {
    "darken": darkness.darken,
    "lighten": darkness.lighten,
    "refuse-calls": call_faults.refuse,
    "slow-calls": call_faults.slow,
    "answer-calls": call_faults.answer,
    "calls-met": call_faults.met,
    "kill-function": kill_function,
    "refusal-of-login": database_logins.refusal_of_login,
    "high-resolution-metrics": metrics.high_resolution_metrics,
}


def _is_in_the_dark(headers: dict[str, str], query: dict[str, list[str]]) -> bool:
    region: str | None = router.extract_signed_region(headers, query)
    return region is not None and darkness.leaves_unanswered(router.extract_access_key_id(headers, query), region)


async def _request(receive: Receive) -> list[dict[str, Any]]:
    """The messages that a request's body comes in."""
    messages = [await receive()]
    while messages[-1].get("more_body", False):
        messages.append(await receive())
    return messages


async def _answer(send: Send, status: int, content: Mapping[str, object]) -> None:
    await _send(send, status, {"content-type": "application/json"}, json.dumps(content).encode())


async def _send(send: Send, status: int, headers: Mapping[str, str], body: bytes) -> None:
    fields = [(name.encode(), value.encode()) for name, value in headers.items()]
    fields.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": fields})
    await send({"type": "http.response.body", "body": body})
