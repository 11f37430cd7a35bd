"""A person at a terminal. AWS is in memory; the real controller answers there and, at each tick, acts."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError

from aws_in_memory.aws import Aws, Call, no_fault
from aws_in_memory.clock import Clock
from aws_in_memory.deployed import ENVIRONMENT, REGIONS, SETTINGS, run
from aws_in_memory.faults import before
from deployment.state_tables import read_tables
from failover.recorded import StateLostError
from failover.report import report
from failover.settings import Settings
from function_runtime.items import serialized
from function_runtime.sites import Site
from operations.__main__ import carry_out
from operations.access import Role
from operations.arguments import parse
from operations.console import Console
from operations.deployment import OF_A_SITE, ControllerPlace, Deployment

ACCOUNT = "111122223333"
ALICE = f"arn:aws:iam::{ACCOUNT}:user/alice"
BOB = f"arn:aws:iam::{ACCOUNT}:user/bob"
TABLES = {site: ENVIRONMENT.get(f"{site.name}_STATE_TABLE", "state") for site in Site}
DEPLOYMENT = Deployment(
    stack_name="test",
    account_id=ACCOUNT,
    operator_role_arn=f"arn:aws:iam::{ACCOUNT}:role/operator-recovery-test",
    at={site: ControllerPlace(REGIONS[site], f"failover-{site}-test", TABLES[site]) for site in Site},
)
HOME = DEPLOYMENT.at[Site.RECOVERY]
"""Where the controller with authority is, unless a test moves it."""
BIRTH = {"id": "birth", "version": 1, "writer_site": "primary", "authority": "recovery"}
"""What the programs write once into each table."""
COMMANDS = (
    "status",
    "status --json",
    "pause --reason rebuild",
    "resume",
    "failover --planned",
    "failover --cancel",
    "failover --abandon 000001-ordered",
    "failover --adopt primary",
)
"""Every command there is."""
MANUAL = Settings.from_environment({**ENVIRONMENT, "MODE": "manual"})


@dataclass
class Function:
    """The failover function, as Lambda invokes it for a report."""

    aws: Aws
    settings: Settings = SETTINGS
    failure: Exception | None = None
    answer: Callable[[dict[str, Any]], dict[str, Any]] = lambda content: content

    def invoke(self, **parameters: Any) -> dict[str, Any]:
        assert parameters["FunctionName"] == HOME.failover_function_name
        if self.failure is not None:
            raise self.failure
        question = json.loads(parameters["Payload"])
        try:
            content = report(self.aws, self.settings, Clock(self.aws), question["report"])
        except Exception as error:  # noqa: BLE001 - as Lambda's runtime does
            failure = {"errorType": type(error).__name__, "errorMessage": str(error)}
            return {"FunctionError": "Unhandled", "Payload": io.BytesIO(json.dumps(failure).encode())}
        return {"Payload": io.BytesIO(json.dumps(self.answer(content)).encode())}


@dataclass
class Person(Console):
    """Who types the commands. Whenever they wait, the controller runs."""

    aws: Aws
    settings: Settings = SETTINGS
    types: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    ticks: bool = True
    interferes: Callable[[], None] = lambda: None

    def say(self, lines: Iterable[str]) -> None:
        self.lines += lines

    def ask(self, question: str) -> str:
        self.asked.append(question)
        return self.types.pop(0)

    def now(self) -> datetime:
        return self.aws.now

    def sleep(self, seconds: float) -> None:
        self.aws.sleep(seconds)
        self.interferes()
        if self.ticks:
            with suppress(StateLostError):
                run(self.aws, settings=self.settings)


class Terminal:
    """Runs commands and keeps what they print.

    Args:
        aws: the AWS that the controller and the commands see; both tables are as the programs make them.
        settings: the controller's.
    """

    def __init__(self, aws: Aws, settings: Settings = SETTINGS) -> None:
        self.aws = aws
        self.settings = settings
        self.function = Function(aws, settings)
        self.person = Person(aws, settings)
        self.dynamodb: dict[Site, Any] = {site: aws.of("dynamodb", DEPLOYMENT.at[site].region) for site in Site}
        for site in Site:
            if not aws.items_of(site):
                aws.items_of(site)["birth"] = serialized(BIRTH)

    def client(self, service: str, **_: Any) -> Any:
        """As a session under the operators' role makes clients."""
        return {"lambda": self.function}[service]

    def give(self, command: str, by: str = ALICE) -> int:
        """Give a command as after ``nox -s``; what it prints is kept in ``printed``."""
        return self.give_words(*command.split(), by=by)

    def give_words(self, *words: str, by: str = ALICE) -> int:
        """The same where a word has spaces in it."""
        self.person.lines.clear()
        names = {site: place.state_table_name for site, place in DEPLOYMENT.at.items()}
        role = Role(by, self, self.dynamodb, read_tables(self.dynamodb, names))  # type: ignore[arg-type]
        # No outputs file: one that a lab has left in the repository must not be read.
        request = parse([*words, "--outputs", "/nowhere"])
        return carry_out(request, DEPLOYMENT, role, self.person)

    def tick(self) -> dict[str, str]:
        """One run of the controller."""
        return run(self.aws, settings=self.settings)

    def tick_killed_at(self, operation: str) -> None:
        """One run of the controller, killed at its first call of an operation."""

        def kill(call: Call) -> None:
            if call.operation == operation:
                raise KeyboardInterrupt

        self.aws.fault = before(kill)
        with pytest.raises(KeyboardInterrupt):
            self.tick()
        self.aws.fault = no_fault

    @property
    def printed(self) -> str:
        """What the last command printed, in one line, without the line that says which deployment it is."""
        lines = self.person.lines
        headlines = [DEPLOYMENT.headline(site) for site in Site]
        return " ".join(" ".join(lines[1:] if lines and lines[0] in headlines else lines).split())

    @property
    def control(self) -> dict[str, Any]:
        """The item that operators write; empty before the first write."""
        return self.aws.plain("control") if "control" in self.aws.items else {}


def silence() -> Exception:
    return ConnectTimeoutError(endpoint_url="lambda")


def denied(operation: str) -> Exception:
    return ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, operation)


def outputs_file(folder: Path, **changes: Any) -> Path:
    file = folder / "flat-outputs.json"
    outputs = {
        "stackName": DEPLOYMENT.stack_name,
        "accountId": DEPLOYMENT.account_id,
        "operatorRoleArn": DEPLOYMENT.operator_role_arn,
        **{
            f"{site}{key}": getattr(place, field)
            for site, place in DEPLOYMENT.at.items()
            for field, key in OF_A_SITE.items()
        },
        "databasePort": 5432,
    }
    file.write_text(json.dumps({**outputs, **changes}))
    return file
