"""The table of docs/deploying.md, written out of `verdict`: ``python -m deployment.verdict_page [--check]``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from dataclasses import dataclass

from deployment.arguments import Command
from deployment.situation import Condition, Situation
from deployment.verdict import DATA, Answer, Destruction, verdict
from shared.layers import LAYERS, REPOSITORY_ROOT
from shared.sites import Site

PAGE = REPOSITORY_ROOT / "docs" / "deploying.md"
BEGIN, END = "<!-- what is done when: begin -->", "<!-- what is done when: end -->"
STACK = "STACK"
P, R = Site.PRIMARY, Site.RECOVERY
DARK = frozenset({P})
EXAMPLES = {
    "nothing deployed, or no automation yet": Situation(Condition.FRESH, P, P),
    "all is well, or there is no standby: `activeSite` is the writer": Situation(Condition.FOLLOWED, P, P),
    "reprotected: the same with the roles swapped": Situation(Condition.FOLLOWED, R, R),
    "failed over: `activeSite` is not the writer yet": Situation(Condition.NOT_FOLLOWED, P, R),
    "incident open": Situation(Condition.INCIDENT, P, None),
    "authority is handed over": Situation(Condition.HANDING_OVER, R, R),
    "a region dark, `activeSite` is the writer": Situation(Condition.DARK, R, R, dark=DARK),
    "a region dark, `activeSite` is not the writer": Situation(Condition.DARK, P, R, dark=DARK),
    "unknown: no record that can be believed": Situation(Condition.UNKNOWN, P, None),
}
WORDS = {Answer.GO: "yes", Answer.WARN: "warns", Answer.REFUSE: "**no**"}
KEPT, SHORT_LIVED = Destruction(skips_snapshot=True), Destruction(skips_snapshot=True, is_short_lived=True)
OTHERS = tuple(known.name for known in LAYERS if known.name != DATA)


@dataclass(frozen=True)
class Column:
    """What is asked of every situation.

    Attributes:
        head: what stands above it.
        command: the command.
        layers: the layers that it is for; they have one answer.
        destruction: what a destroy would do to the database that takes writes.
    """

    head: str
    command: Command
    layers: tuple[str, ...] = (DATA,)
    destruction: Destruction = KEPT

    def answer(self, situation: Situation) -> Answer:
        """What becomes of it.

        Raises:
            ValueError: it differs from layer to layer.
        """
        (answer,) = {verdict(self.command, each, situation, STACK, self.destruction).answer for each in self.layers}
        return answer


COLUMNS = (
    Column("deploy data", Command.DEPLOY),
    Column(f"deploy {', '.join(OTHERS)}", Command.DEPLOY, OTHERS),
    Column("preview", Command.PREVIEW),
    Column("refresh", Command.REFRESH),
    Column("drift", Command.DRIFT),
    Column("destroy data that lacks a last snapshot", Command.DESTROY),
    Column("destroy a short-lived environment", Command.DESTROY, destruction=SHORT_LIVED),
)


def table() -> list[str]:
    """The table's lines."""
    heads = ("situation", *(column.head for column in COLUMNS))
    return [_row(heads), _row("---" for _ in heads), *(_row(_cells(*each)) for each in EXAMPLES.items())]


def page(text: str) -> str:
    """The document with the table as the code has it.

    Raises:
        ValueError: the document has no place for it.
    """
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{PAGE.name} has no {BEGIN} and {END}")
    return f"{before}{BEGIN}\n{chr(10).join(table())}\n{END}{after}"


def main() -> int:
    """0, or 1 where the table is not what the code says."""
    parser = argparse.ArgumentParser(prog="deployment.verdict_page", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail where the table is out of date")
    check = parser.parse_args().check
    written = PAGE.read_text(encoding="utf-8")
    fresh = page(written)
    if fresh == written:
        return 0
    if check:
        sys.stderr.write(f"{PAGE.name} = (out of date): run `nox -s decisions` and look at what changed\n")
        return 1
    PAGE.write_text(fresh, encoding="utf-8")
    return 0


def _cells(title: str, situation: Situation) -> list[str]:
    return [title, *(WORDS[column.answer(situation)] for column in COLUMNS)]


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    sys.exit(main())
