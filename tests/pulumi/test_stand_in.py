"""What the stand-in for the CLI in tests/deployment pretends, held against what the real one prints.

Where the two differ, the tests with the stand-in prove nothing. Nothing is deployed here, and the story's backend is
not used: each test has one of its own.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import pytest

from deployment.engine_events import read_summary
from deployment.operation import NO_CHANGES_EXPECTED
from deployment.pulumi_cli import VARIABLES
from shared.layers import REPOSITORY_ROOT, layer
from tests.deployment.answers import exported, resource, stack_resource
from tests.deployment.recorder import StandIn
from tests.deployment.stand_in import HOME, sample_answers
from tests.pulumi.workplace import Ended, Workplace

pytestmark = pytest.mark.timeout(300)
STAND_IN = "import sys; from tests.deployment.stand_in import main; sys.exit(main(sys.argv[1:]))"
EXECUTABLES = {"real": ["pulumi"], "stand-in": [sys.executable, "-c", STAND_IN]}
PROJECT = layer("network").project
# Free-form: an output's or a setting's name is nobody's format.
ANY_KEYS = {"outputs", "resourceChanges", "config"}
CALLS = [
    ["whoami", "--json", "--verbose", "--non-interactive"],
    ["stack", "ls", "--json"],
    ["stack", "export", "--stack", "lab"],
    ["stack", "export", "--stack", "nowhere"],
    ["stack", "import", "--stack", "nowhere"],
    ["stack", "init", "lab", "--no-select"],
    ["up", "--stack", "lab"],
    ["up", "--stack", "nowhere", "--yes"],
    ["preview", "--stack", "nowhere"],
    ["preview", "--stack", "lab", "--yes"],
    ["preview", "--stack", "lab", "--event-log", "events"],
    ["destroy", "--stack", "nowhere", "--yes"],
    ["destroy", "--stack", "lab", "--yes", "--expect-no-changes"],
    ["refresh", "--stack", "nowhere", "--yes"],
    ["frobnicate"],
]
"""Calls that run no program: what they end with, and what they say last."""
READS = {
    "whoami": ["whoami", "--json", "--verbose", "--non-interactive"],
    "stack ls": ["stack", "ls", "--json"],
    "stack export": ["stack", "export", "--stack", "lab"],
    "stack export of an empty stack": ["stack", "export", "--stack", "empty"],
}
"""The call that each sample is the answer of."""


class Pair:
    """The real CLI and the stand-in, each with a backend and a project's folder of its own, both in the same state."""

    def __init__(self, workplace: Workplace, folder: Path) -> None:
        self.real = Workplace(workplace.checkout, workplace.variables, folder / "real-states")
        self.folders = {name: folder / name for name in ("real", "stand-in")}
        for each in self.folders.values():
            each.mkdir()
            shutil.copy(layer("network").folder / "Pulumi.yaml", each)
        states, home = (folder / name for name in ("stand-in-states", "home"))
        for each in (states, home):
            each.mkdir()
        self.stand_in = StandIn(home, states.as_uri())
        self._variables: dict[str, Mapping[str, str]] = {
            "real": self.real.variables,
            "stand-in": {
                "PYTHONPATH": str(REPOSITORY_ROOT),
                HOME: str(home),
                "PULUMI_BACKEND_URL": states.as_uri(),
            },
        }

    def both(self, *arguments: str, stdin: str = "") -> tuple[Ended, Ended]:
        """The same call of both: what the real one says, and what the stand-in says."""
        real, pretended = (self.one(name, arguments, folder, stdin=stdin) for name, folder in self.folders.items())
        return real, pretended

    def one(
        self,
        name: str,
        arguments: Sequence[str],
        folder: Path,
        *,
        added: Sequence[str] = (),
        stdin: str = "",
        variables: Mapping[str, str] = MappingProxyType({}),
    ) -> Ended:
        """A call of one of them, in a project's folder."""
        ended = subprocess.run(
            [*EXECUTABLES[name], *arguments, *added],
            cwd=folder,
            env={**self._variables[name], **variables},
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )
        return Ended(ended.returncode, ended.stdout, ended.stderr)


@pytest.fixture(scope="module")
def pair(workplace: Workplace, tmp_path_factory: pytest.TempPathFactory) -> Pair:
    made = Pair(workplace, tmp_path_factory.mktemp("pair"))
    for name, folder in made.folders.items():
        for stack in ("lab", "empty"):
            made.one(name, ["stack", "init", stack, "--no-select"], folder)
        state = json.loads(made.one(name, ["stack", "export", "--stack", "lab"], folder).out)
        state["deployment"]["resources"] = [
            stack_resource(PROJECT, "lab", {"primaryVpcId": "vpc-1"}),
            resource(PROJECT, "lab", "postgres-dr:network:Keys", "keys-network-lab", custom=False),
        ]
        imported = made.one(name, ["stack", "import", "--stack", "lab"], folder, stdin=json.dumps(state))
        assert imported.exit_code == 0, f"{name}: {imported}"
    return made


