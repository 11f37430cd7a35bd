"""Which folder may import which: the product nothing from the lab, the lab nothing from the drills."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.layers import REPOSITORY_ROOT

ARROWS = [
    ("projects", {"lab", "drills", "tests", "benchmarks", "deployment", "operations"}),
    ("shared", {"lab", "drills", "tests", "benchmarks", "deployment", "operations"}),
    ("deployment", {"lab", "drills", "tests", "benchmarks"}),
    ("operations", {"lab", "drills", "tests", "benchmarks"}),
    ("lab", {"drills", "tests", "benchmarks", "operations"}),
    ("drills", {"tests", "benchmarks"}),
]


def imported(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module is not None:
            yield node.module


def modules(folder: str) -> list[Path]:
    return [file for file in (REPOSITORY_ROOT / folder).rglob("*.py") if "tests" not in file.parts]


@pytest.mark.parametrize(("folder", "forbidden"), ARROWS, ids=lambda value: value if isinstance(value, str) else "")
def test_a_folder_imports_nothing_above_it(folder: str, forbidden: set[str]) -> None:
    files = modules(folder)
    assert files
    wrong = {f"{file.relative_to(REPOSITORY_ROOT)}: {name}" for file in files for name in imported(file)}
    assert {line for line in wrong if line.partition(": ")[2].partition(".")[0] in forbidden} == set()


@pytest.mark.parametrize("room", ["aws", "engine", "home", "postgres", "rds"])
def test_a_part_of_the_lab_is_used_through_what_it_exports(room: str) -> None:
    inside = REPOSITORY_ROOT / "lab" / room
    past_it = {
        f"{file.relative_to(REPOSITORY_ROOT)}: {name}"
        for folder in ("lab", "drills", "benchmarks")
        for file in modules(folder)
        if not file.is_relative_to(inside)
        for name in imported(file)
        if name.startswith(f"lab.{room}.")
    }
    assert past_it == set()


def test_the_parts_of_the_lab_build_on_each_other_one_way() -> None:
    below: dict[str, set[str]] = {
        "rds": {"aws", "postgres", "home", "minute"},
        "postgres": {"home"},
        "aws": {"home", "minute"},
        "home": set(),
        "engine": set(),
    }
    taken: dict[str, set[str]] = {
        room: {
            name.split(".")[1]
            for file in modules(f"lab/{room}")
            for name in imported(file)
            if name.startswith("lab.") and name.split(".")[1] != room
        }
        for room in below
    }
    assert taken == below
