"""A layer's settings, for tests: those of a stack in the repository, with some values changed."""

from __future__ import annotations

from typing import Any

from deployment.layer_settings import load_settings
from lab.engine import configured
from shared.layers import layer

PRODUCTION = {"environment": "production", "skipFinalSnapshot": False, "forceDestroyBuckets": False}
"""What the data layer needs in a production environment."""


def settings_of(name: str, stack: str = "dev", /, **overrides: object) -> Any:
    """The settings of that layer in that stack.

    Raises:
        SettingsError: a value cannot be used.
    """
    chosen = layer(name)
    return load_settings(chosen, *configured(chosen.folder, stack, overrides))
