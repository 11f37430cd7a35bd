"""A layer's settings, read and checked outside of its program as the program will read them."""

from __future__ import annotations

import contextvars
import importlib
import importlib.util
import inspect
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType, ModuleType
from typing import Protocol

from pulumi.runtime import set_all_config
from pulumi.runtime.settings import Settings, configure

from shared import environment
from shared.layers import Layer
from shared.stack_files import StackConfiguration


class LoadsSettings(Protocol):
    """A layer's settings class, the one in ``<layer>_layer/settings.py`` that has ``load``."""

    def load(self) -> object:
        """Read and check the stack's configuration.

        Raises:
            SettingsError: a value is missing or cannot be used.
        """


def load_settings(
    chosen: Layer, configuration: StackConfiguration, overrides: Mapping[str, object] = MappingProxyType({})
) -> object:
    """The layer's settings.

    Args:
        chosen: the layer.
        configuration: its stack's configuration.
        overrides: values that override the environment file's.

    Raises:
        SettingsError: a value is missing or cannot be used.
    """
    loader = settings_class(chosen)

    def load() -> object:
        configure(Settings(project=configuration.project, stack=configuration.stack))
        set_all_config(dict(configuration.values))
        environment.overrides.set(overrides)
        return loader.load()

    # The SDK keeps project, stack and configuration in context variables: set them in a copy of the context only.
    return contextvars.copy_context().run(load)


def settings_class(chosen: Layer) -> LoadsSettings:
    """The class that reads the layer's configuration."""
    module = layer_module(chosen, "settings")
    (found,) = (
        candidate
        for candidate in vars(module).values()
        if inspect.isclass(candidate)
        and candidate.__module__.endswith("_layer.settings")
        and hasattr(candidate, "load")
    )
    loader: LoadsSettings = found
    return loader


def layer_module(chosen: Layer, name: str) -> ModuleType | None:
    """The module ``<layer>_layer/<name>.py``, None where the layer has none."""
    (settings,) = chosen.folder.glob("*_layer/settings.py")
    full_name = f"{settings.parent.name}.{name}"
    with _importable(chosen):
        if importlib.util.find_spec(full_name) is None:
            return None
        return importlib.import_module(full_name)


@contextmanager
def _importable(chosen: Layer) -> Iterator[None]:
    """The layer's folder on the path, as Pulumi has it while the program runs."""
    folder = str(chosen.folder)
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        sys.path.remove(folder)
