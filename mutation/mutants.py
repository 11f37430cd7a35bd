"""Makes and tries the mutants of one file, in a copy of the repository, by Cosmic Ray."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mutation.targets import Target
from shared.layers import REPOSITORY_ROOT

WORK = REPOSITORY_ROOT / "build" / "mutation"
# The session makes it from mutation.lock.
TOOL = REPOSITORY_ROOT / ".nox" / "mutation" / "bin" / "cosmic-ray"
# Conditions, bounds, signs, constants, loops and handlers. Cosmic Ray changes no string: what is said to people is not
# decided here, and the tests of messages are others. Left out are its operators on `|`, which it also finds in
# annotations, where nothing is evaluated, on decorators, whose absence fails at import, and all but one replacement
# of each operator: whoever notices `-` for `+` notices `%`.
OPERATORS = (
    "AddNot",
    "ExceptionReplacer",
    "NumberReplacer",
    "Replace(And|Or)With.*",
    "Replace(True|False)With.*",
    "Replace(Break|Continue)With.*",
    "ReplaceBinaryOperator_(Add_Sub|Sub_Add|Mul_Div|Div_Mul|FloorDiv_Mul|Mod_Mul|Pow_Mul|BitAnd_Sub)",
    "ReplaceComparisonOperator_(Eq_NotEq|NotEq_Eq|Is_IsNot|IsNot_Is|Lt_LtE|LtE_Lt|Gt_GtE|GtE_Gt)",
    "ReplaceUnaryOperator_(Delete_Not|USub_UAdd)",
    "ZeroIterationForLoop",
)
NOT_COPIED = shutil.ignore_patterns(".git", ".venv", ".nox", "build", "reports", "__pycache__", ".*_cache")
# A mutant that loops is killed by the clock. Other work on the machine must not kill one that only is slow.
PATIENCE = 4
PATIENCE_SECONDS = 20


class ToolError(Exception):
    """The mutants could not be tried; the message says of which file and why."""


@dataclass(frozen=True)
class Mutant:
    """One change, and whether a test noticed it.

    Attributes:
        path: the file.
        before: the lines it takes out, without indentation.
        after: the lines it puts in.
        is_killed: a test failed, or did not end.
    """

    path: str
    before: str
    after: str
    is_killed: bool


class Tree:
    """A copy of the repository whose files can be mutated in place; one for each worker.

    Args:
        number: of the worker.
    """

    def __init__(self, number: int) -> None:
        self._root = WORK / f"tree-{number}"
        shutil.rmtree(self._root, ignore_errors=True)
        shutil.copytree(REPOSITORY_ROOT, self._root, ignore=NOT_COPIED, symlinks=True)

    def mutants_of(self, target: Target) -> tuple[Mutant, ...]:
        """Try every mutant of a file.

        Raises:
            ToolError: its tests fail without a mutant, or Cosmic Ray does.
        """
        tests = [sys.executable, "-m", "pytest", "-x", "-q", "-m", "not exhaustive"]
        tests += ["-p", "no:cacheprovider", "-p", "pytest_timeout", *target.tests]
        started = time.monotonic()
        self._run(target, tests)
        seconds = time.monotonic() - started
        name = target.path.removesuffix(".py").replace("/", ".")
        config, session = WORK / f"{name}.toml", WORK / f"{name}.sqlite"
        session.unlink(missing_ok=True)
        config.write_text(_config(target, tests, PATIENCE * seconds + PATIENCE_SECONDS))
        self._run(target, [str(TOOL), "init", str(config), str(session)])
        self._run(target, [str(TOOL.with_name("cr-filter-operators")), str(session), str(config)])
        self._run(target, [str(TOOL), "exec", str(config), str(session)])
        return tuple(read_dump(self._run(target, [str(TOOL), "dump", str(session)])))

    def _run(self, target: Target, command: list[str]) -> str:
        # What Hypothesis generates is the same for each mutant; of a short run, loading plugins is a third.
        environment = {**os.environ, "CI": "true", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
        ended = subprocess.run(command, cwd=self._root, env=environment, capture_output=True, text=True, check=False)
        if ended.returncode != 0:
            said = "\n".join([*ended.stdout.splitlines()[-20:], *ended.stderr.splitlines()[-20:]])
            raise ToolError(f"{target.path}: {Path(command[0]).name} ended with {ended.returncode}:\n{said}")
        return ended.stdout


def _config(target: Target, tests: list[str], timeout_seconds: float) -> str:
    others = rf"(?!core/({'|'.join(OPERATORS)})$)"
    return "\n".join(
        [
            "[cosmic-ray]",
            f"module-path = {json.dumps(target.path)}",
            f"timeout = {timeout_seconds:.1f}",
            "excluded-modules = []",
            f"test-command = {json.dumps(shlex.join(tests))}",
            "[cosmic-ray.distributor]",
            'name = "local"',
            "[cosmic-ray.filters.operators-filter]",
            f"exclude-operators = [{json.dumps(others)}]",
        ]
    )


def read_dump(dump: str) -> Iterator[Mutant]:
    """The mutants in what ``cosmic-ray dump`` prints.

    Args:
        dump: a JSON list of a mutation and its result in each line; those of other operators were skipped.

    Raises:
        ToolError: one was not tried.
    """
    for line in dump.splitlines():
        item, result = json.loads(line)
        outcome = None if result is None else result["worker_outcome"]
        if outcome == "skipped":
            continue
        path = item["mutations"][0]["module_path"]
        if outcome != "normal" or result["test_outcome"] not in ("killed", "survived"):
            raise ToolError(f"{path}: Cosmic Ray did not try {item['mutations']}: {result}")
        changed = [row for row in result["diff"].splitlines() if not row.startswith(("---", "+++"))]
        before, after = (" ".join(row[1:].strip() for row in changed if row.startswith(sign)) for sign in ("-", "+"))
        # What a decorator declares, such as that nobody may assign to a dataclass, mypy sees to; and that arguments are
        # given by name, whose mark Cosmic Ray takes for a product.
        if not before.startswith("@") and before.replace("*,", "/,") != after:
            yield Mutant(path, before, after, is_killed=result["test_outcome"] == "killed")
