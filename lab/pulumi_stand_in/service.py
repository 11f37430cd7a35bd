"""The lab's side of the stand-in: a socket in the lab's home, and the executable that talks to it."""

from __future__ import annotations

import contextlib
import json
import logging
import shlex
import socketserver
import sys
import threading
from pathlib import Path
from typing import Any

from lab.home import LabHome
from lab.pulumi_stand_in import FAILED
from lab.pulumi_stand_in.backend import Backend
from lab.pulumi_stand_in.call import Call, EndedError
from shared.layers import REPOSITORY_ROOT

FOLDER = "pulumi"
_OWNERS_ONLY = 0o700

logger = logging.getLogger(__name__)


class Service:
    """Serves a backend to this user's processes, until it is closed.

    Attributes:
        folder: where the executable ``pulumi`` is.
    """

    def __init__(self, home: LabHome, backend: Backend) -> None:
        self.folder = home.directory(FOLDER, _OWNERS_ONLY)
        address = self.folder / "socket"
        executable = self.folder / "pulumi"
        executable.write_text(_executable(address), encoding="utf-8")
        executable.chmod(_OWNERS_ONLY)
        self._server = _Server(str(address), _Handler)
        self._server.backend = backend
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), name="pulumi", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Answer no more calls."""
        self._server.shutdown()
        self._server.server_close()


def _executable(address: Path) -> str:
    command = shlex.join([sys.executable, "-m", "lab.pulumi_stand_in", str(address)])
    code = shlex.quote(str(REPOSITORY_ROOT))
    return f'#!/bin/sh\n# The lab\'s stand-in for the Pulumi CLI.\nPYTHONPATH={code} exec {command} "$@"\n'


class _Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    backend: Backend


class _Handler(socketserver.StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        """Answer one call; whatever it raises reaches the person."""
        asked = json.loads(self.rfile.readline())
        call = Call(**{**asked, "names": tuple(asked["names"])})
        try:
            self.server.backend.answer(call, self._send)
        except EndedError as ended:
            self._send({"error": str(ended)})
            self._end(ended.exit_code)
        except Exception as error:
            logger.debug("pulumi %s failed", call.command, exc_info=True)
            notes = [f"  {note}" for note in getattr(error, "__notes__", [])]
            self._send({"error": "\n".join([str(error) or type(error).__name__, *notes])})
            self._end(FAILED)
        else:
            self._end(0)

    def _send(self, message: dict[str, Any]) -> None:
        # What is under way goes on where the person no longer waits.
        with contextlib.suppress(OSError):
            self.wfile.write(json.dumps(message).encode() + b"\n")

    def _end(self, exit_code: int) -> None:
        self._send({"exit": exit_code})
