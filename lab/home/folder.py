"""The lab home: the one folder in which a lab keeps everything, with a lock and a register of its processes.

A lab that is killed cannot clean up. So each process is written to the register as soon as it is started, and the next
lab of this checkout kills what is left and removes the folder.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from lab.home.location import HOME_VARIABLE, existing_homes, first_home, given_home, homes
from lab.home.mounts import unmount_below
from lab.home.postmaster import clear_leftovers
from lab.home.processes import birth_of, kill_group
from shared.errors import SettingsError

# Servers that run as another user must reach their data below the home, and nobody needs to list it.
_MODE = 0o711
_MARKER = "this-is-a-lab-home"
_REMOVAL_PATIENCE_SECONDS = 5.0


@dataclass(frozen=True)
class RegisteredProcess:
    """One process of a lab.

    Attributes:
        pid: its process id, which is its process group's id too.
        birth: when it started, see `birth_of`: it tells it from a later process that gets the same pid.
        name: what it is, for people.
    """

    pid: int
    birth: str
    name: str


class _HeldError(SettingsError):
    """Another lab holds the folder."""


class LabHome:
    """A lab's folder, held exclusively while this object is open."""

    def __init__(self, path: Path, lock: int) -> None:
        self.path = path
        self._lock = lock
        self._open = True

    @classmethod
    def open(cls, path: Path | None = None) -> LabHome:
        """Take a home: lock it, clean up what a killed lab left in it, make the folder.

        Args:
            path: the folder; None for ``LAB_HOME``. Where that is not set either, the first home of this checkout and
                user that no running lab holds, and what killed labs left in the others is cleaned up, too.

        Raises:
            SettingsError: another lab holds the given folder, or a lab may not use and later remove it.
        """
        given = given_home() if path is None else path
        if given is not None:
            return cls._opened(given)
        for left in existing_homes():
            with contextlib.suppress(SettingsError, OSError):  # held by a running lab, or not a lab's
                cls._locked(left).close()
        for home in homes():
            with contextlib.suppress(_HeldError):
                return cls._opened(home)
        raise AssertionError("homes() has no end")

    @classmethod
    def _locked(cls, path: Path) -> LabHome:
        _refuse_foreign_folder(path)
        return cls(path, _lock(_lock_file(path)))

    @classmethod
    def _opened(cls, path: Path) -> LabHome:
        home = cls._locked(path)
        try:
            home.clean_up_previous()
            path.mkdir(mode=_MODE, parents=False, exist_ok=True)
            path.chmod(_MODE)  # mkdir's mode is cut by the umask
            (path / _MARKER).touch()
            home._register.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            home._release()
            raise SettingsError(HOME_VARIABLE, path, f"name a folder that can be created ({error.strerror})") from error
        return home

    @property
    def is_first(self) -> bool:
        """Whether it is the home that a checkout's only lab has."""
        return self.path == first_home()

    def directory(self, name: str, mode: int = _MODE) -> Path:
        """A folder below the home, made if it is not there. ``mode`` lets other users traverse it by default."""
        path = self.path / name
        path.mkdir(parents=True, exist_ok=True)
        path.chmod(mode)
        return path

    @property
    def processes(self) -> tuple[RegisteredProcess, ...]:
        """The registered processes, dead or alive."""
        return tuple(_read_register(self._register))

    def register(self, pid: int, name: str) -> None:
        """Register a process, unless it has already ended. It must head a process group: a leftover group is killed."""
        birth = birth_of(pid)
        if birth is None:
            return
        entry = self._register / f"{pid}.json"
        draft = entry.with_suffix(".draft")
        draft.write_text(json.dumps(asdict(RegisteredProcess(pid, birth, name))))
        draft.replace(entry)

    def unregister(self, pid: int) -> None:
        """Remove a process that has ended from the register."""
        (self._register / f"{pid}.json").unlink(missing_ok=True)

    def clean_up_previous(self) -> None:
        """Kill the registered processes and remove the folder."""
        if not self.path.exists():
            return
        for process in self.processes:
            # Another birth: the pid was reused, which cannot be while any process of its group is left.
            if birth_of(process.pid) in (None, process.birth):
                kill_group(process.pid)
        clear_leftovers(self.path)
        unmount_below(self.path)
        _remove(self.path)

    def close(self) -> None:
        """Kill what is still running, remove the folder, release the lock. Safe to call twice."""
        if not self._open:
            return
        try:
            self.clean_up_previous()
        finally:
            self._release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def _register(self) -> Path:
        return self.path / "processes"

    def _release(self) -> None:
        if self._open:
            self._open = False
            # Unlinked while it is held: a lab that waits for this file sees that the name is gone and tries again.
            _lock_file(self.path).unlink(missing_ok=True)
            os.close(self._lock)


def _lock_file(path: Path) -> Path:
    return path.with_name(path.name + ".lock")


def _refuse_foreign_folder(path: Path) -> None:
    """Refuse a folder that is not a lab's, since the lab would remove it at its end."""
    if not path.parent.is_dir():
        raise SettingsError(HOME_VARIABLE, path, f"create {path.parent} first, or name another folder")
    if not path.is_symlink() and not path.exists():
        return
    if path.is_symlink() or not path.is_dir():
        raise SettingsError(HOME_VARIABLE, path, "name a folder, not a file or a link")
    if path.stat().st_uid != os.geteuid():
        raise SettingsError(HOME_VARIABLE, path, "name a folder that belongs to you")
    if not (path / _MARKER).exists() and any(path.iterdir()):
        raise SettingsError(HOME_VARIABLE, path, "name a new or an empty folder; this one holds something else")


def _lock(lock_file: Path) -> int:
    home = lock_file.with_suffix("")
    while True:
        try:
            # O_NOFOLLOW: the name is predictable, so somebody else could have put a link there.
            descriptor = os.open(lock_file, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            remedy = f"name a folder beside which {lock_file.name} can be created ({error.strerror})"
            raise SettingsError(HOME_VARIABLE, home, remedy) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.read(descriptor, 32).decode(errors="replace").strip()
            os.close(descriptor)
            remedy = f"stop the lab that is running (pid {holder}), or set {HOME_VARIABLE} to another folder"
            raise _HeldError(HOME_VARIABLE, home, remedy) from error
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(descriptor), lock_file.stat()):
                os.truncate(descriptor, 0)
                os.write(descriptor, str(os.getpid()).encode())
                return descriptor
        os.close(descriptor)  # its holder unlinked it between our open and our lock


def _read_register(folder: Path) -> Iterator[RegisteredProcess]:
    if not folder.is_dir():
        return
    for entry in sorted(folder.glob("*.json")):
        with contextlib.suppress(FileNotFoundError):  # unregistered by another thread meanwhile
            yield RegisteredProcess(**json.loads(entry.read_text()))


def _remove(path: Path) -> None:
    """Remove the folder. A process that is about to die may add a file meanwhile, hence more than one attempt."""
    deadline = time.monotonic() + _REMOVAL_PATIENCE_SECONDS
    while path.exists():
        try:
            shutil.rmtree(path)
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
