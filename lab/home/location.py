"""Where a lab's folder is: ``LAB_HOME``, or the first one of this checkout and this user that no other lab holds."""

from __future__ import annotations

import hashlib
import os
import re
import stat
import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path

from shared.errors import SettingsError

HOME_VARIABLE = "LAB_HOME"


def given_home() -> Path | None:
    """The folder that ``LAB_HOME`` names, None where it is not set.

    Raises:
        SettingsError: it is no absolute path.
    """
    given = os.environ.get(HOME_VARIABLE)
    if given is None:
        return None
    if not Path(given).is_absolute():
        raise SettingsError(HOME_VARIABLE, given, "name a folder by its absolute path, or unset it")
    return Path(given)


def first_home() -> Path:
    """The folder of this checkout's and this user's first lab, in the temp folder."""
    checkout = Path(__file__).resolve().parents[2]
    digest = hashlib.sha256(str(checkout).encode()).hexdigest()[:8]
    # Short: PostgreSQL's sockets are below it, and a socket's path has at most 107 bytes.
    return _temp_folder() / f"postgres-dr-lab-{os.getuid()}-{digest}"


def homes() -> Iterator[Path]:
    """The folders that labs of this checkout and this user may have, without end."""
    first = first_home()
    yield first
    yield from (first.with_name(f"{first.name}-{number}") for number in count(2))


def existing_homes() -> list[Path]:
    """Those of `homes` that exist: of running labs, and of labs that were killed."""
    first = first_home()
    name = re.compile(re.escape(first.name) + r"(-\d+)?")
    return [path for path in first.parent.glob(f"{first.name}*") if name.fullmatch(path.name)]


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
