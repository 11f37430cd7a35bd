"""Each layer's README, schema and code say the same about its settings and outputs."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from deployment.layer_settings import load_settings
from shared.contracts import CONTRACTS
from shared.layers import LAYERS, Layer
from shared.stack_files import StackConfiguration, as_text

PER_SITE = ("primary", "recovery")

each_layer = pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: layer.name)


def readme(layer: Layer) -> str:
    return (layer.folder / "README.md").read_text()


def project(layer: Layer) -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load((layer.folder / "Pulumi.yaml").read_text())
    return read


def stack_files(layer: Layer) -> list[Path]:
    return sorted(layer.folder.glob("Pulumi.*.yaml"))


@each_layer
def test_the_project_has_the_name_of_the_registry(layer: Layer) -> None:
    assert project(layer)["name"] == layer.project
    assert f"`{layer.owner}`" in readme(layer)


@each_layer
def test_the_inputs_table_is_the_schema(layer: Layer) -> None:
    table = readme(layer).partition("<!-- inputs -->\n")[2].partition("<!-- /inputs -->")[0].splitlines()[2:]
    assert table == [
        f"| `{key}` | {declared['type']}{' of ' + declared['items']['type'] if 'items' in declared else ''} | "
        f"{'`' + json.dumps(declared['default']) + '`' if 'default' in declared else 'required'} | "
        f"{declared['description']} |"
        for key, declared in project(layer)["config"].items()
    ]


@each_layer
def test_the_schemas_defaults_are_the_codes(layer: Layer) -> None:
    def loaded(values: dict[str, Any]) -> object:
        texts = {f"{layer.project}:{key}": as_text(value) for key, value in values.items()}
        return load_settings(layer, StackConfiguration(layer.project, "dev", texts, frozenset()))

    schema = project(layer)["config"]
    required = {key: "text" for key, declared in schema.items() if "default" not in declared}
    defaults = {key: declared["default"] for key, declared in schema.items() if "default" in declared}
    assert loaded({**required, **defaults}) == loaded(required)


@each_layer
def test_the_outputs_tables_are_the_contract(layer: Layer) -> None:
    outputs = readme(layer).partition("## Outputs")[2].partition("\n## ")[0]
    first_cells = [line.split("|")[1] for line in outputs.splitlines() if line.startswith("| `")]
    listed = [name for cell in first_cells for name in re.findall(r"`(…?)(\w+)`", cell)]
    keys = {f"{site}{name}" for dots, name in listed for site in (PER_SITE if dots else ("",))}
    assert keys == {field.key for field in CONTRACTS[layer.name].fields()}


@each_layer
def test_every_stack_turns_default_providers_off(layer: Layer) -> None:
    assert stack_files(layer)
    for file in stack_files(layer):
        assert yaml.safe_load(file.read_text())["config"]["pulumi:disable-default-providers"] == ["aws"]
