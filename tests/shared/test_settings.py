"""Configuration is read by type; what is wrong is named by key, value and remedy."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pulumi
import pytest

from shared.errors import SettingsError
from shared.settings import SettingsReader, StackSettings
from shared.sites import Site

PROJECT = "settings-test"
COMPLETE = {"accountId": "123456789012", "environment": "development", "owner": "team"}


@contextmanager
def configured(values: dict[str, str], stack: str = "dev") -> Iterator[SettingsReader]:
    class NoResources(pulumi.runtime.Mocks):
        def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str | None, dict[str, object]]:
            raise AssertionError(args.name)

        def call(self, args: pulumi.runtime.MockCallArgs) -> tuple[dict[str, object], None]:
            raise AssertionError(args.token)

    pulumi.runtime.set_mocks(NoResources(), project=PROJECT, stack=stack)
    pulumi.runtime.set_all_config({f"{PROJECT}:{key}": value for key, value in values.items()})
    try:
        yield SettingsReader(pulumi.Config(PROJECT))
    finally:
        pulumi.runtime.set_all_config({})


def test_the_suffix_is_the_stack_name_where_it_is_not_set() -> None:
    with configured(COMPLETE, stack="staging") as reader:
        assert StackSettings.load(reader).suffix == "staging"


def test_the_regions_default_to_sydney_and_singapore() -> None:
    with configured(COMPLETE) as reader:
        regions = StackSettings.load(reader).regions
    assert dict(regions) == {Site.PRIMARY: "ap-southeast-2", Site.RECOVERY: "ap-southeast-1"}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"primaryRegion": "ap-southeast-1"}, "recoveryRegion = ap-southeast-1: choose another region"),
        ({"recoveryRegion": "Singapore"}, "recoveryRegion = Singapore: give an AWS region"),
        ({"accountId": "1234"}, "accountId = 1234: give the 12 digits"),
        ({"environmentSuffix": "Too_Bad"}, "environmentSuffix = Too_Bad: start with a lower-case letter"),
        ({"owner": " "}, r"owner = \(empty\): give a value"),
        ({"s3UsePathStyle": "yes"}, "s3UsePathStyle = yes: give true or false"),
        ({"tags": "[1]"}, r"tags = \[1\]: give a mapping"),
        ({"tags": "{"}, "tags = {: give valid JSON"),
    ],
)
def test_a_wrong_value_is_refused_in_one_line(values: dict[str, str], message: str) -> None:
    with configured({**COMPLETE, **values}) as reader, pytest.raises(SettingsError, match=message) as refused:
        StackSettings.load(reader)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("key", sorted(COMPLETE))
def test_a_missing_value_is_named_with_the_command_that_sets_it(key: str) -> None:
    values = {name: value for name, value in COMPLETE.items() if name != key}
    with configured(values) as reader, pytest.raises(SettingsError, match=f"pulumi config set {key}"):
        StackSettings.load(reader)


def test_zero_and_false_are_values_not_absences() -> None:
    with configured({"count": "0", "on": "false"}) as reader:
        assert reader.whole_number("count", 5, minimum=0, maximum=9) == 0
        assert reader.switch("on", default=True) is False


def test_numbers_out_of_bounds_are_refused() -> None:
    with configured({"count": "10"}) as reader, pytest.raises(SettingsError, match="from 0 to 9"):
        reader.whole_number("count", 5, minimum=0, maximum=9)


def test_lists_hold_strings_only() -> None:
    with configured({"good": json.dumps(["a"]), "bad": json.dumps([1])}) as reader:
        assert reader.texts("good") == ("a",)
        with pytest.raises(SettingsError, match="list of strings"):
            reader.texts("bad")
