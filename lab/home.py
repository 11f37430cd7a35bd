"""The lab home: the one folder in which a lab keeps everything, with a lock and a register of its processes.

A lab that is killed cannot clean up. So whatever it starts is written down here first-hand, and the next lab with the
same home kills what is left and removes the folder before it makes its own.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import signal
import stat
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

from lab.postgres.leftovers import clear_leftovers
from shared.errors import SettingsError

HOME_VARIABLE = "LAB_HOME"

# Servers that run as another user must reach their data below the home, and nobody needs to list it.
_MODE = 0o711
_MARKER = "this-is-a-lab-home"
_KILL_PATIENCE_SECONDS = 5.0


@dataclass(frozen=True)
class RegisteredProcess:
    """One process of a lab, told from any later process that gets the same pid.

    Attributes:
        pid: its process id, which is its process group's id too.
        birth: when it started, by a clock that does not jump; see `birth_of`.
        name: what it is, for people.
    """

    pid: int
    birth: str
    name: str


class LabHome:
    """A lab's folder, held exclusively while this object is open."""

    def __init__(self, path: Path, lock: int) -> None:
        self.path = path
        self._lock = lock
        self._open = True

    @classmethod
    def open(cls, path: Path | None = None) -> LabHome:
        """Take the home: lock it, clean up what a killed predecessor left, make the folder.

        Args:
            path: the folder; None for ``LAB_HOME``, or where that is not set, one in the temp folder that belongs to
                this checkout and this user.

        Raises:
            SettingsError: another lab holds it, or the folder is not one a lab may use and later remove.
        """
        chosen = path if path is not None else home_path()
        _refuse_foreign_folder(chosen)
        home = cls(chosen, _lock(_lock_file(chosen)))
        try:
            home.clean_up_previous()
            home.path.mkdir(mode=_MODE, parents=False, exist_ok=True)
            home.path.chmod(_MODE)  # mkdir's mode is cut by the umask
            (home.path / _MARKER).touch()
            home._register.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            home._release()
            raise SettingsError(
                HOME_VARIABLE, chosen, f"name a folder that can be created ({error.strerror})"
            ) from error
        return home

    def directory(self, name: str, mode: int = _MODE) -> Path:
        """A folder below the home, made if it is not there. ``mode`` lets other users traverse it by default."""
        path = self.path / name
        path.mkdir(parents=True, exist_ok=True)
        path.chmod(mode)
        return path

    @property
    def processes(self) -> tuple[RegisteredProcess, ...]:
        """The processes on the register, dead or alive."""
        return tuple(_read_register(self._register))

    def register(self, pid: int, name: str) -> None:
        """Write a process down. It must head a process group of its own: the whole group is killed if it is left over.

        A process that has already ended is not written down.
        """
        birth = birth_of(pid)
        if birth is None:
            return
        entry = self._register / f"{pid}.json"
        draft = entry.with_suffix(".draft")
        draft.write_text(json.dumps(asdict(RegisteredProcess(pid, birth, name))))
        draft.replace(entry)

    def unregister(self, pid: int) -> None:
        """Take a process that has ended off the register."""
        (self._register / f"{pid}.json").unlink(missing_ok=True)

    def clean_up_previous(self) -> tuple[RegisteredProcess, ...]:
        """Kill what is on the register and remove the folder.

        Returns:
            the processes whose group had to be killed.
        """
        if not self.path.exists():
            return ()
        killed = tuple(entry for entry in self.processes if _kill_group(entry))
        clear_leftovers(self.path)
        _remove(self.path)
        return killed

    def close(self) -> None:
        """Kill what is still running, remove the folder, give the lock back. Nothing is left. Safe to call twice."""
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
            # Unlinked while it is held: whoever waits for this very file sees that the name is gone and tries again.
            _lock_file(self.path).unlink(missing_ok=True)
            os.close(self._lock)


