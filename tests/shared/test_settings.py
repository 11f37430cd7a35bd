"""Configuration is read by type; what is wrong is named by key, value and remedy."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pulumi
import pytest

from shared.errors import SettingsError
from shared.settings import SettingsReader

PROJECT = "settings-test"


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


def test_a_missing_value_is_named_with_the_file_it_belongs_into() -> None:
    with (
        configured({}) as reader,
        pytest.raises(SettingsError, match=r"put settings-test:secretId: <value> into \./Pulumi\.dev\.yaml"),
    ):
        reader.text("secretId")


@pytest.mark.parametrize(
    ("read", "message"),
    [
        (lambda reader: reader.text("empty"), r"empty = \(empty\): give a value"),
        (lambda reader: reader.switch("word", default=False), "word = yes: give true or false"),
        (lambda reader: reader.texts("broken"), "broken = {: give valid JSON"),
    ],
)
def test_a_wrong_value_is_refused_in_one_line(read: Callable[[SettingsReader], object], message: str) -> None:
    values = {"empty": " ", "word": "yes", "broken": "{"}
    with configured(values) as reader, pytest.raises(SettingsError, match=message) as refused:
        read(reader)
    assert "\n" not in str(refused.value)


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
