"""The stand-in for the Pulumi CLI: a program that records every call and answers as the real one (3.274) does.

Each backend has stacks of its own, kept after the backend's folder is gone, so that a test sees the throwaway ones too.
What a test wants of it stands in ``orders.json`` beside its records; `recorder.StandIn` writes that and reads these.

What it prints is made in `answers`. It imports nothing that is installed, nor what starts slowly.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.deployment.answers import (
    event_log,
    exported,
    listed,
    planned_event,
    resource,
    stack_resource,
    summary_event,
    whoami,
)
from tests.deployment.backends import Backend, EndedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

HOME = "PULUMI_STAND_IN_HOME"
FAILED = 1
NOT_INTERACTIVE = 2
CHANGES = 7

_UP_ONLY = "--continue-on-error --strict"
_OPERATION = "--stack --event-log --config-file --diff --parallel --target --message"
_POLICIES = "--policy-pack"
FLAGS = {
    "whoami": "--json --verbose --non-interactive",
    "stack ls": "--json",
    "stack init": "--no-select --secrets-provider",
    "stack export": "--stack",
    "stack import": "--stack",
    "stack rm": "--yes --preserve-config",
    "up": f"{_OPERATION} {_POLICIES} --yes --refresh --skip-preview --preview-only --expect-no-changes {_UP_ONLY}",
    "preview": f"{_OPERATION} {_POLICIES} --refresh --expect-no-changes",
    "destroy": f"{_OPERATION} --yes --refresh --skip-preview --preview-only",
    "refresh": f"{_OPERATION} --yes --skip-preview --preview-only --expect-no-changes",
}
"""What each command of the real CLI understands, as far as it is used here."""
_ELSEWHERE = ("--secrets-provider", "--policy-pack")
WITH_VALUE = (
    "--stack",
    "--event-log",
    "--config-file",
    "--parallel",
    "--target",
    "--message",
    "--secrets-provider",
    "--policy-pack",
)
CHANGING = ("up", "destroy", "refresh")


def sample_answers() -> dict[str, object]:
    """One JSON answer of each kind, to be held against the real CLI's key by key."""
    state = exported([stack_resource("postgres-dr-network", "dev", {"primaryVpcId": "vpc-1"})])
    return {
        "whoami": whoami("somebody", "file:///states"),
        "stack ls": [listed("dev", state)],
        "stack export": state,
        "stack export of an empty stack": exported(),
        "event log line": summary_event({"create": 3}, is_preview=False),
    }


class Call:
    """One call of the CLI, understood."""

    def __init__(self, words: Sequence[str], project: str | None, backend: Backend, orders: Mapping[str, Any]) -> None:
        self.command, self.options, self.names = _understood(words)
        self.project = project or ""
        self.backend = backend
        self.orders = orders

    @property
    def stack(self) -> str:
        return self.options["--stack"]

    def fails(self, when: str) -> None:
        """End it here, where a test wants this call to fail at this moment."""
        for order in self.orders["failures"]:
            if (order["project"], order["command"], order["when"]) == (self.project, self.command, when):
                raise EndedError(order["exit_code"], "something is wrong")


def main(arguments: Sequence[str]) -> int:
    home, url = Path(os.environ[HOME]), os.environ["PULUMI_BACKEND_URL"]
    project = _project()
    _record(home, arguments, url, project)
    try:
        call = Call(arguments, project, Backend(home, url), json.loads((home / "orders.json").read_text()))
        if url.startswith("file://") and not Path(url.removeprefix("file://")).is_dir():
            _end(FAILED, f'unable to open state directory "{url}": no such file or directory')
        call.fails("at once")
        if any(
            call.project == earlier["project"] and earlier["arguments"][0] in CHANGING for earlier in _recorded(home)
        ):
            call.fails("after an operation")
        if call.command == "whoami":
            _print(whoami(call.orders["user"], url))
            return 0
        if project is None:
            _end(FAILED, "could not detect current project: no Pulumi.yaml project file found")
        _COMMANDS.get(call.command, _operate)(call)
    except EndedError as end:
        sys.stderr.write(f"error: {end}\n")
        return end.exit_code
    return 0


