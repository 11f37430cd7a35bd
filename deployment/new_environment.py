"""Creating another environment as a copy: its file under ``environments/`` and four stack files, without secrets."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from deployment.arguments import DEFAULT_STACK
from shared.environment import ACCOUNT_PATTERN, Environment, file_of
from shared.errors import SettingsError
from shared.layers import LAYERS, REPOSITORY_ROOT
from shared.naming import checked_suffix
from shared.stack_files import SECRETS_KEYS, is_secure

COMMAND = "environment"
# Belongs to the other stack's secrets, or names the other environment.
NOT_COPIED = re.compile(
    rf"^({'|'.join(SECRETS_KEYS)}|environmentSuffix|(primary|recovery)DatabaseId):.*(\n|\Z)", re.MULTILINE
)


@dataclass(frozen=True)
class Copy:
    """What is to be made.

    Attributes:
        name: of the new environment and of its stacks.
        source: the environment to copy.
        account_id: its account; None for the same.
    """

    name: str
    source: str
    account_id: str | None


def parse(arguments: Sequence[str]) -> Copy:
    """Read ``NAME [--from NAME] [--account DIGITS]``.

    Raises:
        SettingsError: a name is missing or cannot be one, or an argument is unknown.
    """
    names: list[str] = []
    options = {"--from": DEFAULT_STACK, "--account": ""}
    left = list(arguments)
    while left:
        option, equals, value = left.pop(0).partition("=")
        if option in options:
            if not equals and not left:
                raise SettingsError(option, "(not set)", "give a value after it")
            options[option] = value if equals else left.pop(0)
        elif option.startswith("-") or names:
            raise SettingsError(option, "(given)", "give one name, --from NAME and --account DIGITS")
        else:
            names.append(option)
    if not names:
        raise SettingsError("environment", "(not set)", "give its name, such as staging")
    account_id = options["--account"] or None
    if account_id is not None and not ACCOUNT_PATTERN.fullmatch(account_id):
        raise SettingsError("--account", account_id, "give the 12 digits of the AWS account")
    try:
        # The suffix of its resources' names.
        return Copy(checked_suffix(names[0]), options["--from"], account_id)
    except SettingsError as error:
        raise SettingsError("environment", error.value, error.remedy) from error


def create(copy: Copy, say: Callable[[str], None]) -> None:
    """Write the new environment's files.

    Raises:
        SettingsError: the source is missing or holds secure values, or a file is there already. Nothing was written.
    """
    source = Environment.load(copy.source)
    files = {file_of(copy.name): _environment(copy, source)}
    for known in LAYERS:
        file = known.folder / f"Pulumi.{copy.source}.yaml"
        if not file.is_file():
            raise SettingsError("--from", copy.source, f"there is no {_shown(file)}")
        files[known.folder / f"Pulumi.{copy.name}.yaml"] = _stack_file(file, copy)
    for file in files:
        if file.exists():
            raise SettingsError("environment", copy.name, f"{_shown(file)} is there already")
    for file, text in files.items():
        file.write_text(text, encoding="utf-8")
        say(f"wrote {_shown(file)}")
    say(f"{copy.name} is of the same kind as {copy.source}: {source.kind}; change it in {_shown(file_of(copy.name))}")
    say(f"look through them (the secret's name among them), then: ./dr preview -- --stack {copy.name}")


def _environment(copy: Copy, source: Environment) -> str:
    text = _renamed(file_of(copy.source).read_text(encoding="utf-8"), copy)
    if copy.account_id is not None:
        text = re.sub(r"^accountId:.*$", f'accountId: "{copy.account_id}"', text, flags=re.MULTILINE)
    made = Environment.of(copy.name, yaml.safe_load(text))
    if made.suffix == source.suffix:
        raise SettingsError("environmentSuffix", source.suffix, "two environments must not share one")
    if copy.account_id not in (None, made.account_id):
        raise SettingsError(
            "--account", copy.account_id, f"write accountId at the start of a line in {_shown(file_of(copy.source))}"
        )
    return text


def _stack_file(file: Path, copy: Copy) -> str:
    text = file.read_text(encoding="utf-8")
    for key, value in ((yaml.safe_load(text) or {}).get("config") or {}).items():
        if is_secure(value):
            raise SettingsError(
                key, "(secure)", f"only stack {copy.source} can read it: copy an environment without secure values"
            )
    return _renamed(text, copy)


def _renamed(text: str, copy: Copy) -> str:
    return NOT_COPIED.sub("", text).replace(f"Pulumi.{copy.source}.yaml", f"Pulumi.{copy.name}.yaml")


def _shown(file: Path) -> str:
    return str(file.relative_to(REPOSITORY_ROOT))
