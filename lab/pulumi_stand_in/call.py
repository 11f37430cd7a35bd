"""One call of the stand-in: its command, options and names, and what the lab needs to know of where it was made."""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lab.pulumi_stand_in import BAD_USE, FAILED

BACKEND_VARIABLE = "PULUMI_BACKEND_URL"
_CHANGE = "--stack --event-log --config-file --yes --skip-preview --preview-only --expect-no-changes --diff"
OPTIONS = {
    "version": "",
    "whoami": "--json --verbose --non-interactive",
    "stack ls": "--json",
    "stack init": "--no-select",
    "stack export": "--stack",
    "stack import": "--stack",
    "stack rm": "--yes --preserve-config",
    "state protect": "--stack --all --yes",
    "state unprotect": "--stack --all --yes",
    "up": f"{_CHANGE} --refresh --policy-pack",
    "preview": "--stack --event-log --config-file --refresh --expect-no-changes --diff --policy-pack",
    "destroy": f"{_CHANGE} --refresh",
    "refresh": _CHANGE,
}
"""What each command understands. --diff is there because the inputs that differ are named in any case."""
WITH_VALUE = ("--stack", "--event-log", "--config-file", "--policy-pack")
OPERATIONS = ("up", "preview", "destroy", "refresh")


class EndedError(Exception):
    """The call ends here, with an exit code and a message."""

    def __init__(self, exit_code: int, message: str) -> None:
        super().__init__(message)
        self.exit_code = exit_code


@dataclass(frozen=True)
class Call:
    """What was asked for.

    Attributes:
        command: such as ``stack ls``.
        options: each option with its value, empty where it has none.
        names: what is no option.
        project: the Pulumi project of the folder; None where it has none.
        configuration: the text of the stack's file; None where there is none.
        content: standard input, where the command reads it.
        backend: a backend on this machine that is thrown away afterwards; None for the lab's own.
    """

    command: str
    options: Mapping[str, str] = field(default_factory=dict)
    names: tuple[str, ...] = ()
    project: str | None = None
    configuration: str | None = None
    content: str | None = None
    backend: str | None = None

    @property
    def stack(self) -> str:
        """The stack that is named."""
        return self.names[0] if self.names else self.options.get("--stack", "(not set)")


def understood(arguments: Sequence[str]) -> Call:
    """The call that these arguments make in this folder.

    Raises:
        EndedError: a command or an option is not one of the stand-in's, or the backend is another one.
    """
    command = " ".join(arguments[: 2 if arguments[:1] in (["stack"], ["state"]) else 1])
    if command not in OPTIONS:
        known = ", ".join(OPTIONS)
        raise EndedError(BAD_USE, f"the lab's stand-in for Pulumi does not know pulumi {command}: it knows {known}")
    options, names = _options(command, arguments[len(command.split()) :])
    if command in OPERATIONS and command != "preview" and not {"--yes", "--preview-only"} & options.keys():
        raise EndedError(BAD_USE, f"the lab's stand-in for Pulumi asks nobody: give {command} --yes or --preview-only")
    project = Path("Pulumi.yaml")
    found = re.search(r"^name: *(\S+)", project.read_text(encoding="utf-8"), re.MULTILINE) if project.exists() else None
    file = Path(options.get("--config-file") or f"Pulumi.{options.get('--stack', '')}.yaml")
    return Call(
        command,
        options,
        names,
        project=found and found[1],
        configuration=file.read_text(encoding="utf-8") if file.exists() else None,
        content=sys.stdin.read() if command == "stack import" else None,
        backend=_backend(),
    )


def _options(command: str, words: Sequence[str]) -> tuple[dict[str, str], tuple[str, ...]]:
    options: dict[str, str] = {}
    names: list[str] = []
    left = list(words)
    while left:
        option, equals, value = left.pop(0).partition("=")
        if not option.startswith("-"):
            names.append(option)
            continue
        if option not in OPTIONS[command].split():
            raise EndedError(
                BAD_USE, f"the lab's stand-in for Pulumi does not know {option} of {command}: for that, install Pulumi"
            )
        if option in WITH_VALUE and not equals:
            if not left:
                raise EndedError(BAD_USE, f"{option} needs a value")
            value = left.pop(0)
        options[option] = value
    return options, tuple(names)


def _backend() -> str | None:
    url = os.environ.get(BACKEND_VARIABLE, "")
    if not url:
        return None
    # A preview of a layer that has no stack is made in a backend of its own, see `deployment.without_a_stack`.
    if url.startswith("file://") and Path(url.removeprefix("file://")).is_relative_to(tempfile.gettempdir()):
        return url
    raise EndedError(
        FAILED, f"{BACKEND_VARIABLE} = {url}: unset it: the states of the lab's stand-in for Pulumi are in the lab"
    )