def home_path() -> Path:
    """Where this checkout's lab lives: ``LAB_HOME``, or a folder of its own in the temp folder.

    Two checkouts have two homes, and so have two users.
    """
    given = os.environ.get(HOME_VARIABLE)
    if given is not None:
        if not given or not Path(given).is_absolute():
            raise SettingsError(HOME_VARIABLE, given, "name a folder by its absolute path, or unset it")
        return Path(given)
    checkout = Path(__file__).resolve().parents[1]
    digest = hashlib.sha256(str(checkout).encode()).hexdigest()[:8]
    # Short: PostgreSQL's sockets may live below it, and a socket's path has at most 107 bytes.
    return _temp_folder() / f"postgres-dr-lab-{os.getuid()}-{digest}"


def birth_of(pid: int) -> str | None:
    """When a process started, as a text to compare; None if there is no such process or it only awaits its burial.

    On Linux from the kernel's own counter, because a start time in wall-clock time moves when the clock is set.
    """
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        if psutil.LINUX:
            # Fields behind the command's name, which may itself hold spaces and parentheses; starttime is field 22.
            ticks = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
            return f"{Path('/proc/sys/kernel/random/boot_id').read_text().strip()} {ticks}"
        return str(process.create_time())
    except (psutil.NoSuchProcess, FileNotFoundError, ProcessLookupError):
        return None


def _temp_folder() -> Path:
    """The temp folder; for root one that other users can reach, since PostgreSQL refuses to run as root."""
    preferred = Path(tempfile.gettempdir())
    if os.geteuid() != 0:
        return preferred
    for candidate in (preferred, Path("/tmp"), Path("/var/tmp")):  # noqa: S108 - the folder made in it is checked
        if candidate.is_dir() and _others_can_reach(candidate):
            return candidate
    return preferred


def _others_can_reach(path: Path) -> bool:
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in (path, *path.parents))


def _lock_file(path: Path) -> Path:
    return path.with_name(path.name + ".lock")


def _refuse_foreign_folder(path: Path) -> None:
    """Never adopt, and so never later remove, a folder that is not a lab's."""
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
    while True:
        try:
            # O_NOFOLLOW: the name is predictable, so somebody else could have put a link there.
            descriptor = os.open(lock_file, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            remedy = f"name a folder beside which {lock_file.name} can be created ({error.strerror})"
            raise SettingsError(HOME_VARIABLE, lock_file.with_suffix(""), remedy) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.read(descriptor, 32).decode(errors="replace").strip()
            os.close(descriptor)
            remedy = f"stop the lab that is running (pid {holder}), or set {HOME_VARIABLE} to another folder"
            raise SettingsError(HOME_VARIABLE, lock_file.with_suffix(""), remedy) from error
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


def _kill_group(entry: RegisteredProcess) -> bool:
    """Kill a registered process and its group, and wait until they are gone; whether there was anything to kill."""
    head = birth_of(entry.pid)
    if head is not None and head != entry.birth:
        return False  # The pid went to somebody else, and with it the group's id: a group in use keeps its id taken.
    members = _group_members(entry.pid)
    if not members:
        return False
    with contextlib.suppress(ProcessLookupError):
        os.killpg(entry.pid, signal.SIGKILL)
    deadline = time.monotonic() + _KILL_PATIENCE_SECONDS
    # Looked at, not waited for: a child of ours is buried by whoever started it and wants to know how it ended.
    while any(birth_of(member) is not None for member in members) and time.monotonic() < deadline:
        time.sleep(0.01)
    return True


def _group_members(group: int) -> list[int]:
    members = []
    for process in psutil.process_iter():
        try:
            if os.getpgid(process.pid) == group and process.status() != psutil.STATUS_ZOMBIE:
                members.append(process.pid)
        except (ProcessLookupError, psutil.NoSuchProcess):
            continue
    return members


def _remove(path: Path) -> None:
    """Remove the folder. Something that is still dying may add a file meanwhile, hence more than one attempt."""
    deadline = time.monotonic() + _KILL_PATIENCE_SECONDS
    while True:
        try:
            shutil.rmtree(path)
        except FileNotFoundError:
            if not path.exists():
                return
        except OSError:
            if time.monotonic() > deadline:
                raise
        else:
            return
        time.sleep(0.05)
