"""Which files are mutated and which tests have to notice: `targets.toml`."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
TARGETS = HERE / "targets.toml"


@dataclass(frozen=True)
class Target:
    """One file that is mutated.

    Attributes:
        path: the file, from the repository's root.
        tests: what pytest is given, the quickest and nearest first: it stops at the first failure.
    """

    path: str
    tests: tuple[str, ...]


def read_targets(file: Path = TARGETS) -> tuple[Target, ...]:
    """All targets, in the order in which they are run.

    Args:
        file: a table for each folder of sources; its key ``tests`` is the folder of its tests, its table ``files``
            says which of them each file has.
    """
    return tuple(
        Target(f"{folder}/{path}", tuple(f"{sources['tests']}/{test}" for test in tests))
        for folder, sources in tomllib.loads(file.read_text()).items()
        for path, tests in sources["files"].items()
    )


def chosen(targets: tuple[Target, ...], words: list[str]) -> tuple[Target, ...]:
    """The targets whose path ends with one of the words; all without a word.

    Raises:
        ValueError: a word fits none.
    """
    for word in words:
        if not any(target.path.endswith(word) for target in targets):
            raise ValueError(f"file = {word}: no file of {TARGETS.name} ends so; the first is {targets[0].path}")
    return tuple(target for target in targets if not words or target.path.endswith(tuple(words)))
