"""The README's tables are the schema and the contract."""

from __future__ import annotations

import json
import re

import yaml

from shared.contracts import ObservabilityContract
from shared.layers import layer

LAYER = layer("observability")
README = (LAYER.folder / "README.md").read_text()
PROJECT = yaml.safe_load((LAYER.folder / "Pulumi.yaml").read_text())


def test_the_project_has_the_name_of_the_registry() -> None:
    assert PROJECT["name"] == LAYER.project
    assert f"`{LAYER.owner}`" in README


def test_the_inputs_table_is_the_schema() -> None:
    table = README.partition("<!-- inputs -->\n")[2].partition("<!-- /inputs -->")[0].splitlines()[2:]
    assert table == [
        f"| `{key}` | {declared['type']}{' of ' + declared['items']['type'] if 'items' in declared else ''} | "
        f"{'`' + json.dumps(declared['default']) + '`' if 'default' in declared else 'required'} | "
        f"{declared['description']} |"
        for key, declared in PROJECT["config"].items()
    ]


def test_the_outputs_table_is_the_contract() -> None:
    outputs = README.partition("## Outputs")[2].partition("\n## ")[0]
    rows = [line.split("|")[1] for line in outputs.splitlines() if line.startswith("| `")]
    assert {key for row in rows for key in re.findall(r"`(\w+)`", row)} == {
        field.key for field in ObservabilityContract.fields()
    }


def test_every_stack_turns_default_providers_off() -> None:
    for file in LAYER.folder.glob("Pulumi.*.yaml"):
        assert yaml.safe_load(file.read_text())["config"]["pulumi:disable-default-providers"] == ["aws"]
