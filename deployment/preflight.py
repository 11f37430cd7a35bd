"""What is checked before a deploy touches anything: every chosen layer's settings, and what it needs to find in AWS."""

from __future__ import annotations

import contextvars
import importlib
import importlib.util
import inspect
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol, cast

from pulumi.runtime import set_all_config
from pulumi.runtime.settings import Settings, configure

from lab.engine.stack_files import load_configuration
from shared.errors import SettingsError
from shared.layers import Layer


class LoadsSettings(Protocol):
    """A layer's settings class, the one in ``<layer>_layer/settings.py`` that has ``load``."""

    def load(self) -> object:
        """Read and check the stack's configuration.

        Raises:
            SettingsError: a value is missing or cannot be used.
        """


class ChecksItsNeeds(Protocol):
    """A layer's optional module ``<layer>_layer/preflight.py``: what must be there before it can be deployed."""

    def check(self, settings: Any) -> None:
        """Look at AWS, read-only, with the credentials the deploy will have.

        Args:
            settings: the layer's own settings, as its ``load`` gives them.

        Raises:
            SettingsError: something is missing or cannot be used.
        """


def check_before_deploy(layers: Sequence[Layer], stack: str) -> None:
    """Check everything that can be known before the first layer is touched.

    All settings come first: they need no credentials.

    Raises:
        SettingsError: a layer would fail.
    """
    loaded = [(chosen, load_settings(chosen, stack)) for chosen in layers]
    for chosen, settings in loaded:
        needs = needs_of(chosen)
        if needs is not None:
            needs.check(settings)


def load_settings(chosen: Layer, stack: str) -> object:
    """The layer's settings for that stack, read and checked as its program will.

    Raises:
        SettingsError: a value is missing or cannot be used.
    """
    configuration = load_configuration(chosen.folder, stack)
    loader = settings_class(chosen)

    def load() -> object:
        configure(Settings(project=configuration.project, stack=stack))
        set_all_config(dict(configuration.values))
        return loader.load()

    try:
        # The SDK keeps project, stack and configuration in context variables: a copy keeps them from everybody else.
        return contextvars.copy_context().run(load)
    except SettingsError as error:
        raise SettingsError(f"{chosen.name}: {error.key}", error.value, error.remedy) from error


def settings_class(chosen: Layer) -> LoadsSettings:
    """The class that reads the layer's configuration."""
    with _importable(chosen):
        module = importlib.import_module(f"{_package(chosen)}.settings")
    (found,) = (
        candidate
        for candidate in vars(module).values()
        if inspect.isclass(candidate) and candidate.__module__ == module.__name__ and hasattr(candidate, "load")
    )
    loader: LoadsSettings = found
    return loader


def needs_of(chosen: Layer) -> ChecksItsNeeds | None:
    """The layer's own check of what it needs, None where it has none."""
    name = f"{_package(chosen)}.preflight"
    with _importable(chosen):
        if importlib.util.find_spec(name) is None:
            return None
        return cast(ChecksItsNeeds, importlib.import_module(name))


def _package(chosen: Layer) -> str:
    (settings,) = chosen.folder.glob("*_layer/settings.py")
    return settings.parent.name


@contextmanager
def _importable(chosen: Layer) -> Iterator[None]:
    """The layer's folder on the path, as Pulumi has it while the program runs."""
    folder = str(chosen.folder)
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        sys.path.remove(folder)