def _end(exit_code: int, message: str) -> NoReturn:
    raise EndedError(exit_code, message)


def _ls(call: Call) -> None:
    prefix = f"{call.orders['organization']}/" if call.orders["organization"] else ""
    _print([listed(f"{prefix}{name}", state) for name, state in call.backend.stacks(call.project).items()])


def _init(call: Call) -> None:
    (stack,) = call.names
    if call.backend.file(call.project, stack).exists():
        raise EndedError(FAILED, f"stack 'organization/{call.project}/{stack}' already exists")
    file = Path(f"Pulumi.{stack}.yaml")
    if call.options.get("--secrets-provider", "passphrase") != "passphrase":
        _append(file, "encryptedkey", "a2V5")
    state = exported(salt=_salt(file) or f"v1:{os.urandom(6).hex()}")
    _write_salt(file, state)
    call.backend.write(call.project, stack, state)
    sys.stdout.write(f"Created stack '{stack}'\n")


def _export(call: Call) -> None:
    _print(call.backend.read(call.project, call.stack))


def _import(call: Call) -> None:
    call.backend.read(call.project, call.stack)
    state = json.loads(sys.stdin.read())
    if state.get("version") != 3:
        raise EndedError(FAILED, f"the stack '{call.stack}' is too old to be used by this version of the Pulumi CLI")
    for each in state["deployment"].get("resources", ()):
        if not each["urn"].startswith(f"urn:pulumi:{call.stack}::{call.project}::"):
            raise EndedError(FAILED, f"resource '{each['urn']}' is from a different stack")
    call.backend.write(call.project, call.stack, state)
    sys.stdout.write("Import complete.\n")


def _rm(call: Call) -> None:
    (stack,) = call.names
    if call.backend.read(call.project, stack)["deployment"].get("resources"):
        raise EndedError(FAILED, f"'{stack}' still has resources; removal rejected")
    call.backend.file(call.project, stack).unlink()


def _operate(call: Call) -> None:
    """``up``, ``preview``, ``destroy`` or ``refresh``: a preview and the thing itself. Nobody is there to be asked."""
    nothing_asked = {"--yes", "--skip-preview", "--preview-only"} & call.options.keys()
    if call.command != "preview" and not nothing_asked:
        raise EndedError(
            NOT_INTERACTIVE,
            "--yes or --skip-preview or --preview-only must be passed in to proceed when running in non-interactive "
            "mode",
        )
    before = call.backend.read(call.project, call.stack)
    _read_configuration(call, before)
    changes, after = _planned(call, before)
    if "--skip-preview" not in call.options:
        _log(call, changes, is_preview=True)
        if call.command == "preview" or "--preview-only" in call.options:
            if "--expect-no-changes" in call.options and changes.keys() - {"same"}:
                raise EndedError(CHANGES, f"no changes were expected for {call.command} but changes were proposed")
            return
    call.fails("after the preview")
    try:
        call.fails("half-way")
    except EndedError:
        _log(call, changes, is_preview=False, result="failed")
        raise
    call.backend.write(call.project, call.stack, after)
    _log(call, changes, is_preview=False)


def _planned(call: Call, before: Mapping[str, Any]) -> tuple[dict[str, int], dict[str, Any]]:
    """What would change, and the state afterwards."""
    deployment = before["deployment"]
    old = {each["urn"]: each for each in deployment.get("resources", ())}
    new = old
    drifted = 0
    if call.command == "destroy":
        new = {}
    elif call.command == "refresh":
        drifted = int(call.project in call.orders["drifted"])
    else:
        new = {each["urn"]: each for each in _run_program(call)}
    counts = {
        "create": len(new.keys() - old.keys()),
        "update": drifted,
        "delete": len(old.keys() - new.keys()),
        "same": len(new.keys() & old.keys()) - drifted,
    }
    after = {key: value for key, value in deployment.items() if key != "resources"}
    after |= {"resources": list(new.values())} if new else {}
    return {kind: count for kind, count in counts.items() if count}, {**before, "deployment": after}


