"""The stack files and environments in the repository are examples that the Pulumi CLI does not rewrite."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from shared import environment
from shared.layers import LAYERS, Layer

STACK_FILES = [file for layer in LAYERS for file in sorted(layer.folder.glob("Pulumi.*.yaml"))]

each_stack_file = pytest.mark.parametrize("file", STACK_FILES, ids=lambda file: f"{file.parent.name}-{file.name}")


@each_stack_file
def test_there_is_no_salt_and_no_secret_in_an_example(file: Path) -> None:
    document = yaml.safe_load(file.read_text())
    assert set(document) == {"config"}
    assert "secure:" not in file.read_text()


@each_stack_file
def test_values_are_written_as_pulumi_writes_them(file: Path) -> None:
    # Pulumi stores numbers and booleans as text, and would rewrite the file on its first call.
    for key, value in yaml.safe_load(file.read_text())["config"].items():
        assert isinstance(value, str | list), key


def test_the_repositorys_environments_are_one_to_edit_and_the_lab() -> None:
    assert environment.known_stacks() == ("dev", "lab")
    assert {file.name for file in STACK_FILES} == {"Pulumi.dev.yaml", "Pulumi.lab.yaml"}


def test_the_environments_readme_describes_every_key() -> None:
    rows = re.findall(r"^\| `(\w+)` \|", (environment.FOLDER / "README.md").read_text(), re.MULTILINE)
    assert tuple(rows) == environment.KEYS


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: layer.name)
def test_pulumi_install_finds_its_requirements_and_the_required_cli_version(layer: Layer) -> None:
    folder = layer.folder
    (line,) = (line for line in (folder / "requirements.txt").read_text().splitlines() if not line.startswith("#"))
    assert (folder / line.removeprefix("-r ")).resolve() == environment.FOLDER.parent / "requirements.lock"
    project = yaml.safe_load((folder / "Pulumi.yaml").read_text())
    assert project["requiredPulumiVersion"].startswith(">=3.")
    assert (folder / project["runtime"]["options"]["virtualenv"]).resolve() == environment.FOLDER.parent / ".venv"
