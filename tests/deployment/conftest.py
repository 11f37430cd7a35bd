"""A Pulumi CLI that records, a copy of the repository's configuration, and an AWS account nobody has to reach."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from deployment import __main__ as command_line
from deployment import destroying, flat_outputs, judging, operation, preflight
from deployment.arguments import Command, parse
from deployment.deployed import survey
from deployment.layer_settings import layer_module
from deployment.operation import carry_out
from deployment.preflight import Cleared
from deployment.pulumi_cli import PulumiCli
from deployment.situation import Condition, Situation
from shared import environment
from shared.environment import Environment
from shared.errors import SettingsError
from shared.layers import LAYERS, REPOSITORY_ROOT, Layer
from shared.sites import Site
from tests.deployment.checkout import Checkout
from tests.deployment.recorder import StandIn
from tests.deployment.stand_in import HOME

# Imported and not run as a file: that way it is compiled once and not for every call.
PROGRAM = "import sys; from tests.deployment.stand_in import main; sys.exit(main(sys.argv[1:]))"


FOLLOWED = Situation(Condition.FOLLOWED, Site.PRIMARY, Site.PRIMARY, "the primary site is the writer")


@dataclass
class Account:
    """What preflight finds in AWS.

    Attributes:
        situation: who the writer is, and what is under way.
        unreadable: why nobody can look.
        needs_checked: the layers whose needs were looked at, in order.
        lacking: what each layer needs and does not find.
        protected: what AWS refuses to delete.
        in_other_groups: databases that stand where they should not.
        says: what the person answers to every question.
        asked: the questions.
        said: the writer by the person's word, each time somebody looked.
        meanwhile: the situation once a question has been answered.
        unsaved: the database that is to go has no final snapshot.
    """

    situation: Situation = FOLLOWED
    unreadable: SettingsError | None = None
    needs_checked: list[str] = field(default_factory=list)
    lacking: SettingsError | None = None
    protected: list[str] = field(default_factory=list)
    in_other_groups: list[str] = field(default_factory=list)
    says: bool = True
    asked: list[str] = field(default_factory=list)
    said: list[Site | None] = field(default_factory=list)
    meanwhile: Situation | None = None
    unsaved: bool = False

    def ask(self, question: str) -> bool:
        self.asked.append(question)
        self.situation = self.meanwhile or self.situation
        return self.says

    def refuse_without_snapshot(self, environment: Environment, site: Site) -> None:
        if self.unsaved:
            raise SettingsError(f"instance of {site}", "(no final snapshot)", "take one")

    def situation_of(self, environment: Environment, network: object, said: Site | None = None) -> Situation:
        self.said.append(said)
        if self.unreadable is not None:
            raise self.unreadable
        return self.situation


@dataclass(frozen=True)
class Ended:
    """A command that came to its end."""

    exit_code: int
    out: list[str]
    err: list[str]


Dr = Callable[..., Ended]
"""``./dr`` without its bootstrap: takes the words after it, ``--`` left out."""
Carry = Callable[..., None]
"""``carry(Command.DEPLOY, "data", "--yes")``."""


@pytest.fixture(autouse=True)
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Checkout:
    """Every test has a copy, so that none can write into the repository."""
    for known in LAYERS:
        # Imported from the repository before the copy is where layers are.
        layer_module(known, "settings")
    copy = Checkout.copied(REPOSITORY_ROOT, tmp_path / "checkout")
    for name, module in list(sys.modules.items()):
        if name.startswith(("shared.", "deployment.")) and hasattr(module, "REPOSITORY_ROOT"):
            monkeypatch.setattr(module, "REPOSITORY_ROOT", copy.root)
    monkeypatch.setattr(environment, "FOLDER", copy.root / "environments")
    monkeypatch.setattr(flat_outputs, "FLAT_OUTPUTS_FILE", copy.flat_outputs)
    return copy


@pytest.fixture(autouse=True)
def no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing on this machine lets a test into an AWS account."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Account:
    """An account where the primary is the writer and every layer finds what it needs."""
    made = Account()

    class Needs:
        def __init__(self, name: str) -> None:
            self.name = name

        def check(self, settings: object, deployed: object) -> None:
            made.needs_checked.append(self.name)
            if made.lacking is not None:
                raise made.lacking

    def module(chosen: Layer, name: str) -> Needs:
        assert name == "preflight"
        return Needs(chosen.name)

    monkeypatch.setattr(preflight, "layer_module", module)
    monkeypatch.setattr(judging, "situation_of", made.situation_of)
    monkeypatch.setattr(destroying, "protected_in_aws", lambda *_, **__: made.protected)
    monkeypatch.setattr(operation, "opened_or_shut", lambda *_: made.in_other_groups)
    monkeypatch.setattr(operation, "refuse_without_snapshot", made.refuse_without_snapshot)
    monkeypatch.setattr(command_line, "_ask", made.ask)
    return made


@pytest.fixture
def dev() -> Environment:
    """The environment of the copy, as it is at first."""
    return Environment.load("dev")


@pytest.fixture
def pulumi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dev: Environment) -> StandIn:
    """A CLI, logged in to a backend where nothing is deployed; the programs offer what their contracts say."""
    home, folder, states = (tmp_path / name for name in ("pulumi", "bin", "states"))
    for made in (home, folder, states):
        made.mkdir()
    executable = folder / "pulumi"
    # No Python script itself: the first line of one cannot name an interpreter on a path with spaces.
    executable.write_text(
        f"#!/bin/sh\nPYTHONPATH={shlex.quote(str(REPOSITORY_ROOT))} exec {shlex.quote(sys.executable)} -S "
        f'-c {shlex.quote(PROGRAM)} "$@"\n'
    )
    executable.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))
    for name in [name for name in os.environ if name.startswith("PULUMI_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PULUMI_BACKEND_URL", states.as_uri())
    monkeypatch.setenv(HOME, str(home))
    stand_in = StandIn(home, states.as_uri())
    stand_in.programs_fulfil_their_contracts(dev)
    return stand_in


@pytest.fixture
def dr(pulumi: StandIn, account: Account, capfd: pytest.CaptureFixture[str]) -> Dr:
    """Runs one command to its end."""

    def run(*arguments: str) -> Ended:
        capfd.readouterr()
        exit_code = command_line.main(list(arguments))
        out, err = capfd.readouterr()
        return Ended(exit_code, out.splitlines(), err.splitlines())

    return run


@pytest.fixture
def said() -> list[str]:
    """The lines of progress."""
    return []


@pytest.fixture
def carry(pulumi: StandIn, dev: Environment, checkout: Checkout, said: list[str], account: Account) -> Carry:
    """Carries out a request that preflight has nothing to say about."""

    def run(command: Command, *words: str) -> None:
        request, cli = parse(command, words), PulumiCli.on_path()
        environment = Environment.load(request.stack)
        standing = survey(cli, request.stack)
        carry_out(
            request,
            Cleared(environment, account.situation),
            standing,
            cli,
            said.append,
            account.ask,
            checkout.flat_outputs,
        )

    return run


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is a person to ask."""
    monkeypatch.setattr(sys, "stdin", Terminal())


class Terminal:
    def isatty(self) -> bool:
        return True
