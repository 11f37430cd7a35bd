"""How large the functions' deployment package is."""

from __future__ import annotations

from collections import Counter
from zipfile import ZipFile

from benchmarks import production
from benchmarks.measurement import Measurement

TARGET_MEGABYTES = 5.0
BYTES_OF_A_MEGABYTE = 1_000_000


def measure() -> list[Measurement]:
    """The package's size, and what of it is whose."""
    artifact = production.function("failover").artifact
    sizes: Counter[str] = Counter()
    with ZipFile(artifact) as archive:
        for entry in archive.infolist():
            sizes[entry.filename.partition("/")[0]] += entry.file_size
    largest = ", ".join(f"{name} {size / BYTES_OF_A_MEGABYTE:.2f}" for name, size in sizes.most_common(3))
    megabytes = artifact.stat().st_size / BYTES_OF_A_MEGABYTE
    return [Measurement("artifact", megabytes, "MB", TARGET_MEGABYTES, f"uncompressed; {largest}")]
