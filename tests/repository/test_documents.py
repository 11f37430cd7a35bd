"""The documents are complete and their links work."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from shared.layers import REPOSITORY_ROOT

DOCUMENTS = [
    REPOSITORY_ROOT / "README.md",
    REPOSITORY_ROOT / "CONTRIBUTING.md",
    *sorted((REPOSITORY_ROOT / "docs").rglob("*.md")),
    *sorted((REPOSITORY_ROOT / "projects").glob("*/README.md")),
]
DECISIONS = sorted((REPOSITORY_ROOT / "docs" / "decisions").glob("[0-9]*.md"))
REQUIREMENTS = [
    *(f"R{number}" for number in range(1, 13)),
    "O1",
    *(f"C{number}" for number in range(1, 6)),
    *(f"P{number}" for number in range(1, 6)),
    *(f"D{number}" for number in range(1, 7)),
]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(REPOSITORY_ROOT)))
def test_every_relative_link_points_to_a_file(document: Path) -> None:
    links = re.findall(r"(?:\]\(|src=\"|href=\")([^)#\"\s]+)", document.read_text())
    for link in links:
        if not re.match(r"https?://", link):
            assert (document.parent / link).exists(), link


@pytest.mark.parametrize("decision", DECISIONS, ids=lambda path: path.stem)
def test_a_decision_says_context_decision_and_consequences_and_is_in_the_index(decision: Path) -> None:
    text = decision.read_text()
    assert [part for part in ("Context", "Decision", "Consequences") if f"**{part}.**" not in text] == []
    title = text.splitlines()[0].removeprefix("# ")
    number, _, name = title.partition(" ")
    assert f"| [{number}]({decision.name}) | {name} |" in (decision.parent / "README.md").read_text()


@pytest.mark.parametrize("requirement", REQUIREMENTS)
def test_the_readme_says_where_each_requirement_is_met(requirement: str) -> None:
    assert f"\n| {requirement} |" in (REPOSITORY_ROOT / "README.md").read_text()


def test_the_picture_is_well_formed_and_loads_nothing() -> None:
    picture = (REPOSITORY_ROOT / "docs" / "architecture.svg").read_text()
    root = ElementTree.fromstring(picture)  # noqa: S314 - our own file
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    # GitHub shows it in a sandbox, without scripts and without anything from outside.
    assert not re.search(r"<script|<foreignObject|href=|url\(http", picture)


def test_the_map_of_the_code_names_only_what_is_there() -> None:
    tracked = [
        str(path.relative_to(REPOSITORY_ROOT)) for path in REPOSITORY_ROOT.rglob("*") if ".venv" not in path.parts
    ]
    named = re.findall(r"`([\w./-]+(?:\.py|\.yaml|/))`", (REPOSITORY_ROOT / "docs" / "architecture.md").read_text())
    assert len(named) > 60
    lost = [name for name in named if not any(f"/{path}".endswith(f"/{name.rstrip('/')}") for path in tracked)]
    assert lost == []
