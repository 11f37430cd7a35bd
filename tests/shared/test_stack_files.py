"""A stack's configuration is checked against its project's schema before the program runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.errors import SettingsError
from shared.stack_files import load_configuration, written_value
from tests.engine.projects import write_project

SCHEMA = """{
  secretId: {type: string},
  size: {type: integer, default: 3},
  protect: {type: boolean, default: false},
  zones: {type: array, items: {type: string}, default: []},
  tags: {type: object, default: {}},
}"""
SECRET_ID = '{demo:secretId: "000000000000"}'


def test_defaults_fill_in_what_the_stack_does_not_say(tmp_path: Path) -> None:
    values = load_configuration(write_project(tmp_path, "", SCHEMA, SECRET_ID), "lab").values
    assert values == {
        "demo:secretId": "000000000000",
        "demo:size": "3",
        "demo:protect": "false",
        "demo:zones": "[]",
        "demo:tags": "{}",
    }


def test_an_override_wins_over_the_stack_and_structures_become_json(tmp_path: Path) -> None:
    folder = write_project(tmp_path, "", SCHEMA, SECRET_ID)
    values = load_configuration(folder, "lab", {"secretId": "111111111111", "zones": ["a", "b"]}).values
    assert (values["demo:secretId"], values["demo:zones"]) == ("111111111111", '["a", "b"]')


def test_settings_of_other_namespaces_pass(tmp_path: Path) -> None:
    folder = write_project(tmp_path, "", "{aws:region: eu-west-1}", "{other:key: value}")
    assert load_configuration(folder, "lab").values == {"aws:region": "eu-west-1", "other:key": "value"}


@pytest.mark.parametrize(
    ("configuration", "key", "remedy"),
    [
        ("{}", "secretId", "required"),
        ("{demo:secretId: 12}", "secretId", "a string"),
        ('{demo:secretId: "0", demo:size: large}', "size", "an integer"),
        ('{demo:secretId: "0", demo:size: true}', "size", "an integer"),
        ('{demo:secretId: "0", demo:protect: "yes"}', "protect", "a boolean"),
        ('{demo:secretId: "0", demo:zones: a}', "zones", "an array of string"),
        ('{demo:secretId: "0", demo:zones: [1]}', "zones", "an array of string"),
        ('{demo:secretId: "0", demo:tags: [a]}', "tags", "an object"),
        ('{demo:secretId: "0", demo:sise: 4}', "sise", "no such setting"),
        ('{demo:secretId: "0", demo:sise: {secure: c2VjcmV0}}', "sise", "no such setting"),
        ('{demo:secretId: "0", demo:owner: team}', "owner", "all layers share it: set it in environments/lab.yaml"),
    ],
)
def test_what_the_schema_does_not_allow_is_refused(tmp_path: Path, configuration: str, key: str, remedy: str) -> None:
    with pytest.raises(SettingsError, match=remedy) as refused:
        load_configuration(write_project(tmp_path, "", SCHEMA, configuration), "lab")
    assert refused.value.key == key
    assert "c2VjcmV0" not in str(refused.value)


def test_an_unknown_stack_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as refused:
        load_configuration(write_project(tmp_path, "", SCHEMA, SECRET_ID), "nowhere")
    assert (refused.value.key, refused.value.value) == ("stack", "nowhere")


def test_a_secure_value_is_known_to_be_set_and_not_read(tmp_path: Path) -> None:
    configuration = (
        "{demo:secretId: {secure: c2VjcmV0}, demo:tags: {a: [{secure: c2VjcmV0}]}, other:key: {secure: c2VjcmV0}}"
    )
    read = load_configuration(write_project(tmp_path, "", SCHEMA, configuration), "lab")
    assert read.secure_keys == {"demo:secretId", "demo:tags", "other:key"}
    assert not read.secure_keys & read.values.keys()
    assert "c2VjcmV0" not in str(read)


def test_one_setting_is_read_whatever_is_wrong_with_the_others(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: app\nconfig:\n  size: {type: integer, default: 3}\n  kind: plain\n")
    (tmp_path / "Pulumi.dev.yaml").write_text("config:\n  app:sise: 7\n  app:place: here\n  secret: {secure: v1:x}\n")
    read = {key: written_value(tmp_path, "dev", key) for key in ("size", "kind", "place", "other")}
    assert read == {"size": "3", "kind": "plain", "place": "here", "other": None}
    with pytest.raises(SettingsError, match=r"secret = .secure.: write it in plain text"):
        written_value(tmp_path, "dev", "secret")
