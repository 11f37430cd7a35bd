"""Reading a layer's ``Pulumi.yaml`` and ``Pulumi.<stack>.yaml``: the project's name and the stack's configuration.

The rules are the Pulumi CLI's: the project file declares keys with types and defaults, the stack file sets values, a
value of the wrong type or a required key without a value is refused before the program runs. One rule is stricter: a
key of the project that its schema does not know is refused too, since it is always a typing error. A secure value is
known to be set; what it is, only the Pulumi CLI can read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from shared.environment import KEYS as ENVIRONMENT_KEYS
from shared.errors import SettingsError

SECRETS_KEYS = ("encryptionsalt", "encryptedkey", "secretsprovider")
"""What of a stack file belongs to its own stack's secrets: a copy must not take it along."""
# What the CLI understands of a stack file besides `config`.
_STACK_FILE_KEYS = frozenset({"config", "environment", *SECRETS_KEYS})
_SCHEMA_WORDS = frozenset({"type", "default", "description", "secret", "items", "value"})


@dataclass(frozen=True)
class StackConfiguration:
    """What the engine hands to a program.

    Attributes:
        project: the project's name, as in ``Pulumi.yaml``.
        stack: the stack's name.
        values: every configured value under its full key (``project:key``), as text; structured values as JSON.
        secret_keys: full keys the schema calls secret.
        secure_keys: full keys with an encrypted value; they are not among the values.
    """

    project: str
    stack: str
    values: Mapping[str, str]
    secret_keys: frozenset[str]
    secure_keys: frozenset[str] = frozenset()


def load_configuration(folder: Path, stack: str, overrides: Mapping[str, object] | None = None) -> StackConfiguration:
    """Read a layer's files and check its configuration.

    Args:
        folder: the project's folder.
        stack: the stack's name; ``Pulumi.<stack>.yaml`` must exist.
        overrides: values that override the stack file's, by key (``environmentSuffix``) or full key (``aws:region``).

    Raises:
        SettingsError: a file is missing or malformed, or a value is missing, unknown or of the wrong type.
    """
    project_file = folder / "Pulumi.yaml"
    project_document = _document(project_file, "layer", folder.name)
    project = project_document.get("name")
    if not isinstance(project, str):
        raise SettingsError(f"{project_file.name} name", project, f"give the project's name in {project_file}")
    stack_document = _document(folder / f"Pulumi.{stack}.yaml", "stack", stack)
    for key in stack_document:
        if key not in _STACK_FILE_KEYS:
            raise SettingsError(key, "(in the stack file)", f"move it under config: in Pulumi.{stack}.yaml")
    given = {
        _full_key(project, key): value
        for source in (_mapping(stack_document, "config"), {} if overrides is None else overrides)
        for key, value in source.items()
    }
    schema = {_full_key(project, key): value for key, value in _mapping(project_document, "config").items()}
    values: dict[str, str] = {}
    secret_keys = set()
    secure_keys = frozenset(key for key, value in given.items() if is_secure(value))
    for full_key, declaration in schema.items():
        text = None if full_key in secure_keys else _value(full_key, declaration, given, project, stack)
        if text is not None:
            values[full_key] = text
        if isinstance(declaration, dict) and declaration.get("secret") is True:
            secret_keys.add(full_key)
    for full_key, value in given.items():
        if full_key not in schema:
            if full_key.startswith(f"{project}:"):
                raise _unknown(_short(full_key, project), value, stack, [_short(key, project) for key in schema])
            if full_key not in secure_keys:
                values[full_key] = as_text(value)
    return StackConfiguration(project, stack, MappingProxyType(values), frozenset(secret_keys), secure_keys)


def written_value(folder: Path, stack: str, key: str) -> str | None:
    """One setting as it is written, or the project's default, whatever is wrong with the others.

    Args:
        folder: the project's folder.
        stack: the stack's name.
        key: the setting, without the project's name.

    Returns:
        Its value as text; None where it is not set and has no default.

    Raises:
        SettingsError: a file is missing or malformed, or the value is encrypted.
    """
    project_document = _document(folder / "Pulumi.yaml", "layer", folder.name)
    stack_document = _document(folder / f"Pulumi.{stack}.yaml", "stack", stack)
    full_key = f"{project_document.get('name')}:{key}"
    declared = _mapping(project_document, "config").get(key)
    value = declared.get("default") if isinstance(declared, dict) else declared
    for each, written in _mapping(stack_document, "config").items():
        if each in (key, full_key):
            value = written
    if is_secure(value):
        raise SettingsError(key, "(secure)", f"write it in plain text in Pulumi.{stack}.yaml: it is no secret")
    return None if value is None else as_text(value)


