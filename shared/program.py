"""How a layer's program runs: bad input ends it with one line instead of a traceback."""

from __future__ import annotations

from collections.abc import Callable

import pulumi

from shared.errors import SettingsError


def run(program: Callable[[], None]) -> None:
    """Run a layer's program.

    Raises:
        pulumi.RunError: with the one line of a SettingsError; Pulumi prints it without a traceback.
    """
    try:
        program()
    except SettingsError as error:
        raise pulumi.RunError(str(error)) from error
