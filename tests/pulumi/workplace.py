"""What a person has who deploys: a checkout of the repository, a terminal, a backend, and an account: the lab's."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import boto3

from lab.settings import LAB_STACK
from shared.environment import Environment
from shared.layers import LAYERS, REPOSITORY_ROOT
from shared.sites import Site
from tests.deployment.checkout import Checkout
from tests.lab.test_destroy import LISTINGS

# As the editable install puts them on the path; the install leads to the repository, and the copy comes before it.
CODE = (".", "projects/dr-automation", "projects/dr-automation/functions")
SHOWN_LINES = 40
TOLD = re.compile(rf"^  ({'|'.join(known.name for known in LAYERS)}) +(.+) \(\d+ s\)$", re.MULTILINE)


@dataclass(frozen=True)
class Ended:
    """A command that came to its end.

    Attributes:
        exit_code: what it ended with.
        out: what it wrote to stdout.
        err: what it wrote to stderr.
    """

    exit_code: int
    out: str
    err: str

    @property
    def told(self) -> dict[str, str]:
        """What a deployment command says at its end, by layer in its order, without the seconds."""
        return dict(TOLD.findall(self.out.rpartition(": done")[2]))

    @property
    def errors(self) -> list[str]:
        """The lines on stderr that are the command's own."""
        return [line for line in self.err.splitlines() if line and not line.startswith("warning: ")]

    def __str__(self) -> str:
        last = [*self.out.splitlines(), "--- stderr:", *self.err.splitlines()][-SHOWN_LINES:]
        return "\n".join([f"ended with {self.exit_code}", *last])


def copy_of_repository(root: Path) -> Checkout:
    """The repository's files as they are now, committed or not, and its environment."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=REPOSITORY_ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for name in filter(None, listed.split("\0")):
        # What was deleted and not committed is listed too.
        if (source := REPOSITORY_ROOT / name).exists():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, root / name)
    (root / ".venv").symlink_to(REPOSITORY_ROOT / ".venv")
    return Checkout(root)


def variables_without_an_account(root: Path) -> dict[str, str]:
    """This process's environment, but nothing in it leads into an AWS account, and the copy's code is what runs."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return {
        **kept,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "PYTHONPATH": os.pathsep.join(str(root / folder) for folder in CODE),
    }


class Workplace:
    """One place to work at. Every command runs as it would in a terminal there, in stack ``lab``.

    Args:
        checkout: the copy of the repository.
        variables: the environment of what runs: the lab's among it.
        states: the folder of the backend; None for the lab's stand-in for the CLI, which keeps them in the lab.
    """

    def __init__(self, checkout: Checkout, variables: Mapping[str, str], states: Path | None) -> None:
        self.checkout = checkout
        if states is not None:
            states.mkdir()
        self.variables = {
            **{name: value for name, value in variables.items() if name != "PULUMI_BACKEND_URL"},
            **({} if states is None else {"PULUMI_BACKEND_URL": states.as_uri()}),
            "PULUMI_CONFIG_PASSPHRASE": "of nothing that is kept",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PYTHONUNBUFFERED": "1",
        }

    def command(self, module: str, *words: str) -> list[str]:
        """The command line of one of the repository's commands."""
        return [str(self.checkout.root / ".venv" / "bin" / "python"), "-m", module, *words]

    def dr(self, command: str, *words: str, exit_code: int = 0) -> Ended:
        """Run ``./dr COMMAND -- [WORD ...] --stack lab``, without its bootstrap, and expect that exit code."""
        ended = self.run(self.command("deployment", command, *words, "--stack", LAB_STACK), self.checkout.root)
        assert ended.exit_code == exit_code, f"{command} {' '.join(words)}: {ended}"
        return ended

    def operate(self, *words: str, exit_code: int = 0) -> Ended:
        """Run one of the operators' commands, and expect that exit code."""
        ended = self.run(self.command("operations", *words, "--stack", LAB_STACK), self.checkout.root)
        assert ended.exit_code == exit_code, f"{' '.join(words)}: {ended}"
        return ended

    def pulumi(self, name: str, *words: str, **variables: str) -> Ended:
        """Run the bare CLI in a layer's folder."""
        return self.run(["pulumi", *words], self.checkout.root / "projects" / name, **variables)

    def run(self, command: list[str], folder: Path, **variables: str) -> Ended:
        """Run any command to its end, with no terminal."""
        ended = subprocess.run(
            command,
            cwd=folder,
            env={**self.variables, **variables},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        return Ended(ended.returncode, ended.stdout, ended.stderr)

    def stacks(self) -> dict[str, list[str]]:
        """The stacks of each layer that has any."""
        listed = {known.name: json.loads(self.pulumi(known.name, "stack", "ls", "--json").out) for known in LAYERS}
        return {name: [stack["name"] for stack in stacks] for name, stacks in listed.items() if stacks}

    def state(self, name: str) -> dict[str, Any]:
        """A layer's state, as it is kept."""
        exported: dict[str, Any] = json.loads(self.pulumi(name, "stack", "export", "--stack", LAB_STACK).out)
        return exported

    def states(self) -> dict[str, dict[str, Any]]:
        """All layers' states."""
        return {known.name: self.state(known.name) for known in LAYERS}

    def resources(self, name: str) -> dict[str, str]:
        """What stands of a layer, without the engine's own: the identifier in AWS, by URN."""
        recorded = self.state(name)["deployment"].get("resources", [])
        return {
            each["urn"]: each["id"] for each in recorded if each["custom"] and not each["type"].startswith("pulumi:")
        }

    def all_resources(self) -> dict[str, dict[str, str]]:
        """What stands of every layer."""
        return {known.name: self.resources(known.name) for known in LAYERS}

    @cached_property
    def environment(self) -> Environment:
        """What all layers share."""
        return Environment.load(LAB_STACK)

    def client(self, service: str, region: str) -> Any:
        """A boto3 client with all rights in the account."""
        return boto3.client(
            service,
            region_name=region,
            endpoint_url=self.variables["AWS_ENDPOINT_URL"],
            aws_access_key_id=self.variables["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self.variables["AWS_SECRET_ACCESS_KEY"],
        )

    def database(self, site: Site) -> dict[str, Any]:
        """What RDS says of a site's database."""
        rds = self.client("rds", self.environment.regions[site])
        identifier = self.environment.names.of("database", site)
        described: dict[str, Any] = rds.describe_db_instances(DBInstanceIdentifier=identifier)["DBInstances"][0]
        return described

    def present(self) -> dict[tuple[str, str], set[str]]:
        """What is in the account, by region and service: asked of AWS, not of Pulumi."""
        regions = {*self.environment.regions.values(), str(self.environment.witness_region)}
        return {
            (region, service): set(listing(self.client(service, region)))
            for region in sorted(regions)
            for service, listing in LISTINGS.items()
        }

    @contextmanager
    def edited(self, file: Path) -> Iterator[Path]:
        """A file that a person edits and puts back."""
        before = file.read_bytes()
        try:
            yield file
        finally:
            file.write_bytes(before)
