"""The clients that ``--client`` can set beside a drill's own two."""

from __future__ import annotations

import shlex
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from types import MappingProxyType

from drills.clients.client import Client
from drills.clients.command_client import CommandClient, Program
from drills.clients.given import Given
from drills.clients.history import ROWS_IN_BLOCK
from drills.clients.routes import ByName
from drills.clients.settings import JVM_KEEPS_NAMES_SECONDS
from drills.clients.writing_client import Pace, RowNumbers, WritingClient
from shared.errors import SettingsError

COMMAND = "command:"
JVM_LIKE = "jvm-like"


@dataclass(frozen=True)
class Known:
    """A client by its name.

    Attributes:
        summary: how it finds the writer and what it does when there is no answer.
        module: the program's; empty where it runs in the drill itself.
        is_documented: whether it runs with the settings of docs/connecting.md.
    """

    summary: str
    module: str = ""
    is_documented: bool = False


KNOWN: Mapping[str, Known] = MappingProxyType(
    {
        "psycopg": Known("psycopg with writerLibpqUri and no deadline in the client", "psycopg_plain"),
        "psycopg_pool": Known("psycopg_pool as documented", "psycopg_pooled", is_documented=True),
        "asyncpg": Known("asyncpg as documented", "asyncpg_hosts", is_documented=True),
        JVM_LIKE: Known(
            f"by the writer's name, its address kept for {JVM_KEEPS_NAMES_SECONDS:g} s whatever the TTL, as a JVM does"
        ),
    }
)


@dataclass(frozen=True)
class Wanted:
    """A client that was asked for.

    Attributes:
        name: what the report calls it.
        program: what to run; None for the one that runs in the drill itself.
    """

    name: str
    program: Program | None

    def client(self, given: Given, block: int, pace: Pace) -> Client:
        """The client itself, with row numbers of its own."""
        if self.program is None:
            route = ByName(given, JVM_KEEPS_NAMES_SECONDS, self.name)
            return WritingClient(route, RowNumbers(block), pace, is_documented=False)
        variables = given.environment(self.name, block * ROWS_IN_BLOCK + 1)
        return CommandClient(self.program, block, variables, (given.target.credentials.password,))


def wanted(texts: Sequence[str]) -> tuple[Wanted, ...]:
    """The clients that were asked for, each under a name of its own.

    Raises:
        SettingsError: there is no such client, or its program cannot be found.
    """
    found: list[Wanted] = []
    for text in texts:
        program = _program(text)
        name = text if program is None else program.name
        times = sum(other.name.partition(" #")[0] == name for other in found)
        if times and not text.startswith(COMMAND):
            raise SettingsError("client", text, "give each client once")
        unique = f"{name} #{times + 1}" if times else name
        found.append(Wanted(unique, program and Program(unique, program.words, program.is_documented)))
    return tuple(found)


def _program(text: str) -> Program | None:
    if text.startswith(COMMAND):
        return _own(text)
    known = KNOWN.get(text)
    if known is None:
        raise SettingsError("client", text, f"give one of {', '.join(KNOWN)}, or {COMMAND} and a command line")
    if not known.module:
        return None
    words = (sys.executable, "-m", f"drills.clients.programs.{known.module}")
    return Program(text, words, known.is_documented)


def _own(text: str) -> Program:
    try:
        words = shlex.split(text.removeprefix(COMMAND))
    except ValueError as error:
        raise SettingsError("client", text, f"close what is open in the command line: {error}") from error
    if not words or shutil.which(words[0]) is None:
        raise SettingsError("client", text, f"give a program that can be run after {COMMAND}, such as ./my-client")
    return Program(PurePath(words[0]).name, tuple(words))
