"""Small Pulumi projects in a folder, and engines to run them on."""

from __future__ import annotations

import textwrap
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from lab.engine.registration import Created, Invocation, Provider, Registration, Values
from lab.engine.stack_outputs import StackOutputs

PROJECT = "demo"
PROVIDER = """
import pulumi
import pulumi_aws as aws
import pulumi_random as random

provider = aws.Provider(
    "aws-primary",
    region="ap-southeast-2",
    allowed_account_ids=["000000000000"],
    default_tags=aws.ProviderDefaultTagsArgs(tags={"Owner": "team", "DR-Role": "primary"}),
)
on = pulumi.ResourceOptions(provider=provider)
"""


def write_project(folder: Path, program: str, schema: str = "{}", configuration: str = "{}") -> Path:
    """A project whose program starts with a provider named ``provider`` and options named ``on``."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "Pulumi.yaml").write_text(f"name: {PROJECT}\nruntime: python\nconfig: {schema}\n")
    (folder / "Pulumi.lab.yaml").write_text(f"config: {configuration}\n")
    (folder / "__main__.py").write_text(PROVIDER + textwrap.dedent(program))
    return folder


@dataclass
class ScriptedEngine:
    """Makes resources as a test says, and remembers the names of those it made."""

    make: Callable[[Registration], None] = lambda registration: None
    stacks: StackOutputs = field(default_factory=StackOutputs)
    made: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def configure(self, provider: Provider) -> None:
        """Take any provider."""

    def register(self, registration: Registration) -> Created:
        self.make(registration)
        with self._lock:
            self.made.append(registration.name)
        return Created(f"id-of-{registration.name}")

    def invoke(self, invocation: Invocation) -> Values:
        raise NotImplementedError