@pytest.mark.parametrize("arguments", CALLS, ids=" ".join)
def test_a_call_ends_as_the_real_one_does_and_says_the_same(pair: Pair, arguments: list[str]) -> None:
    real, pretended = pair.both(*arguments, stdin="{}" if "import" in arguments else "")
    assert pretended.exit_code == real.exit_code
    assert _refusal(pretended) == _refusal(real)


def test_a_state_of_another_stack_is_imported_by_neither(pair: Pair) -> None:
    state = exported([stack_resource(PROJECT, "other", {})])
    # The sample's salt is none.
    del state["deployment"]["secrets_providers"]
    real, pretended = pair.both("stack", "import", "--stack", "lab", stdin=json.dumps(state))
    assert pretended.exit_code == real.exit_code != 0
    assert "is from a different stack" in pretended.err
    assert "is from a different stack" in real.err


@pytest.mark.parametrize("name", READS)
def test_what_it_answers_has_no_key_and_no_type_that_the_real_answer_lacks(pair: Pair, name: str) -> None:
    real, pretended = (json.loads(ended.out) for ended in pair.both(*READS[name]))
    assert _not_in(real, sample_answers()[name]) == []
    assert _not_in(real, pretended) == []
    if name == "stack export of an empty stack":
        assert real["deployment"].keys() == pretended["deployment"].keys()


def test_every_sample_is_held_against_the_real_one() -> None:
    assert sample_answers().keys() == {*READS, "event log line"}


def test_a_preview_logs_and_writes_and_ends_as_the_real_one_does(pair: Pair, tmp_path: Path) -> None:
    expected = sample_answers()["event log line"]
    folders = {"real": pair.real.checkout.root / "projects" / "network", "stand-in": pair.folders["stand-in"]}
    ended = {}
    for name, folder in folders.items():
        configuration, log = tmp_path / f"{name}.yaml", tmp_path / f"{name}.events"
        shutil.copy(pair.real.checkout.stack_file("network", "lab"), configuration)
        ended[name] = pair.one(
            name,
            ["preview", "--stack", "lab", "--expect-no-changes"],
            folder,
            # What `deployment.pulumi_cli` adds.
            added=["--event-log", str(log), "--config-file", str(configuration)],
            variables=VARIABLES,
        )
        lines = [json.loads(line) for line in log.read_text().splitlines()]
        (summary,) = [line for line in lines if "summaryEvent" in line]
        assert _not_in(summary, expected) == [], name
        assert summary["summaryEvent"]["isPreview"] is True
        assert read_summary(log).changes["create"] > 0
        # That is why `deployment` gives the CLI a copy of the stack's file.
        exported_state = json.loads(pair.one(name, ["stack", "export", "--stack", "lab"], folder).out)
        salt = exported_state["deployment"]["secrets_providers"]["state"]["salt"]
        assert f"encryptionsalt: {salt}\n" in configuration.read_text(), name
    assert ended["stand-in"].exit_code == ended["real"].exit_code == NO_CHANGES_EXPECTED
    assert _refusal(ended["stand-in"]) == _refusal(ended["real"])


@pytest.mark.parametrize("stack", ["lab", "nowhere", "empty"])
def test_a_stack_is_removed_only_when_nothing_is_in_it(pair: Pair, stack: str) -> None:
    real, pretended = pair.both("stack", "rm", stack, "--yes", "--preserve-config")
    assert pretended.exit_code == real.exit_code
    # The real one goes on with what could be done.
    assert _refusal(real).startswith(_refusal(pretended))
    assert (real.exit_code == 0) is (stack == "empty")


def _refusal(ended: Ended) -> str:
    """The first line of what an error says; empty where there is none."""
    return next((line for line in ended.err.splitlines() if line.startswith("error: ")), "")


def _not_in(real: object, pretended: object, where: str = "") -> list[str]:
    """What of an answer the real one does not have, or has with another type."""
    if type(real) is not type(pretended):
        return [f"{where}: {type(pretended).__name__} in place of {type(real).__name__}"]
    if isinstance(pretended, dict) and isinstance(real, dict):
        missing = [f"{where}.{key}" for key in pretended if key not in real]
        known = [key for key in pretended if key in real and key not in ANY_KEYS]
        return missing + [one for key in known for one in _not_in(real[key], pretended[key], f"{where}.{key}")]
    if isinstance(pretended, list) and isinstance(real, list) and pretended:
        return _not_in(real[0], pretended[0], f"{where}[0]") if real else [f"{where}[0]"]
    return []
