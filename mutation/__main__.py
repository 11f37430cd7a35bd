"""Try all mutants, or those of the files named: ``python -m mutation [FILE ...] [--jobs N]``."""

from __future__ import annotations

import argparse
import os
import queue
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from mutation.mutants import WORK, Mutant, ToolError, Tree
from mutation.targets import Target, chosen, read_targets
from mutation.verdict import problems, read_explained, table
from shared.layers import REPOSITORY_ROOT

REPORT = REPOSITORY_ROOT / "reports" / "mutation.txt"


def run(targets: Sequence[Target], jobs: int) -> tuple[list[Mutant], list[str]]:
    """Try every mutant of the targets, some files at a time.

    Args:
        targets: the files.
        jobs: how many at a time; each has a copy of the repository.

    Returns:
        The mutants, and what kept a file's from being tried.
    """
    WORK.mkdir(parents=True, exist_ok=True)
    trees: queue.SimpleQueue[Tree] = queue.SimpleQueue()
    for number in range(jobs):
        trees.put(Tree(number))

    def try_all(target: Target) -> tuple[tuple[Mutant, ...], str | None]:
        tree, started = trees.get(), time.monotonic()
        try:
            tried = tree.mutants_of(target)
        except ToolError as error:
            return (), str(error)
        finally:
            trees.put(tree)
        alive = sum(not mutant.is_killed for mutant in tried)
        _say(f"{target.path}: {len(tried)} mutants, {alive} survive ({time.monotonic() - started:.0f} s)")
        return tried, None

    with ThreadPoolExecutor(jobs) as pool:
        results = list(pool.map(try_all, targets))
    return [mutant for tried, _ in results for mutant in tried], [error for _, error in results if error is not None]


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main(arguments: Sequence[str]) -> int:
    """Run the command; the exit code: 0, 1 where something has to be done, 2 for a file that there is not."""
    parser = argparse.ArgumentParser(prog="nox -s mutation --", description=__doc__)
    parser.add_argument("files", nargs="*", metavar="FILE", help="the end of a path in mutation/targets.toml")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="files tried at a time")
    options = parser.parse_args(arguments)
    try:
        targets = chosen(read_targets(), options.files)
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    started = time.monotonic()
    mutants, errors = run(targets, options.jobs)
    to_do = [*errors, *problems(mutants, read_explained())]
    minutes = (time.monotonic() - started) / 60
    said = "\n\n".join(
        [*to_do, f"{table(mutants)}\n{len(targets)} files in {minutes:.0f} min, {options.jobs} at a time"]
    )
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(f"{said}\n")
    _say(f"\n{said}")
    return 1 if to_do else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
