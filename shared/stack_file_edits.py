"""Changing single settings in a ``Pulumi.<stack>.yaml`` line by line: comments and order stay as people wrote them."""

from __future__ import annotations

import re
from collections.abc import Mapping

import yaml

from shared.errors import SettingsError

PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*")
CONFIG = re.compile(r"^config:\s*(#.*)?$")
INDENT = "  "


def edited(text: str, project: str, values: Mapping[str, str | None]) -> str:
    """The file's text with other settings.

    Args:
        text: the file as it is.
        project: the project's name, which precedes its keys.
        values: by key without the project; None takes a key out.

    Raises:
        SettingsError: the file is written in a way in which lines cannot be changed.
    """
    lines = text.splitlines()
    for key, value in values.items():
        lines = _with(lines, project, key, value)
    changed = "".join(f"{line}\n" for line in lines)
    by_lines = not _settings(text, project) or any(map(CONFIG.match, text.splitlines()))
    if not by_lines or _settings(changed, project) != _expected(_settings(text, project), values):
        keys = ", ".join(values)
        raise SettingsError(keys, "(not changed)", "the file cannot be changed line by line: set them in it by hand")
    return changed


def _with(lines: list[str], project: str, key: str, value: str | None) -> list[str]:
    # Each key on its own line, as `project:key: value  # why`, the project left out or in quotes.
    pattern = re.compile(rf"^(\s+)([\"']?(?:{re.escape(project)}:)?{re.escape(key)}[\"']?):(\s+[^#]*?)?(\s+#.*)?$")
    found = [(number, match) for number, line in enumerate(lines) if (match := pattern.match(line))]
    if found:
        number, match = found[-1]
        line = None if value is None else f"{match[1]}{match[2]}: {_written(value)}{match[4] or ''}"
        return [*lines[:number], *([] if line is None else [line]), *lines[number + 1 :]]
    if value is None:
        return lines
    line = f"{INDENT}{project}:{key}: {_written(value)}"
    begin = next((number for number, each in enumerate(lines) if CONFIG.match(each)), None)
    if begin is None:
        return [*lines, "config:", line]
    end = begin + 1
    for number in range(begin + 1, len(lines)):
        if lines[number].strip() and not lines[number].startswith((" ", "#")):
            break
        if lines[number].startswith(" "):
            end = number + 1
    return [*lines[:end], line, *lines[end:]]


def _written(value: str) -> str:
    return value if PLAIN.fullmatch(value) else f'"{value}"'


def _settings(text: str, project: str) -> dict[str, object]:
    document = yaml.safe_load(text) or {}
    config = document.get("config") or {}
    return {key.removeprefix(f"{project}:"): value for key, value in config.items()}


def _expected(before: Mapping[str, object], values: Mapping[str, str | None]) -> dict[str, object]:
    kept = {key: value for key, value in before.items() if key not in values}
    return {**kept, **{key: yaml.safe_load(_written(value)) for key, value in values.items() if value is not None}}
