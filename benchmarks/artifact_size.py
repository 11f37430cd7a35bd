"""How large the functions' archives are."""

from __future__ import annotations

from collections import Counter
from zipfile import ZipFile

from benchmarks import production
from benchmarks.measurement import Measurement

TARGET_MEGABYTES = 5.0
BYTES_OF_A_MEGABYTE = 1_000_000


def measure() -> list[Measurement]:
    """Each function's archive, and what of it is whose."""
    return [_measure(each) for each in production.handlers()]


def _measure(function: production.DeployedFunction) -> Measurement:
    sizes: Counter[str] = Counter()
    with ZipFile(function.artifact) as archive:
        for entry in archive.infolist():
            sizes[entry.filename.partition("/")[0]] += entry.file_size
    largest = ", ".join(f"{name} {size / BYTES_OF_A_MEGABYTE:.2f}" for name, size in sizes.most_common(3))
    package = function.handler.partition(".")[0]
    megabytes = function.artifact.stat().st_size / BYTES_OF_A_MEGABYTE
    return Measurement(f"artifact, {package}", megabytes, "MB", TARGET_MEGABYTES, f"uncompressed; {largest}")
