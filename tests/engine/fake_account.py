"""An account that is a list of calls, and an engine over it: what the engine asks for, not what AWS makes of it."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError

from lab.engine import lab_engine
from lab.engine.lab_engine import LabEngine
from lab.engine.registration import Created, UnfinishedError, Values
from lab.engine.resource_table import Changes, Context, Made, ResourceType
from lab.engine.state import Counts
from shared.layers import Layer
from tests.engine.projects import write_project

ACCOUNT = "000000000000"
TOPIC = "aws:sns/topic:Topic"
POLICY = "aws:sns/topicPolicy:TopicPolicy"
DARK = "eu-west-9"
QUEUE = "aws:sqs/queue:Queue"


@dataclass
class Account:
    """Topics with a name that cannot change, policies that belong to one, queues that cannot be changed at all."""

    calls: list[str] = field(default_factory=list)
    there: dict[str, Values] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)
    half_made: set[str] = field(default_factory=set)
    written: list[tuple[Values, Values]] = field(default_factory=list)

    def types(self) -> Mapping[str, ResourceType]:
        topics = Changes(
            update=self.update,
            updates=frozenset({"displayName", "policy"}),
            state_only=frozenset({"deliveryPolicy"}),
            replaces=frozenset({"name", "fifoTopic"}),
            read=lambda context, identifier, inputs: self.there.get(identifier),
        )
        inputs = frozenset({"name", "displayName", "fifoTopic", "deliveryPolicy", "policy", "tags"})
        policies = Changes(
            update=self.update, updates=frozenset({"policy"}), replaces=frozenset({"arn"}), name="arn", read=topics.read
        )
        return {
            TOPIC: ResourceType(self.create, self.delete, inputs, topics),
            POLICY: ResourceType(self.create, self.delete, frozenset({"arn", "policy"}), policies),
            QUEUE: ResourceType(self.create, self.delete, frozenset({"name", "delaySeconds"})),
        }

    def create(self, context: Context, inputs: Values) -> Created:
        identifier = str(inputs.get("name", f"policy of {inputs.get('arn')}"))
        self.calls.append(f"create {identifier}")
        self._answer(identifier)
        self.there[identifier] = {}
        if identifier in self.half_made:
            raise UnfinishedError(identifier, "the region does not answer")
        return Created(identifier, {"arn": f"arn:{identifier}"})

    def update(self, context: Context, identifier: str, old: Values, new: Values) -> Values:
        self.calls.append(f"update {identifier}")
        self._answer(identifier)
        self.written.append((old, new))
        return {"arn": f"arn:{identifier}"}

    def delete(self, context: Context, made: Made) -> None:
        self.calls.append(f"delete {made.id}")
        self._answer(made.id)
        self.there.pop(made.id, None)

    def asked(self) -> list[str]:
        """What was asked for since the last time."""
        calls, self.calls[:] = list(self.calls), []
        return calls

    def _answer(self, identifier: str) -> None:
        if identifier in self.refused:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "in use"}}, "Thing")


class Sts:
    """Says who asks, as long as its region answers."""

    def get_caller_identity(self) -> dict[str, str]:
        return {"Account": ACCOUNT}


def only_sts(service: str, region: str) -> Any:
    """Clients of an account in which nothing but STS is asked, and one region is dark."""
    assert service == "sts"
    if region == DARK:
        raise ConnectTimeoutError(endpoint_url=region)
    return Sts()


@dataclass(frozen=True)
class DemoLayer(Layer):
    """A layer in any folder."""

    at: Path = Path()

    @property
    def folder(self) -> Path:
        return self.at


class Applied:
    """Programs applied one after the other, as a person edits them."""

    def __init__(self, account: Account, folder: Path) -> None:
        self.account = account
        self.layer = DemoLayer("demo", "demo", "", (), "", at=folder)

        self.engine = LabEngine(only_sts, ACCOUNT)

    def __call__(self, program: str) -> list[str]:
        """Apply a program.

        Returns:
            what was asked of the account.
        """
        self._write(program)
        self.engine.apply(self.layer, "lab")
        return self.account.asked()

    def previewed(self, program: str) -> Counts:
        """What applying a program would do."""
        self._write(program)
        return self.engine.rehearsal().apply(self.layer, "lab")

    def _write(self, program: str) -> None:
        write_project(self.layer.folder, textwrap.dedent(program))
        self.account.calls.clear()

    @property
    def standing(self) -> list[str]:
        """The ids that the state knows."""
        return [kept.made.id for kept in self.engine.kept]


@pytest.fixture
def applied(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Applied:
    account = Account()
    monkeypatch.setattr(lab_engine, "RESOURCE_TYPES", account.types())
    return Applied(account, tmp_path)
