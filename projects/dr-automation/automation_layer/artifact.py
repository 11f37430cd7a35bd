"""The functions' deployment package: one zip, the same bytes wherever and whenever it is built.

The bytes must not depend on the machine, or unchanged code would be deployed again: entries are sorted, times and modes
are fixed, nothing an installer writes is taken in, and entries are stored, not compressed. Compression would tie the
bytes to the build of zlib on the machine; without it the package is still well below what Lambda and we allow.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path, PurePosixPath

from shared.errors import SettingsError
from shared.layers import REPOSITORY_ROOT, layer

FUNCTIONS_FOLDER = layer("dr-automation").folder / "functions"
BUILD_FOLDER = REPOSITORY_ROOT / "build"
LOCK_FILE = REPOSITORY_ROOT / "requirements.lock"
# boto3 is part of Lambda's Python runtime; these are not. They are pure Python, so one package fits every architecture.
DISTRIBUTIONS = ("aws-lambda-powertools", "jmespath", "typing-extensions")
# The oldest time a zip can hold; Lambda does not care.
ENTRY_TIME = (1980, 1, 1, 0, 0, 0)
# Lambda runs the code as another user than it unpacks it: everybody must be able to read it.
ENTRY_MODE = 0o100644
UNIX = 3
LICENCE_PATTERN = re.compile(r"(LICEN[CS]E|COPYING|NOTICE)[^/]*", re.IGNORECASE)


@dataclass(frozen=True)
class Artifact:
    """The built package.

    Attributes:
        path: where it lies; the name holds the digest, so a path never changes its content.
        sha256: hex digest of its bytes.
        size_bytes: its size.
    """

    path: Path
    sha256: str
    size_bytes: int


def build(
    functions_folder: Path = FUNCTIONS_FOLDER, build_folder: Path = BUILD_FOLDER, lock_file: Path = LOCK_FILE
) -> Artifact:
    """Build the package, or find it built already.

    Args:
        functions_folder: holds the functions' packages.
        build_folder: where packages are kept; made if need be.
        lock_file: says which version of each distribution is the right one.

    Raises:
        SettingsError: a distribution is not installed, or in another version than the lock says.
    """
    content = package(functions_folder, locked_versions(lock_file))
    digest = hashlib.sha256(content).hexdigest()
    path = build_folder / f"functions-{digest[:16]}.zip"
    if not path.is_file() or path.read_bytes() != content:
        _write_whole(path, content)
    return Artifact(path, digest, len(content))


def package(functions_folder: Path, versions: Mapping[str, str]) -> bytes:
    """The package's bytes.

    Args:
        functions_folder: holds the functions' packages.
        versions: the right version of each distribution.

    Raises:
        SettingsError: a distribution is not installed, or in another version.
    """
    entries = dict(_function_files(functions_folder))
    for name in DISTRIBUTIONS:
        entries.update(_distribution_files(name, versions))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for entry in sorted(entries):
            archive.writestr(_entry_info(entry), entries[entry].read_bytes())
    return buffer.getvalue()


def locked_versions(lock_file: Path) -> Mapping[str, str]:
    """Version of each distribution the lock names."""
    return dict(re.findall(r"^([a-z0-9-]+)==([^\s;\\]+)", lock_file.read_text(encoding="utf-8"), re.MULTILINE))


def _entry_info(entry: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(entry, ENTRY_TIME)
    info.compress_type = zipfile.ZIP_STORED
    info.create_system = UNIX
    info.external_attr = ENTRY_MODE << 16
    return info


def _function_files(functions_folder: Path) -> Iterator[tuple[str, Path]]:
    for package_folder in functions_folder.iterdir():
        if (package_folder / "__init__.py").is_file():
            for path in package_folder.rglob("*.py"):
                yield path.relative_to(functions_folder).as_posix(), path


def _distribution_files(name: str, versions: Mapping[str, str]) -> Iterator[tuple[str, Path]]:
    distribution = _locked_distribution(name, versions)
    files = distribution.files
    if files is None:
        raise SettingsError(name, distribution.version, "install it with pip or uv, so that its files are on record")
    for file in files:
        if _is_shipped(file):
            yield file.as_posix(), Path(str(distribution.locate_file(file)))


def _is_shipped(file: PurePosixPath) -> bool:
    if ".." in file.parts:
        return False
    if file.parts[0].endswith(".dist-info"):
        # The licences ask to travel along. Everything else there is the installer's, and differs between installers.
        return LICENCE_PATTERN.fullmatch(file.name) is not None
    # What is neither code nor licence is a web page's styles and scripts (Swagger UI), which nothing here serves.
    return file.suffix == ".py"


def _locked_distribution(name: str, versions: Mapping[str, str]) -> metadata.Distribution:
    remedy = "install the locked requirements: pip install --require-hashes -r requirements.lock"
    try:
        distribution = metadata.distribution(name)
    except metadata.PackageNotFoundError as error:
        raise SettingsError(name, "(not installed)", remedy) from error
    locked = versions.get(name)
    if distribution.version != locked:
        raise SettingsError(name, distribution.version, f"the lock says {locked}; {remedy}")
    return distribution


def _write_whole(path: Path, content: bytes) -> None:
    """Write so that no reader ever sees a part of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".functions-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
