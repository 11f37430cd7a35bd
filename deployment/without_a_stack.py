"""Previewing a layer whose stack does not exist yet, in a temporary backend, so that no stack is created for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from deployment.deployed import STACK_TYPE, Survey
from deployment.pulumi_cli import PulumiCli
from shared.layers import Layer, layer
from shared.stack_files import SECRETS_KEYS


@contextmanager
def throwaway_backend(cli: PulumiCli, chosen: Layer, stack: str, survey: Survey) -> Iterator[tuple[PulumiCli, Path]]:
    """A backend on this machine with a new stack of the layer, and the real outputs of those it reads.

    Args:
        cli: the person's CLI.
        chosen: the layer to preview.
        stack: the stack it would have.
        survey: what is deployed of each layer.

    Yields:
        the CLI on that backend, and the stack's configuration for it.

    Raises:
        PulumiFailed: a call failed.
    """
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "states").mkdir()
        # The backend is deleted afterwards, so the passphrase protects nothing.
        aside = cli.with_variables(
            PULUMI_BACKEND_URL=(folder / "states").as_uri(),
            PULUMI_CONFIG_PASSPHRASE="preview",  # noqa: S106
            PULUMI_CONFIG_PASSPHRASE_FILE="",
        )
        for below in chosen.reads:
            aside.create(layer(below), stack, quiet=True)
            aside.import_(layer(below), stack, _state(layer(below), stack, survey[below].outputs))
        aside.create(chosen, stack, quiet=True)
        configuration = yaml.safe_load((chosen.folder / f"Pulumi.{stack}.yaml").read_text(encoding="utf-8")) or {}
        file = folder / f"Pulumi.{stack}.yaml"
        file.write_text(yaml.safe_dump({key: value for key, value in configuration.items() if key not in SECRETS_KEYS}))
        yield aside, file


def _state(of: Layer, stack: str, outputs: Any) -> dict[str, Any]:
    """A deployment with nothing but its outputs, as ``pulumi stack import`` takes it."""
    name = f"{of.project}-{stack}"
    return {
        "version": 3,
        "deployment": {
            "manifest": {"time": datetime.now(UTC).isoformat(), "magic": "", "version": ""},
            "resources": [
                {
                    "urn": f"urn:pulumi:{stack}::{of.project}::{STACK_TYPE}::{name}",
                    "custom": False,
                    "type": STACK_TYPE,
                    "outputs": dict(outputs),
                }
            ],
        },
    }
