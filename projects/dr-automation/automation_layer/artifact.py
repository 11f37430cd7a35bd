"""A function's deployment package: one archive, the same bytes wherever and whenever it is built.

It holds what the function imports, with its data, and nothing else, so a change redeploys the functions that the change
concerns. The bytes must not depend on the machine, or unchanged code would be deployed again: entries are sorted, times
and modes are fixed, nothing an installer writes is taken in, and entries are stored, not compressed. Compression would
tie the bytes to the build of zlib on the machine; without it an archive is still well below what Lambda and we allow.
"""

from __future__ import annotations

import hashlib
import io
import os
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from automation_layer.distributions import files_of, locked_versions
from automation_layer.imports import imported_by
from shared.layers import REPOSITORY_ROOT, layer

FUNCTIONS_FOLDER = layer("dr-automation").folder / "functions"
BUILD_FOLDER = REPOSITORY_ROOT / "build"
LOCK_FILE = REPOSITORY_ROOT / "requirements.lock"
# The earliest time that a zip can hold; Lambda ignores it.
ENTRY_TIME = (1980, 1, 1, 0, 0, 0)
# Lambda runs the code as another user than unpacked it, so it must be readable for all.
ENTRY_MODE = 0o100644
UNIX = 3


@dataclass(frozen=True)
class Artifact:
    """A function's built archive.

    Attributes:
        path: where it lies; the name holds the digest, so a path never changes its content.
        sha256: hex digest of its bytes.
        size_bytes: its size.
    """

    path: Path
    sha256: str
    size_bytes: int


def build(
    handler: str,
    functions_folder: Path = FUNCTIONS_FOLDER,
    build_folder: Path = BUILD_FOLDER,
    lock_file: Path = LOCK_FILE,
) -> Artifact:
    """Build a function's archive, or find it built already.

    Args:
        handler: the function's handler, ``package.module.function``; the archive has the package's name.
        functions_folder: holds the functions' packages.
        build_folder: where archives are kept; made if need be.
        lock_file: says which version of each distribution is the right one.

    Raises:
        SettingsError: the handler's module or one that it imports does not exist or cannot be followed; a distribution
            is not installed, or in another version than the lock says.
    """
    imported = imported_by(handler.rpartition(".")[0], functions_folder)
    own = {entry: path.read_bytes() for entry, path in {**imported.files, **imported.data}.items()}
    content = _archive({**own, **files_of(imported.outside.values(), locked_versions(lock_file))})
    digest = hashlib.sha256(content).hexdigest()
    name = handler.partition(".")[0].replace("_", "-")
    path = build_folder / f"{name}-{digest[:16]}.zip"
    if not path.is_file() or path.read_bytes() != content:
        _write_whole(path, content)
    return Artifact(path, digest, len(content))


def _archive(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for entry in sorted(files):
            archive.writestr(_entry_info(entry), files[entry])
    return buffer.getvalue()


def _entry_info(entry: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(entry, ENTRY_TIME)
    info.compress_type = zipfile.ZIP_STORED
    info.create_system = UNIX
    info.external_attr = ENTRY_MODE << 16
    return info


def _write_whole(path: Path, content: bytes) -> None:
    """Write so that no reader ever sees a part of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