def secrets_provider_of(file: Path) -> str | None:
    """The secrets provider that a stack's file names, None where it names none."""
    provider = _document(file, "stack", file.name).get("secretsprovider")
    return None if provider is None else str(provider)


def is_secure(value: object) -> bool:
    """Whether a configured value is encrypted, or holds something that is."""
    if isinstance(value, dict):
        return set(value) == {"secure"} or any(map(is_secure, value.values()))
    return isinstance(value, list) and any(map(is_secure, value))


def as_text(value: object) -> str:
    """A configured value as programs receive it: text as it is, everything else as JSON writes it."""
    return value if isinstance(value, str) else json.dumps(value)


def _document(path: Path, key: str, value: str) -> dict[str, Any]:
    if not path.is_file():
        raise SettingsError(key, value, f"there is no {path.name} in {path.parent}")
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise SettingsError(str(path), "(malformed)", f"write valid YAML: {error}") from error
    if not isinstance(document, dict):
        raise SettingsError(str(path), "(not a mapping)", "write a YAML mapping")
    return document


def _mapping(document: Mapping[str, Any], key: str) -> dict[str, Any]:
    value = document.get(key)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise SettingsError(key, value, "give a mapping of keys to values")
    return value


def _full_key(project: str, key: str) -> str:
    return key if ":" in key else f"{project}:{key}"


def _short(full_key: str, project: str) -> str:
    return full_key.removeprefix(f"{project}:")


def _unknown(key: str, value: object, stack: str, known: Sequence[str]) -> SettingsError:
    if key in ENVIRONMENT_KEYS:
        remedy = f"all layers share it: set it in environments/{stack}.yaml and take it out of Pulumi.{stack}.yaml"
    else:
        remedy = f"no such setting; known are: {', '.join(sorted(known))}"
    return SettingsError(key, "(secure)" if is_secure(value) else value, remedy)


def _value(full_key: str, declaration: object, given: Mapping[str, object], project: str, stack: str) -> str | None:
    short = _short(full_key, project)
    if not isinstance(declaration, dict) or not set(declaration) <= _SCHEMA_WORDS:
        # `key: value` in the project file is the short form of `key: {value: ...}`.
        declaration = {"value": declaration}
    if full_key in given:
        value = given[full_key]
    elif "value" in declaration:
        value = declaration["value"]
    elif "default" in declaration:
        value = declaration["default"]
    else:
        if "type" in declaration:
            raise SettingsError(short, "(not set)", f"set it in Pulumi.{stack}.yaml: the project says it is required")
        return None
    if "type" in declaration and not _is_of_type(value, declaration):
        raise SettingsError(short, value, f"the project says it is {_described(declaration)}; quote text in YAML")
    return as_text(value)


def _is_of_type(value: object, declaration: Mapping[str, Any]) -> bool:
    match declaration["type"]:
        case "string":
            return isinstance(value, str)
        case "integer":
            return (isinstance(value, int) and not isinstance(value, bool)) or (
                isinstance(value, str) and re.fullmatch(r"[+-]?\d+", value) is not None
            )
        case "boolean":
            return isinstance(value, bool) or value in ("true", "false")
        case "array":
            items = declaration.get("items")
            return isinstance(value, list) and (
                not isinstance(items, dict) or all(_is_of_type(item, items) for item in value)
            )
        case "object":
            return isinstance(value, dict)
        case unknown:
            raise SettingsError("type", unknown, "use string, integer, boolean, array or object in Pulumi.yaml")


def _described(declaration: Mapping[str, Any]) -> str:
    kind = str(declaration["type"])
    items = declaration.get("items")
    if kind == "array" and isinstance(items, dict):
        return f"an array of {items.get('type')}"
    return f"an {kind}" if kind[0] in "aio" else f"a {kind}"
