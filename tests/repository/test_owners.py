"""CODEOWNERS and the README name the owners that the registry of layers names (D1, D5)."""

from __future__ import annotations

from fnmatch import fnmatch

import pytest

from shared.layers import LAYERS, REPOSITORY_ROOT, Layer

each_layer = pytest.mark.parametrize("known", LAYERS, ids=lambda known: known.name)


def owners_of(path: str) -> list[str]:
    """The owners GitHub would ask: those of the last rule that matches."""
    owners: list[str] = []
    for line in (REPOSITORY_ROOT / ".github" / "CODEOWNERS").read_text().splitlines():
        pattern, *named = line.split()[:1] + line.split()[1:] if line.strip() else ["#"]
        if pattern.startswith("#"):
            continue
        if pattern == "*" or (pattern.endswith("/") and fnmatch(path, f"{pattern.lstrip('/')}*")):
            owners = named
    return owners


def table_row(document: str, first_cell: str) -> list[str]:
    for line in document.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if cells[0] == first_cell:
            return cells
    raise AssertionError(f"no table row starts with {first_cell}")


@each_layer
def test_a_change_of_a_layer_is_reviewed_by_the_team_that_owns_it(known: Layer) -> None:
    assert owners_of(f"projects/{known.name}/__main__.py") == [known.owner]


def test_a_change_of_shared_code_is_reviewed_by_every_team() -> None:
    assert set(owners_of("shared/contracts.py")) == {known.owner for known in LAYERS}


@each_layer
def test_the_readme_tells_each_layers_owner_purpose_and_what_it_reads(known: Layer) -> None:
    row = table_row((REPOSITORY_ROOT / "README.md").read_text(), f"[{known.name}](projects/{known.name}/README.md)")
    assert row[1:] == [known.purpose, ", ".join(known.reads) or "nothing", f"`{known.owner}`"]
