"""What an archive takes from the installed distributions: pure Python, as the lock says, the same files everywhere."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib import metadata
from pathlib import Path, PurePosixPath
from types import MappingProxyType

from automation_layer.imports import Import
from shared.errors import SettingsError

DISTRIBUTIONS: Mapping[str, str] = MappingProxyType(
    {
        "asn1crypto": "asn1crypto",
        "aws_lambda_powertools": "aws-lambda-powertools",
        "dateutil": "python-dateutil",
        "jmespath": "jmespath",
        "pg8000": "pg8000",
        "scramp": "scramp",
        "six": "six",
        "typing_extensions": "typing-extensions",
    }
)
"""What an archive may hold, by the name it is imported under. Pure Python, so one archive fits every architecture."""
# What Lambda's Python runtime brings along.
RUNTIME_MODULES = frozenset({"boto3", "botocore"})
# The licences require that they are shipped.
LICENCE_PATTERN = re.compile(r"(LICEN[CS]E|COPYING|NOTICE)[^/]*", re.IGNORECASE)
# pg8000 and scramp read their version from it when they are imported.
METADATA = "METADATA"


def locked_versions(lock_file: Path) -> Mapping[str, str]:
    """Version of each distribution the lock names."""
    return dict(re.findall(r"^([a-z0-9-]+)==([^\s;\\]+)", lock_file.read_text(encoding="utf-8"), re.MULTILINE))


def files_of(imports: Iterable[Import], versions: Mapping[str, str]) -> dict[str, bytes]:
    """The files of the distributions that are imported, and of those that these require.

    Args:
        imports: imports of modules that are neither the functions' nor Python's.
        versions: the right version of each distribution.

    Returns:
        Content by path in the archive.

    Raises:
        SettingsError: a module is in none of the distributions an archive may hold; one is not installed, or in another
            version.
    """
    files: dict[str, bytes] = {}
    for name in _with_requirements(_imported(imports), versions):
        files.update(_content(name, versions[name]))
    return files


def _imported(imports: Iterable[Import]) -> Iterator[str]:
    for each in imports:
        if each.top in DISTRIBUTIONS:
            yield DISTRIBUTIONS[each.top]
        elif each.top not in RUNTIME_MODULES:
            raise SettingsError(
                each.place,
                each.statement,
                f"{each.module} is neither the functions' nor Python's, neither in Lambda's runtime "
                f"({_listed(RUNTIME_MODULES)}) nor in what an archive may hold ({_listed(DISTRIBUTIONS)})",
            )


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))


def _with_requirements(names: Iterable[str], versions: Mapping[str, str]) -> set[str]:
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += _requirements(name, _locked_distribution(name, versions))
    return found


def _requirements(name: str, distribution: metadata.Distribution) -> Iterator[str]:
    for requirement in distribution.requires or ():
        # "jmespath<2.0.0,>=1.0.1", or "pydantic<3.0.0; extra == 'parser'", which is an extra.
        versioned, _, marker = requirement.partition(";")
        if re.search(r"\bextra\s*==", marker):
            continue
        required = re.sub(r"[-_.]+", "-", re.split(r"[^\w.-]", versioned.strip(), maxsplit=1)[0]).lower()
        if required not in DISTRIBUTIONS.values():
            raise SettingsError(
                name,
                requirement,
                f"an archive may hold {_listed(DISTRIBUTIONS.values())}; if it is pure Python, add it to DISTRIBUTIONS "
                "in automation_layer/distributions.py",
            )
        yield required


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


@cache
def _content(name: str, version: str) -> Mapping[str, bytes]:
    """The shipped files; read once, since a deploy needs them for every function."""
    distribution = metadata.distribution(name)
    files = distribution.files
    if files is None:
        raise SettingsError(name, version, "install it with pip or uv, so that its files are on record")
    return {
        file.as_posix(): Path(str(distribution.locate_file(file))).read_bytes() for file in files if _is_shipped(file)
    }


def _is_shipped(file: PurePosixPath) -> bool:
    if ".." in file.parts:
        return False
    if file.parts[0].endswith(".dist-info"):
        # The other files there differ between installers.
        return file.name == METADATA or LICENCE_PATTERN.fullmatch(file.name) is not None
    # The remaining files are styles and scripts of Swagger UI, which nothing here serves, and a copy of the time zones.
    return file.suffix == ".py"
