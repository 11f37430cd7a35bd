"""``cfn-outputs/flat-outputs.json``: the outputs of all layers in one flat file (P2)."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from shared.errors import SettingsError
from shared.layers import REPOSITORY_ROOT

FLAT_OUTPUTS_FILE = REPOSITORY_ROOT / "cfn-outputs" / "flat-outputs.json"


def merged(outputs_by_layer: Mapping[str, Mapping[str, object]]) -> dict[str, object]:
    """All layers' outputs in one mapping.

    Raises:
        SettingsError: two layers export the same key.
    """
    flat: dict[str, object] = {}
    exporter: dict[str, str] = {}
    for layer_name, outputs in outputs_by_layer.items():
        for key, value in outputs.items():
            if key in exporter:
                raise SettingsError(
                    key, f"exported by {exporter[key]} and by {layer_name}", "rename it in one of their contracts"
                )
            flat[key] = value
            exporter[key] = layer_name
    return flat


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