def _run_program(call: Call) -> list[dict[str, Any]]:
    """The resources of the project's program, which reads the outputs of the layers below it in the same backend."""
    program = call.orders["programs"][call.project]
    for below in program["reads"]:
        stack = call.backend.stacks(below).get(call.stack)
        if stack is None or not any(each.get("outputs") for each in stack["deployment"].get("resources", ())):
            raise EndedError(FAILED, f"unknown stack 'organization/{below}/{call.stack}'")
    return [
        stack_resource(call.project, call.stack, program["outputs"]),
        *(resource(call.project, call.stack, each.pop("type"), each.pop("name"), **each) for each in program["made"]),
    ]


def _read_configuration(call: Call, state: Mapping[str, Any]) -> None:
    """Secure values can be read with the salt they were made with only; and a file without a salt gets one."""
    file = Path(call.options.get("--config-file") or f"Pulumi.{call.stack}.yaml")
    text = file.read_text() if file.exists() else ""
    salt = state["deployment"].get("secrets_providers", {}).get("state", {}).get("salt", "")
    if any(not ciphertext.startswith(salt) for ciphertext in re.findall(r"secure: (\S+)", text)):
        raise EndedError(FAILED, "validating stack config: cipher: message authentication failed")
    _write_salt(file, state if "PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER" in os.environ else exported(salt="v1:new"))


def _write_salt(file: Path, state: Mapping[str, Any]) -> None:
    if _salt(file) is None and not (file.exists() and "secretsprovider:" in file.read_text()):
        _append(file, "encryptionsalt", state["deployment"]["secrets_providers"]["state"]["salt"])


def _salt(file: Path) -> str | None:
    found = re.search(r"^encryptionsalt: (\S+)$", file.read_text(), re.MULTILINE) if file.exists() else None
    return found and found[1]


def _append(file: Path, key: str, value: str) -> None:
    with file.open("a") as stream:
        stream.write(f"{key}: {value}\n")


def _log(call: Call, changes: Mapping[str, int], *, is_preview: bool, result: str = "succeeded") -> None:
    """Each part of an operation starts the log anew, as the real CLI does."""
    if "--event-log" in call.options:
        lines = event_log(changes, is_preview=is_preview, result=result)
        lines = [*(planned_event(each) for each in call.orders["plans"].get(call.project, ())), *lines]
        Path(call.options["--event-log"]).write_text("".join(json.dumps(line) + "\n" for line in lines))


def _understood(arguments: Sequence[str]) -> tuple[str, dict[str, str], list[str]]:
    command = " ".join(arguments[: 2 if arguments[0] == "stack" else 1])
    if command not in FLAGS:
        raise EndedError(FAILED, f'unknown command "{command}" for "pulumi"')
    left = list(arguments[len(command.split()) :])
    options: dict[str, str] = {}
    names: list[str] = []
    while left:
        word = left.pop(0)
        flag, equals, value = word.partition("=")
        # --event-log is there with the debug commands only.
        hidden = flag == "--event-log" and os.environ.get("PULUMI_DEBUG_COMMANDS") != "true"
        if flag.startswith("-") and (flag not in FLAGS[command].split() or hidden):
            raise EndedError(FAILED, f"unknown flag: {flag}")
        if flag.startswith("-"):
            options[flag] = value if equals or flag not in WITH_VALUE else left.pop(0)
        else:
            names.append(word)
    return command, options, names


def _project() -> str | None:
    file = Path("Pulumi.yaml")
    found = re.search(r"^name: (\S+)$", file.read_text(), re.MULTILINE) if file.exists() else None
    return found and found[1]


def _recorded(home: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (home / "calls").read_text().splitlines()]


def _record(home: Path, arguments: Sequence[str], url: str, project: str | None) -> None:
    configuration = arguments[arguments.index("--config-file") + 1] if "--config-file" in arguments else None
    line = {
        "project": project,
        "arguments": arguments,
        "backend": url,
        "folder": str(Path.cwd()),
        "configuration": configuration and Path(configuration).read_text(),
    }
    with (home / "calls").open("a") as calls:
        calls.write(json.dumps(line) + "\n")


def _print(answer: object) -> None:
    sys.stdout.write(json.dumps(answer, indent=2) + "\n")


_COMMANDS = {"stack ls": _ls, "stack init": _init, "stack export": _export, "stack import": _import, "stack rm": _rm}
