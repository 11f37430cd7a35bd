"""A stand-in for the Pulumi CLI that records every call and answers like the real one."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

STAND_IN = """import json, pathlib, sys
home = pathlib.Path({home!r})
arguments, layer = sys.argv[1:], pathlib.Path.cwd().name
with (home / "calls").open("a") as calls:
    calls.write(json.dumps([layer, arguments]) + "\\n")
for failing_layer, first_words, exit_code in json.loads((home / "failures").read_text()):
    if layer == failing_layer and arguments[: len(first_words)] == first_words:
        print("error: something is wrong", file=sys.stderr)
        sys.exit(exit_code)
stacks = json.loads((home / "stacks").read_text())
if arguments[:2] == ["stack", "select"]:
    stacks.setdefault(layer, {{}})
    (home / "stacks").write_text(json.dumps(stacks))
elif arguments[:2] == ["stack", "ls"]:
    print(json.dumps([{{"name": "someone/dev"}}] if layer in stacks else []))
elif arguments[:2] == ["stack", "output"]:
    print(json.dumps(stacks[layer]))
"""


@dataclass(frozen=True)
class StandIn:
    """The recorder, and the knobs of what it answers."""

    home: Path

    @property
    def calls(self) -> list[tuple[str, list[str]]]:
        """Every call so far: the folder it was made in and its arguments."""
        file = self.home / "calls"
        lines = file.read_text().splitlines() if file.exists() else []
        return [(layer, arguments) for layer, arguments in map(json.loads, lines)]

    def changes(self) -> list[tuple[str, list[str]]]:
        """The calls that are operations on a layer; stack selection and look-ups left out."""
        return [(layer, arguments) for layer, arguments in self.calls if arguments[0] != "stack"]

    def fails(self, layer: str, *first_words: str, exit_code: int = 255) -> None:
        """From now on, a call in that layer with these first words fails."""
        (self.home / "failures").write_text(json.dumps([[layer, list(first_words), exit_code]]))

    def has(self, stacks: Mapping[str, Mapping[str, object]]) -> None:
        """Layers with a stack ``dev``, and its outputs."""
        (self.home / "stacks").write_text(json.dumps(stacks))


@pytest.fixture
def pulumi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    folder = tmp_path / "bin"
    folder.mkdir()
    program = tmp_path / "stand_in.py"
    program.write_text(STAND_IN.format(home=str(tmp_path)))
    executable = folder / "pulumi"
    # Not a Python script itself: the first line of one cannot name an interpreter on a path with spaces.
    executable.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {shlex.quote(str(program))} "$@"\n')
    executable.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))
    stand_in = StandIn(tmp_path)
    (tmp_path / "failures").write_text("[]")
    stand_in.has({})
    return stand_in
