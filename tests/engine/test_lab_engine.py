"""The lab's engine makes what it understands, refuses what it does not, and unmakes it last first.

The account behind it is a list of calls here: these tests decide what the engine asks for, not what AWS makes of it.
"""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from lab.engine import deletion, lab_engine
from lab.engine.lab_engine import LabEngine
from lab.engine.registration import Created, EngineError, Provider, Registration, Values
from lab.engine.resource_table import Context, Made, ResourceType
from lab.engine.state import LayerState
from tests.engine.fake_account import DARK, only_sts

THING = "aws:test/thing:Thing"
ACCOUNT = "000000000000"
PROVIDER = Provider("urn:provider", "aws", "aws-primary-lab", {"region": "ap-southeast-2"})


class Account:
    def __init__(self) -> None:
        self.calls: list[tuple[str, str, str]] = []
        self.in_use: set[str] = set()

    def create(self, context: Context, inputs: Values) -> Created:
        self.calls.append(("create", inputs["name"], context.region))
        return Created(f"id-{inputs['name']}", {"arn": f"arn:{inputs['name']}"})

    def delete(self, context: Context, made: Made) -> None:
        if made.inputs["name"] in self.in_use:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "in use"}}, "DeleteThing")
        self.calls.append(("delete", made.inputs["name"], context.region))


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Account:
    account = Account()
    kind = ResourceType(account.create, account.delete, frozenset({"name"}))
    monkeypatch.setattr(lab_engine, "RESOURCE_TYPES", {THING: kind})
    return account


def engine() -> LabEngine:
    states = {"network": LayerState("postgres-dr-network", "lab")}
    return LabEngine(only_sts, ACCOUNT, states=states)


def thing(name: str = "one", provider: Provider | None = PROVIDER, **inputs: object) -> Registration:
    return Registration(
        layer="network", urn=f"urn:{name}", type=THING, name=name, inputs={"name": name, **inputs}, provider=provider
    )


def test_a_type_that_is_not_in_the_table_is_named_with_the_place_to_add_it(account: Account) -> None:
    unknown = Registration("network", "urn", "aws:test/other:Other", "one", {}, provider=PROVIDER)
    with pytest.raises(EngineError, match=r"aws:test/other:Other: add it in lab/engine/resources"):
        engine().register(unknown)


def test_an_input_nobody_translates_is_refused_not_dropped(account: Account) -> None:
    with pytest.raises(EngineError, match="does not understand the input colour"):
        engine().register(thing(colour="red"))
    assert account.calls == []


def test_a_resource_without_an_explicit_provider_has_no_region(account: Account) -> None:
    with pytest.raises(EngineError, match="no explicit provider"):
        engine().register(thing(provider=None))


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({}, "names no region"),
        ({"region": DARK}, "validating provider credentials"),
        ({"region": "eu-west-1", "allowedAccountIds": ["111111111111"]}, "AWS account ID not allowed: 000000000000"),
    ],
)
def test_a_provider_for_no_region_a_dark_one_or_another_account_is_refused(
    inputs: dict[str, object], message: str
) -> None:
    with pytest.raises(EngineError, match=message):
        engine().configure(Provider("urn:p", "aws", "p", inputs))


def test_a_provider_for_a_dark_region_may_ask_another_one_who_it_is() -> None:
    engine().configure(Provider("urn:p", "aws", "p", {"region": DARK, "stsRegion": "ap-southeast-1"}))


def test_what_is_still_in_use_is_removed_once_it_is_free(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def delete_at_the_third_try(context: Context, made: Made) -> None:
        asked.append(made.id)
        if len(asked) < 3:
            raise ClientError({"Error": {"Code": "DependencyViolation", "Message": "in use"}}, "DeleteThing")

    kind = ResourceType(account.create, delete_at_the_third_try, frozenset({"name"}))
    monkeypatch.setattr(lab_engine, "RESOURCE_TYPES", {THING: kind})
    monkeypatch.setattr(deletion, "DELETE_PAUSE_SECONDS", 0)
    making = engine()
    making.register(thing())
    making.destroy()
    assert (asked, making.kept) == (["id-one"] * 3, [])
