"""The decision as a tree of questions, and the tree's leaves as rows.

The tree is first grown as ``decide`` asks: a branch for each answer to what it reads. What it does not read cannot
matter to it, so the tree is exact. Then the same tree is asked in the order that makes the fewest rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from math import prod
from types import MappingProxyType

from decision_table.inputs import (
    APART,
    COMMON,
    CONFIRMING,
    EVIDENCE,
    LIFE_THERE,
    LIFE_WITNESSED,
    OF_AN_ORDER,
    REST,
    TOGETHER,
    Input,
    decision,
    evidence,
)
from failover.decision import Action, Decision
from function_runtime.control import OrderKind

# Signals that confirm a death are weighed together, so they are one question, with 243 answers.
WEIGHED_TOGETHER = (None, OrderKind.APPROVE)
# The order of the rows' questions, near to decide()'s own. A question can be asked in parts: then only the answers
# given here are told apart from the rest, for the time being.
ORDER: tuple[tuple[str, frozenset[str] | None], ...] = (
    ("writer", None),
    ("trouble", None),
    ("session", None),
    ("commits", None),
    ("answers_here", None),
    ("wrong", None),
    ("probe_works", None),
    (EVIDENCE, frozenset(each for each in TOGETHER.values if evidence(each) == LIFE_THERE)),
    (EVIDENCE, frozenset(each for each in TOGETHER.values if evidence(each) == LIFE_WITNESSED)),
    ("rds_healthy", None),
    ("committed", None),
    ("process_lives", None),
    ("lets_clients_in", None),
    ("in_maintenance", None),
    ("age", None),
    ("kind", None),
    ("stream_ended", frozenset({"no"})),
    (EVIDENCE, None),
    ("witness_awaited", None),
    ("dark_without_witness", None),
    ("has_shown_life", None),
    ("stream_ended", None),
    ("maintenance_overdue", None),
    ("writer_hung", None),
    ("mode", frozenset({"paused"})),
    ("standby_ready", None),
    ("catches_up", None),
    ("cool_down", None),
    ("accepts_unknown", None),
    ("loss", None),
    ("lag", None),
    ("accepted", None),
    ("mode", None),
    ("answers_there", None),
    ("witness_sees", None),
    ("host_reports", None),
    ("region_answers", None),
)
# In which answers to the question of a trouble these have a meaning; in others they have no answers to count.
MEANT_IN: Mapping[str, Set[str]] = MappingProxyType(
    {
        "kind": {"some"},
        "age": {"some", "hung"},
        "session": {"hung"},
        "commits": {"hung"},
        "has_shown_life": {"some"},
        "wrong": {"none", "some"},
    }
)


@dataclass(frozen=True)
class Leaf:
    """A decision."""

    action: Action
    code: str


@dataclass(frozen=True)
class Question:
    """An input that ``decide`` reads, and what follows from its answers; answers with the same consequence as one."""

    name: str
    branches: tuple[tuple[frozenset[str], Tree], ...]


Tree = Leaf | Question


@dataclass(frozen=True)
class Row:
    """All combinations that are decided alike on one way through the tree.

    Attributes:
        conditions: the answers by input; an input that is not in it may have any.
        decision: what is decided, with the reason of the first of the combinations.
        combinations: how many there are.
    """

    conditions: Mapping[str, frozenset[str]]
    decision: Decision
    combinations: int


class _AskedError(Exception):
    def __init__(self, name: str) -> None:
        self.name = name


def inputs_for(order: OrderKind | None) -> tuple[Input, ...]:
    """Everything that decides where there is this order."""
    weighed = (TOGETHER,) if order in WEIGHED_TOGETHER else APART
    return (*COMMON, *weighed, *REST, *(() if order is None else OF_AN_ORDER))


def tree_for(order: OrderKind | None) -> Tree:
    """The decision tree, with no question whose answer does not matter."""
    inputs = {each.name: each for each in inputs_for(order)}
    # A planned failover asks for the mode last.
    in_parts = order is not OrderKind.PLANNED
    steps = tuple((name, apart) for name, apart in ORDER if name in inputs and (apart is None or in_parts))
    return _reordered(_grow(order, inputs, {}), steps, {name: each.values for name, each in inputs.items()})


def rows_for(order: OrderKind | None) -> tuple[Row, ...]:
    """The rows: disjoint, and together every combination."""
    inputs = inputs_for(order)
    rows = []
    for conditions, _ in _leaves(tree_for(order), {}):
        first = {
            each.name: next(value for value in each.values if value in conditions.get(each.name, each.values))
            for each in inputs
        }
        rows.append(Row(conditions, _decided(order, first), _combinations(inputs, conditions)))
    return tuple(rows)


def combinations_of(order: OrderKind | None) -> int:
    """How many combinations of answers there are."""
    return _combinations(inputs_for(order), {})


def _grow(order: OrderKind | None, inputs: Mapping[str, Input], known: Mapping[str, str]) -> Tree:
    try:
        decided = _decided(order, known)
    except _AskedError as asked:
        # What decide() does not read cannot matter to it, so it needs no branch.
        name = asked.name
        if name == EVIDENCE:
            return _question(name, _weighed(order, inputs, known))
        return _question(
            name, [({value}, _grow(order, inputs, {**known, name: value})) for value in inputs[name].values]
        )
    return Leaf(decided.action, decided.code)


def _weighed(
    order: OrderKind | None, inputs: Mapping[str, Input], known: Mapping[str, str]
) -> Iterator[tuple[Set[str], Tree]]:
    """Combinations that `evidence` has one word for are grown once; that they are decided alike, a test looks up."""
    words: dict[str, set[str]] = {}
    for value in TOGETHER.values:
        words.setdefault(evidence(value), set()).add(value)
    for values in words.values():
        yield values, _grow(order, inputs, {**known, EVIDENCE: min(values)})


def _question(name: str, branches: Iterable[tuple[Set[str], Tree]]) -> Tree:
    """The question, with answers of the same consequence as one; no question where all have the same."""
    merged: dict[Tree, set[str]] = {}
    for values, tree in branches:
        merged.setdefault(tree, set()).update(values)
    if len(merged) == 1:
        return next(iter(merged))
    return Question(name, tuple((frozenset(values), tree) for tree, values in merged.items()))


def _reordered(
    tree: Tree, steps: tuple[tuple[str, frozenset[str] | None], ...], allowed: Mapping[str, Iterable[str]]
) -> Tree:
    if isinstance(tree, Leaf):
        return tree
    (name, apart), *rest = steps
    blocks: list[Set[str]] = [{value} for value in allowed[name]]
    if apart is not None:
        blocks = [apart & set(allowed[name]), set(allowed[name]) - apart]
    below: dict[Tree, set[str]] = {}
    for block in blocks:
        below.setdefault(_where(tree, name, block), set()).update(block)
    if len(below) == 1:
        return _reordered(tree, tuple(rest), allowed)
    return _question(
        name,
        [
            (
                block,
                _reordered(each, tuple(rest), {**allowed, name: [value for value in allowed[name] if value in block]}),
            )
            for each, block in below.items()
        ],
    )


def _where(tree: Tree, name: str, allowed: Set[str]) -> Tree:
    """The tree where an input is known to have one of these values."""
    if isinstance(tree, Leaf):
        return tree
    branches = [(values, _where(below, name, allowed)) for values, below in tree.branches]
    if tree.name == name:
        branches = [(values & allowed, below) for values, below in branches if values & allowed]
    return _question(tree.name, branches)


def _decided(order: OrderKind | None, known: Mapping[str, str]) -> Decision:
    together = order in WEIGHED_TOGETHER

    def ask(name: str) -> str:
        question = EVIDENCE if together and name in CONFIRMING else name
        if question not in known:
            raise _AskedError(question)
        answer = known[question]
        return answer.split()[CONFIRMING.index(name)] if question == EVIDENCE else answer

    return decision(order, ask)


def _leaves(tree: Tree, above: Mapping[str, frozenset[str]]) -> Iterator[tuple[Mapping[str, frozenset[str]], Leaf]]:
    if isinstance(tree, Leaf):
        yield above, tree
        return
    for values, below in tree.branches:
        yield from _leaves(below, {**above, tree.name: values})


def _combinations(inputs: tuple[Input, ...], conditions: Mapping[str, frozenset[str]]) -> int:
    answers = {each.name: len(conditions.get(each.name, each.values)) for each in inputs}
    (troubled,) = (each for each in inputs if each.name == "trouble")
    meant = {name: answers.pop(name) for name in MEANT_IN}
    troubles = sum(
        prod(count for name, count in meant.items() if trouble in MEANT_IN[name])
        for trouble in conditions.get("trouble", troubled.values)
    )
    del answers["trouble"]
    return troubles * prod(answers.values())
