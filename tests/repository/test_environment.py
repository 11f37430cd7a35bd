"""Pulumi can run the programs in the environment, as far as can be tested without the Pulumi CLI."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import yaml

from shared.layers import LAYERS, Layer

PROVIDERS = {"pulumi-aws", "pulumi-random"}


def test_all_layers_run_in_one_environment() -> None:
    assert len({os.path.normpath(_environment(known)) for known in LAYERS}) == 1


def test_the_environment_tells_pulumi_which_plugins_to_load() -> None:
    # Before each operation, pulumi-language-python asks pip for the packages, and those for their plugins.
    asked = subprocess.run(
        [_environment(LAYERS[0]) / "bin" / "python", "-m", "pip", "list", "-v", "--format", "json"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert asked.returncode == 0, asked.stderr
    locations = {package["name"].replace("_", "-"): Path(package["location"]) for package in json.loads(asked.stdout)}
    assert locations.keys() >= PROVIDERS
    for name in PROVIDERS:
        about = locations[name] / name.replace("-", "_") / "pulumi-plugin.json"
        assert json.loads(about.read_text())["resource"] is True


def _environment(known: Layer) -> Path:
    """Where the project's Pulumi.yaml says that its packages are."""
    options = yaml.safe_load((known.folder / "Pulumi.yaml").read_text())["runtime"]["options"]
    assert options["toolchain"] == "pip"
    return known.folder / str(options["virtualenv"])
