"""The one place that builds a reference to another layer's stack."""

from __future__ import annotations

import pulumi

from shared.layers import layer
from shared.settings import StackSettings


def layer_stack(name: str, settings: StackSettings) -> pulumi.StackReference:
    """The stack of the layer ``name`` in the same environment (the same stack name).

    Raises:
        SettingsError: no layer has that name.
    """
    return pulumi.StackReference(f"{pulumi.get_organization()}/{layer(name).project}/{settings.stack}")
