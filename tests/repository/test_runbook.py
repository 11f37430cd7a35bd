"""Every message to people names a section of the runbook, and that section is there."""

from __future__ import annotations

import re

import pytest

from failover.advice import ADVICE
from failover.incident import Phase
from shared.layers import REPOSITORY_ROOT

RUNBOOK = (REPOSITORY_ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
FUNCTIONS = REPOSITORY_ROOT / "projects" / "dr-automation" / "functions"
# Of a failover that has begun or is over, and of a trouble that is.
OTHERS = ("writer_dead", "approved", "planned", "forced", "healthy", "after-a-failover")
GUARD = ("old-writer-fenced", "old-writer-not-fenced")
ANCHORS = [each.replace("_", "-") for each in (*ADVICE, *OTHERS, *GUARD, *(f"step-{phase}" for phase in Phase))]


def sections() -> set[str]:
    headings = re.findall(r"^#+ (.+)$", RUNBOOK, flags=re.MULTILINE)
    slugs = {re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-") for heading in headings}
    return slugs | set(re.findall(r'<a id="([^"]+)">', RUNBOOK))


@pytest.mark.parametrize("anchor", ANCHORS)
def test_every_section_that_a_message_names_is_there(anchor: str) -> None:
    assert anchor in sections()


def test_links_within_the_runbook_lead_somewhere() -> None:
    named = set(re.findall(r"\]\(#([^)]+)\)", RUNBOOK))
    assert named
    assert named <= sections()


def test_every_code_that_people_are_told_of_has_its_advice() -> None:
    source = (FUNCTIONS / "failover" / "decide.py").read_text(encoding="utf-8")
    told = set(re.findall(r'Action\.(?:ALERT|ASK)[^,]*, "(\w+)"', source))
    assert len(told) > 10
    assert told <= ADVICE.keys()
