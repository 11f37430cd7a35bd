"""A function's environment variables, read with a type and a range.

A function that starts with a wrong setting must fail at its first run and say which variable is wrong: a failover
that runs with a silently defaulted timeout is found out on the one night it is needed.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from function_runtime.sites import Site

Choice = TypeVar("Choice", bound=StrEnum)

NOT_SET = "(not set)"


class SettingError(ValueError):
    """An environment variable of a function cannot be used.

    Args:
        variable: the variable's name.
        value: what it holds, or ``"(not set)"``.
        remedy: what would be right, as an instruction.
    """

    def __init__(self, variable: str, value: object, remedy: str) -> None:
        self.variable = variable
        self.value = value
        self.remedy = remedy
        super().__init__(" ".join(f"{variable} = {value}: {remedy}".split()))


class Environment:
    """Typed access to environment variables.

    Args:
        variables: the variables, usually ``os.environ``.
    """

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables

    def is_set(self, variable: str) -> bool:
        """Whether the variable is there, empty or not."""
        return variable in self._variables

    def text(self, variable: str) -> str:
        """The variable's text.

        Raises:
            SettingError: it is not set, or blank.
        """
        if variable not in self._variables:
            raise SettingError(variable, NOT_SET, "set it in the function's environment")
        value = self._variables[variable]
        if not value.strip():
            raise SettingError(variable, "(blank)", "give it a value")
        return value

    def whole(self, variable: str, *, minimum: int, maximum: int) -> int:
        """The variable as a whole number within the range, both ends included.

        Raises:
            SettingError: it is not set, not a whole number, or out of range.
        """
        value = self.text(variable)
        remedy = f"give a whole number from {minimum} to {maximum}"
        try:
            number = int(value)
        except ValueError as error:
            raise SettingError(variable, value, remedy) from error
        if not minimum <= number <= maximum:
            raise SettingError(variable, value, remedy)
        return number

    def number(self, variable: str, *, minimum: float, maximum: float) -> float:
        """The variable as a number within the range, both ends included.

        Raises:
            SettingError: it is not set, not a finite number, or out of range.
        """
        value = self.text(variable)
        remedy = f"give a number from {minimum:g} to {maximum:g}"
        try:
            number = float(value)
        except ValueError as error:
            raise SettingError(variable, value, remedy) from error
        if not math.isfinite(number) or not minimum <= number <= maximum:
            raise SettingError(variable, value, remedy)
        return number

    def choice(self, variable: str, choices: type[Choice]) -> Choice:
        """The variable as a member of the enumeration.

        Raises:
            SettingError: it is not set, or not one of the members' values.
        """
        value = self.text(variable)
        try:
            return choices(value)
        except ValueError as error:
            raise SettingError(variable, value, f"give one of {', '.join(choices)}") from error

    def by_site(self, ending: str) -> dict[Site, str]:
        """The texts of two variables, one a site, such as ``PRIMARY_REGION`` and ``RECOVERY_REGION``.

        Args:
            ending: what follows the site's name, such as ``REGION``.

        Raises:
            SettingError: one is not set, or blank.
        """
        return {site: self.text(f"{site.upper()}_{ending}") for site in Site}

    def third_region(self, variable: str, regions: Mapping[Site, str]) -> str:
        """The variable as a region that is neither site's.

        Raises:
            SettingError: it is not set, blank, or a site's region.
        """
        region = self.text(variable)
        if region in regions.values():
            raise SettingError(variable, region, "give a region that is neither PRIMARY_REGION nor RECOVERY_REGION")
        return region

    def json_object(self, variable: str) -> dict[str, object]:
        """The variable as a JSON object.

        Raises:
            SettingError: it is not set, not JSON, or not an object.
        """
        value = self.text(variable)
        remedy = "give a JSON object"
        try:
            parsed = json.loads(value)
        except json.JSONDecodeError as error:
            raise SettingError(variable, value, f"{remedy}: {error}") from error
        if not isinstance(parsed, dict):
            raise SettingError(variable, value, remedy)
        return parsed
