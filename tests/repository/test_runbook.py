"""Every message links an existing section of the runbook, and every section is linked.

The codes and messages are read from the functions' source, so a new one without its section fails here. Whether a
section is right, no test can tell.
"""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator

import pytest

from failover.advice import ADVICE
from failover.decision import Action
from failover.handover_messages import ANCHOR
from failover.last_look import ANSWERS_AFTER_ALL, COMMITS_AFTER_ALL
from failover.readiness import CODES
from function_runtime.incident import IN_AN_EMERGENCY, TAKEN_BACK, WHEN_PLANNED
from operations.arguments import parse
from shared.layers import REPOSITORY_ROOT

FUNCTIONS = REPOSITORY_ROOT / "projects" / "dr-automation" / "functions"
RUNBOOK = (REPOSITORY_ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
PARTS = ("means", "next", "you", "worry")


def calls(file: str, name: str) -> Iterator[ast.Call]:
    tree = ast.parse((FUNCTIONS / file).read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name:
            yield node


def codes(*actions: Action) -> set[str]:
    """The codes of all decisions that may have one of the actions, as decide.py writes them."""
    wanted = {f"Action.{action.name}" for action in actions}
    found = set()
    for call in (*calls("failover/decide.py", "Decision"), *calls("failover/ordered.py", "Decision")):
        action, code = call.args[:2]
        if not isinstance(code, ast.Constant):
            continue  # a concern's, which `failover.readiness` has a list of
        if any(ast.unparse(node) in wanted for node in ast.walk(action)):
            found.add(str(ast.literal_eval(code)))
    return found


def anchor(code: str) -> str:
    return code.replace("_", "-")


TOLD = codes(Action.ALERT, Action.ASK) | set(CODES) | {ANSWERS_AFTER_ALL, COMMITS_AFTER_ALL}
BEGUN = codes(Action.FAIL_OVER) | {ast.literal_eval(call.args[0]) for call in calls("failover/decide.py", "_over")}
# An incident is recorded as opened before anybody is told, so its first phase is no step that a message is about.
STEPS = {phase for phases in (IN_AN_EMERGENCY, WHEN_PLANNED, TAKEN_BACK) for phase in phases[1:]}
MESSAGES = ("failover/messages.py", "failover/handover_messages.py")
# How they name the section, by the source of the last argument of each message.
ANCHORS_BY_SOURCE = {
    "decision.code": {anchor(code) for code in TOLD | {"healthy"}},
    "incident.decision['code']": {anchor(code) for code in BEGUN},
    "f'step-{step.phase}'": {anchor(f"step-{phase}") for phase in STEPS},
    "'after-a-failover'": {"after-a-failover"},
    "'paused'": {"paused"},
    "ANSWERS_AFTER_ALL": {anchor(ANSWERS_AFTER_ALL)},
    "'taken-back'": {"taken-back"},
    "'step-opened-again'": {"step-opened-again"},
    "'state-lost'": {"state-lost"},
    "ANCHOR": {ANCHOR},
}
GUARD_ANCHORS = set(
    re.findall(
        r'"(old-writer-[a-z-]+|two-writers)"', (FUNCTIONS / "fence_guard" / "messages.py").read_text(encoding="utf-8")
    )
)
ANCHORS = set().union(*ANCHORS_BY_SOURCE.values(), GUARD_ANCHORS, {"snapshots"})


def slug(heading: str) -> str:
    """GitHub's name of a heading."""
    return re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-")


def sections() -> dict[str, str]:
    """The text of each section, without those below it, by its name."""
    without_blocks = re.sub(r"^( *)```.*?^\1```$", "", RUNBOOK, flags=re.MULTILINE | re.DOTALL)
    parts = re.split(r"^#+ (.+)$", without_blocks, flags=re.MULTILINE)
    names = [slug(heading) for heading in parts[1::2]]
    assert len(names) == len(set(names)), "two sections have one name"
    return dict(zip(names, parts[2::2], strict=True))


def commands(text: str) -> list[str]:
    """Every command of ours that a text gives people to type."""
    found = re.findall(r"nox -s ((?:status|pause|resume|failover|reprotect|restore)\b(?: --(?: [^`\n]+)?)?)", text)
    return [command for command in found if not command.endswith("--")]


def test_codes_are_found_in_the_source() -> None:
    assert {"flapping", "not_watched", "planned_not_healthy"} <= TOLD
    assert {"loss_unknown", "loss_not_accepted", "manual"} <= TOLD
    assert {"writer_dead", "writer_hung", "approved", "planned", "forced"} == BEGUN
    assert {"old-writer-fenced", "old-writer-not-fenced", "two-writers"} == GUARD_ANCHORS


def test_messages_name_their_section_in_no_other_way() -> None:
    sources = {ast.unparse(call.args[-1]) for call in calls("failover/messages.py", "_about")}
    for call in (call for file in MESSAGES for call in calls(file, "compose")):
        (anchor,) = (ast.unparse(given.value) for given in call.keywords if given.arg == "anchor")
        sources.add(anchor)
    assert sources - {"anchor"} == ANCHORS_BY_SOURCE.keys()


def test_every_code_that_people_are_told_of_has_its_advice_and_no_other_has() -> None:
    assert ADVICE.keys() == TOLD


@pytest.mark.parametrize("name", sorted(ANCHORS))
def test_a_message_leads_to_a_section_that_says_what_to_do(name: str) -> None:
    text = sections()[name].lower()
    assert [part for part in PARTS if f"**{part}**" not in text] == []


def test_every_section_is_linked_by_a_message_or_in_the_runbook() -> None:
    linked = set(re.findall(r"\]\(#([^)]+)\)", RUNBOOK))
    lowest = {slug(heading) for heading in re.findall(r"^### (.+)$", RUNBOOK, flags=re.MULTILINE)}
    assert lowest - ANCHORS - linked == set()


def test_links_within_the_runbook_work() -> None:
    named = set(re.findall(r"\]\(#([^)]+)\)", RUNBOOK))
    assert named
    assert named - sections().keys() == set()


def test_links_from_other_documents_work() -> None:
    for document in sorted((REPOSITORY_ROOT / "docs").rglob("*.md")):
        named = set(re.findall(r"runbook\.md#([^)\s]+)\)", document.read_text(encoding="utf-8")))
        assert named - sections().keys() == set(), document.name


def texts_in(file: str) -> Iterator[str]:
    """Every text that a module has; a site stands for what is put into it."""
    for node in ast.walk(ast.parse((FUNCTIONS / file).read_text(encoding="utf-8"))):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "primary" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and not node.value.endswith(" "):
            yield node.value.replace("{}", "INCIDENT")


ADVISED = "\n".join(
    [
        *(line for advice in ADVICE.values() for line in (advice.next, *advice.to_do)),
        *(text for file in MESSAGES for text in texts_in(file)),
    ]
)


@pytest.mark.parametrize("command", sorted({*commands(RUNBOOK), *commands(ADVISED)}))
def test_a_command_in_the_runbook_or_in_a_message_is_accepted(command: str) -> None:
    for placeholder, value in {"INCIDENT": "000001-20261123T215301Z", " N": " 61"}.items():
        command = command.replace(placeholder, value)
    name, *arguments = shlex.split(command, comments=True)
    parse([name, *arguments[1:]])


def test_commands_are_found() -> None:
    assert {"failover -- --forced --dry-run", "failover -- --adopt primary"} <= {*commands(ADVISED)}
    assert {"resume", "reprotect -- --split-writes-settled"} <= {*commands(RUNBOOK)}
