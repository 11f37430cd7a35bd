"""An ASGI application in front of MiniStack: the lab's own commands, and no answer to calls to dark regions."""

from __future__ import annotations

import asyncio
import json
import secrets
import urllib.parse
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from ministack.core import router  # type: ignore[import-untyped]

from lab.aws.host import darkness
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
        if scope["path"].startswith(PREFIX):
            await self._command(scope["path"].removeprefix(PREFIX), headers, receive, send)
        elif _is_in_the_dark(scope, headers):
            # As when packets are lost: no answer and no error. The caller's library has a timeout, and a function too.
            while (await receive())["type"] != "http.disconnect":
                pass
        else:
            await self._app(scope, receive, send)

    async def _command(self, name: str, headers: Mapping[str, str], receive: Receive, send: Send) -> None:
        if not secrets.compare_digest(headers.get(SECRET_HEADER, "").encode(), self._secret.encode()):
            await _answer(send, 403, {"error": "only the lab may send commands"})
            return
        body = b""
        more = True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        command = _COMMANDS.get(name)
        if command is None:
            await _answer(send, 404, {"error": f"there is no command {name}"})
            return
        await _answer(send, 200, {"result": await asyncio.to_thread(command, **json.loads(body))})


_COMMANDS: dict[str, Callable[..., bool | None]] = {
    "darken": darkness.darken,
    "lighten": darkness.lighten,
    "kill-function": kill_function,
}


def _is_in_the_dark(scope: Mapping[str, Any], headers: dict[str, str]) -> bool:
    query = urllib.parse.parse_qs(scope["query_string"].decode(), keep_blank_values=True)
    region: str | None = router.extract_signed_region(headers, query)
    return region is not None and darkness.leaves_unanswered(router.extract_access_key_id(headers, query), region)


async def _answer(send: Send, status: int, content: Mapping[str, object]) -> None:
    body = json.dumps(content).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
