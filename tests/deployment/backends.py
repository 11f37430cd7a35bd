"""The stand-in's backends: where its stacks are kept, and how a call that cannot go on ends."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

NO_SUCH_STACK = 6


class EndedError(Exception):
    """The call ends here, with this exit code and this message."""

    def __init__(self, exit_code: int, message: str) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class Backend:
    """The stacks of one backend, by project and name."""

    def __init__(self, home: Path, url: str) -> None:
        self.folder = home / "backends" / url.replace("/", "%2F")

    def file(self, project: str, stack: str) -> Path:
        return self.folder / project / f"{stack}.json"

    def stacks(self, project: str) -> dict[str, dict[str, Any]]:
        return {file.stem: self.read(project, file.stem) for file in sorted((self.folder / project).glob("*.json"))}

    def read(self, project: str, stack: str) -> dict[str, Any]:
        try:
            state: dict[str, Any] = json.loads(self.file(project, stack).read_text())
        except FileNotFoundError:
            raise EndedError(NO_SUCH_STACK, f"no stack named '{stack}' found") from None
        return state

    def write(self, project: str, stack: str, state: Mapping[str, Any]) -> None:
        self.file(project, stack).parent.mkdir(parents=True, exist_ok=True)
        self.file(project, stack).write_text(json.dumps(state))
