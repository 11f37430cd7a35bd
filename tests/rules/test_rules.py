"""What someone who has run RDS for years looks for, over all that the four programs declare (R1-R3, R7, R12, C4).

Each rule holds for the real programs in both kinds of stack, and speaks when what it is about is broken or missing.
"""

from __future__ import annotations

import inspect
from types import ModuleType

import pytest

from lab.engine.recording import RecordedProgram, RecordedResource, run_recorded
from shared.layers import LAYERS
from tests.rules import automation, databases, dns, encryption, networks, storage
from tests.rules.broken import BREAKS, Break
from tests.rules.graph import NothingToLookAtError, Resources, Rule

SUFFIX = "rehearsal"
STACKS = ("lab", "dev")
# The lab's metrics come every few seconds, which its Route 53 follows and AWS's does not.
NOT_IN_THE_LAB = frozenset({dns.alarms_of_health_checks_have_standard_resolution})
TOPICS = (storage, databases, networks, encryption, automation, dns)


def rules_of(module: ModuleType) -> list[Rule]:
    return [
        rule
        for name, rule in inspect.getmembers(module, inspect.isfunction)
        if rule.__module__ == module.__name__ and not name.startswith("_")
    ]


RULES = [rule for module in TOPICS for rule in rules_of(module)]


def name_of(rule: Rule) -> str:
    return getattr(rule, "__name__", repr(rule))


each_rule = pytest.mark.parametrize("rule", RULES, ids=name_of)


@pytest.fixture(scope="module")
def declared() -> dict[str, list[RecordedResource]]:
    """By stack, the resources of all layers."""
    found: dict[str, list[RecordedResource]] = {}
    for stack in STACKS:
        done: dict[str, RecordedProgram] = {}
        for layer in LAYERS:
            below = {name: done[name].outputs for name in layer.reads}
            done[layer.name] = run_recorded(layer.name, {"environmentSuffix": SUFFIX}, below, stack=stack)
        found[stack] = [one for program in done.values() for one in program.resources]
    return found


@pytest.mark.parametrize("stack", STACKS)
@each_rule
def test_the_rule_holds(rule: Rule, stack: str, declared: dict[str, Resources]) -> None:
    if stack == "lab" and rule in NOT_IN_THE_LAB:
        assert rule(declared[stack]) != [], "the lab keeps it now: take it off the list"
    else:
        assert rule(declared[stack]) == []


@pytest.mark.parametrize("broken", BREAKS, ids=lambda broken: f"{name_of(broken.rule)}-{broken.kind}")
def test_the_rule_names_what_is_broken(broken: Break, declared: dict[str, Resources]) -> None:
    lines = broken.rule(broken.apply(declared["dev"]))
    assert any(f" {broken.named or broken.name}" in line for line in lines), lines


@each_rule
def test_the_rule_is_proven_able_to_fail(rule: Rule) -> None:
    assert rule in {broken.rule for broken in BREAKS}


@each_rule
def test_the_rule_names_its_source(rule: Rule) -> None:
    assert "https://" in (rule.__doc__ or "")


@each_rule
def test_the_rule_does_not_pass_over_nothing(rule: Rule) -> None:
    with pytest.raises(NothingToLookAtError):
        rule([])
