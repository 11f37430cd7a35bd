"""Typed stack outputs: what a layer promises to the layers above it, and nothing else.

A contract is a frozen dataclass. Its fields are outputs (``Output[str]``, ``Output[int]``, ``Output[list[str]]``) or
one part per site (a dataclass of such fields). ``export`` writes them as flat camelCase stack outputs
(``primaryVpcId``), ``from_values`` takes them from there, checks the type of each and fails on a missing one.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self, TypeVar, get_args, get_origin, get_type_hints

import pulumi

T = TypeVar("T")


class ContractError(TypeError):
    """A layer's stack does not offer what its contract says."""


def camel_case(*words: str) -> str:
    """``("primary", "vpc_id")`` -> ``primaryVpcId``."""
    parts = [part for word in words for part in word.split("_")]
    return parts[0] + "".join(part.capitalize() for part in parts[1:])


@dataclass(frozen=True)
class Field:
    """One stack output of a contract: its key and the Python type of its value."""

    key: str
    path: tuple[str, ...]
    value_type: type[object]


@dataclass(frozen=True)
class Contract:
    """Base of the layers' contracts."""

    @classmethod
    def fields(cls) -> Iterator[Field]:
        """Every stack output this contract promises."""
        return _fields(cls, ())

    def export(self) -> None:
        """Make every field a stack output."""
        for field in self.fields():
            value: object = self
            for name in field.path:
                value = getattr(value, name)
            pulumi.export(field.key, value)

    @classmethod
    def from_values(cls, values: Mapping[str, Any]) -> Self:
        """The contract from plain output values: those of a stack, or what ``flat-outputs.json`` holds.

        Raises:
            ContractError: an output is missing, or has another type than the contract says.
        """
        return _built(cls, (), lambda field: pulumi.Output.from_input(_checked(values, field)))

    @classmethod
    def missing_from(cls, values: Mapping[str, Any]) -> tuple[str, ...]:
        """The keys that this contract promises and that these outputs lack."""
        return tuple(field.key for field in cls.fields() if field.key not in values)


def _fields(contract: type[Any], prefix: tuple[str, ...]) -> Iterator[Field]:
    hints = get_type_hints(contract)
    for declared in dataclasses.fields(contract):
        path = (*prefix, declared.name)
        hint = hints[declared.name]
        if dataclasses.is_dataclass(hint):
            yield from _fields(hint if isinstance(hint, type) else type(hint), path)
        else:
            (value_type,) = get_args(hint)
            yield Field(camel_case(*path), path, get_origin(value_type) or value_type)


def _built(contract: type[T], prefix: tuple[str, ...], value_of: Callable[[Field], pulumi.Output[Any]]) -> T:
    hints = get_type_hints(contract)
    values: dict[str, object] = {}
    for declared in dataclasses.fields(contract):  # type: ignore[arg-type]
        path = (*prefix, declared.name)
        hint = hints[declared.name]
        if dataclasses.is_dataclass(hint):
            values[declared.name] = _built(hint, path, value_of)  # type: ignore[arg-type]
        else:
            (value_type,) = get_args(hint)
            values[declared.name] = value_of(Field(camel_case(*path), path, get_origin(value_type) or value_type))
    return contract(**values)


def _checked(values: Mapping[str, Any], field: Field) -> object:
    if field.key not in values:
        raise ContractError(f"no output {field.key}")
    value = values[field.key]
    # A whole number crosses the engine's wire as a float.
    if field.value_type is int and isinstance(value, float) and value.is_integer():
        return int(value)
    if not isinstance(value, field.value_type) or isinstance(value, bool):
        raise ContractError(f"output {field.key} = {value!r}, and the contract says {field.value_type.__name__}")
    return value
