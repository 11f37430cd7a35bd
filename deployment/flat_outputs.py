"""``cfn-outputs/flat-outputs.json``: the outputs of all layers of one stack in one flat file (P2).

The file names its stack, so that no command uses the outputs of another environment by mistake.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from shared.errors import SettingsError
from shared.layers import REPOSITORY_ROOT

FLAT_OUTPUTS_FILE = REPOSITORY_ROOT / "cfn-outputs" / "flat-outputs.json"
STACK_KEY = "stackName"


def merged(stack: str, outputs_by_layer: Mapping[str, Mapping[str, object]]) -> dict[str, object]:
    """All layers' outputs in one mapping, with the name of their stack.

    Raises:
        SettingsError: two layers export the same key.
    """
    flat: dict[str, object] = {STACK_KEY: stack}
    exporter = {STACK_KEY: "the file itself"}
    for layer_name, outputs in outputs_by_layer.items():
        for key, value in outputs.items():
            if key in exporter:
                raise SettingsError(
                    key, f"exported by {exporter[key]} and by {layer_name}", "rename it in one of their contracts"
                )
            flat[key] = value
            exporter[key] = layer_name
    return flat


def read(file: Path) -> dict[str, Any]:
    """What is in the file.

    Raises:
        SettingsError: it does not exist, cannot be read, or does not name its stack.
    """
    try:
        outputs = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise SettingsError(
            "--outputs", f"{file} (no such file)", "start the lab (./dr lab), or write it with ./dr outputs"
        ) from error
    except (OSError, ValueError) as error:
        raise SettingsError("--outputs", f"{file} (unreadable: {error})", "write it again with ./dr outputs") from error
    if not isinstance(outputs, dict) or not isinstance(outputs.get(STACK_KEY), str):
        raise SettingsError("--outputs", f"{file} (of no stack)", "write it again with ./dr outputs -- --stack NAME")
    return outputs


def owner(file: Path) -> str | None:
    """The stack whose outputs the file holds; None if that is unknown."""
    try:
        return str(read(file)[STACK_KEY])
    except SettingsError:
        return None


def write(outputs: Mapping[str, object], file: Path) -> None:
    """Replace the file as a whole: a reader sees the old one or the new one, never a part."""
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=file.name, suffix=".part")
    part = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(json.dumps(outputs, indent=2, sort_keys=True) + "\n")
        # mkstemp makes it for this user only; other tools read the outputs too.
        part.chmod(0o644)
        part.replace(file)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def remove(stack: str, file: Path) -> None:
    """Delete the file, unless it belongs to another stack."""
    if owner(file) in (stack, None):
        file.unlink(missing_ok=True)
