"""The drill's clients run with the settings that docs/connecting.md gives, to the second."""

from __future__ import annotations

import re

import pytest

from drills.clients import settings
from shared.layers import REPOSITORY_ROOT

DOCUMENT = (REPOSITORY_ROOT / "docs/connecting.md").read_text(encoding="utf-8")


def section(heading: str) -> str:
    return DOCUMENT.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


@pytest.mark.parametrize(
    ("heading", "said", "seconds"),
    [
        ("A deadline on every call", r"and ([\d.]+) s for a call", settings.CALL_DEADLINE_SECONDS),
        ("psycopg", r"interval=0\.1, timeout=([\d.]+)\)", settings.CALL_DEADLINE_SECONDS),
        ("psycopg_pool", r"\n    timeout=([\d.]+),", settings.POOL_WAIT_SECONDS),
        ("psycopg_pool", r"reconnect_timeout=([\d.]+),", settings.POOL_RECONNECT_SECONDS),
        ("asyncpg", r'"timeout": ([\d.]+)', settings.ASYNCPG_CONNECT_SECONDS),
        ("asyncpg", r'"command_timeout": ([\d.]+)', settings.CALL_DEADLINE_SECONDS),
        ("By addresses or by name", r"a JVM keeps an address for ([\d.]+) s", settings.JVM_KEEPS_NAMES_SECONDS),
    ],
)
def test_the_document_says_the_same(heading: str, said: str, seconds: float) -> None:
    found = re.search(said, section(heading))
    assert found is not None, f"docs/connecting.md, {heading}: nothing like {said}"
    assert float(found[1]) == seconds
