"""The lab's engine makes what it understands, refuses what it does not, and unmakes it last first.

The account behind it is a list of calls here: these tests decide what the engine asks for, not what AWS makes of it.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from botocore.exceptions import ClientError

from lab.engine import deletion, lab_engine
from lab.engine.lab_engine import LabEngine
from lab.engine.registration import Created, EngineError, Provider, Registration, Values
from lab.engine.resource_table import Changes, Context, Made, ResourceType
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


IMPORTED = replace(thing(), import_id="found")


@pytest.fixture
def importable(account: Account, monkeypatch: pytest.MonkeyPatch) -> Account:
    """An account where a thing was made by hand, in another colour than programs say."""

    def find(_context: Context, identifier: str, inputs: Values) -> Made | None:
        there = {"name": "one", "colour": "red"}
        return Made("id-one", {key: there[key] for key in inputs}, {}) if identifier == "found" else None

    def update(_context: Context, identifier: str, _old: Values, new: Values) -> Values:
        account.calls.append(("update", identifier, new["colour"]))
        return {}

    changes = Changes(find=find, update=update, updates=frozenset({"colour"}))
    kind = ResourceType(account.create, account.delete, frozenset({"name", "colour"}), changes)
    monkeypatch.setattr(lab_engine, "RESOURCE_TYPES", {THING: kind})
    return account


def test_what_is_there_is_imported_once_and_not_made(importable: Account) -> None:
    engine_ = engine()
    assert engine_.register(IMPORTED).id == "id-one"
    assert engine_.register(IMPORTED).id == "id-one"
    assert importable.calls == []
    assert [kept.made.id for kept in engine_.kept] == ["id-one"]


def test_as_with_pulumi_what_differs_is_changed_right_after_the_import(importable: Account) -> None:
    engine().register(replace(IMPORTED, inputs={"name": "one", "colour": "blue"}))
    assert importable.calls == [("update", "id-one", "blue")]


def test_what_is_ignored_stays_as_it_was_found(importable: Account) -> None:
    blue = replace(IMPORTED, inputs={"name": "one", "colour": "blue"}, ignore_changes=frozenset({"colour"}))
    engine_ = engine()
    engine_.register(blue)
    assert importable.calls == []
    assert engine_.kept[0].made.inputs["colour"] == "red"
    engine_.register(replace(blue, ignore_changes=frozenset()))
    assert importable.calls == [("update", "id-one", "blue")]


def test_what_is_not_there_is_not_made_instead(importable: Account) -> None:
    with pytest.raises(EngineError, match="resource 'elsewhere' does not exist"):
        engine().register(replace(IMPORTED, import_id="elsewhere"))
    assert importable.calls == []


def test_a_type_that_cannot_be_imported_is_named(account: Account) -> None:
    with pytest.raises(EngineError, match=f"cannot import a {THING}: add it in"):
        engine().register(IMPORTED)
