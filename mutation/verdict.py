"""What the tried mutants say of the tests: the table, and what has to be done. Pure."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from mutation.mutants import Mutant

Change = tuple[str, str, str]
SURVIVORS = Path(__file__).parent / "survivors.toml"
LEAST_PERCENT = 97.0


@dataclass(frozen=True)
class Explained:
    """A survivor that no test can or need notice.

    Attributes:
        path: the file, from the repository's root.
        before: what is mutated, as `Mutant` has it: the list outlives new lines and other mutants.
        after: what becomes of it.
        reason: why no test notices.
    """

    path: str
    before: str
    after: str
    reason: str

    @property
    def change(self) -> Change:
        """What it explains. As often as it is listed: a file may have the same line twice."""
        return self.path, self.before, self.after


def read_explained(file: Path = SURVIVORS) -> tuple[Explained, ...]:
    """The list of survivors.

    Args:
        file: a table for each file of sources; in it, for each reason, the mutants as pairs of before and after.

    Raises:
        ValueError: an entry has no reason.
    """
    listed = tomllib.loads(file.read_text())
    found = [
        Explained(path, before, after, entry["reason"])
        for path, entries in listed.items()
        for entry in entries
        for before, after in entry["mutants"]
    ]
    for each in found:
        if not each.reason.strip():
            raise ValueError(f"{each.path}: reason = (empty): say in {file.name} why no test notices {each.after}")
    return tuple(found)


def score_percent(mutants: Sequence[Mutant]) -> float:
    """How many of a hundred mutants the tests kill; a survivor with a reason counts as one."""
    return 100.0 * sum(mutant.is_killed for mutant in mutants) / len(mutants) if mutants else 100.0


def problems(mutants: Sequence[Mutant], explained: Iterable[Explained]) -> list[str]:
    """What must not stay so, each with its remedy; nothing where all is well.

    Args:
        mutants: of each file that was tried, all.
        explained: the list.
    """
    tried = {mutant.path for mutant in mutants}
    listed = Counter(each.change for each in explained if each.path in tried)
    alive = Counter((mutant.path, mutant.before, mutant.after) for mutant in mutants if not mutant.is_killed)
    score = score_percent(mutants)
    found = [] if score >= LEAST_PERCENT else [f"score = {score:.1f} %: {LEAST_PERCENT:g} % or more are to be killed"]
    found += [
        f"{path}: no test notices this mutant: test what it breaks, or simplify it away, or list it with a reason in "
        f"{SURVIVORS.name}\n  - {before}\n  + {after}"
        for path, before, after in (alive - listed).elements()
    ]
    found += [
        f"{path}: {SURVIVORS.name} explains a survivor that there is not: take it out\n  - {before}\n  + {after}"
        for path, before, after in (listed - alive).elements()
    ]
    return found


def table(mutants: Sequence[Mutant]) -> str:
    """Each file's mutants, killed, survivors and score, and the sum."""
    by_path: dict[str, list[Mutant]] = {}
    for mutant in mutants:
        by_path.setdefault(mutant.path, []).append(mutant)
    width = max((len(path) for path in by_path), default=0)
    rows = [f"{'file':{width}}  mutants  killed  survivors    score"]
    for name, those in (*sorted(by_path.items()), ("all", mutants)):
        killed = sum(mutant.is_killed for mutant in those)
        score = score_percent(those)
        rows.append(f"{name:{width}}  {len(those):7}  {killed:6}  {len(those) - killed:9}  {score:5.1f} %")
    return "\n".join(rows)
