"""What is read of Cosmic Ray's dump. That its mutants are really tried is seen in `nox -s mutation`."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mutation.mutants import Mutant, ToolError, read_dump

DIFF = """--- mutation diff ---
--- a/failover/decide.py
+++ b/failover/decide.py
@@ -7,3 +7,3 @@
     return (
-        age > limit
+        age >= limit
     )"""


def line(worker_outcome: str | None, test_outcome: str | None = None) -> str:
    item = {"mutations": [{"module_path": "failover/decide.py"}]}
    result: dict[str, Any] = {"worker_outcome": worker_outcome, "test_outcome": test_outcome, "diff": DIFF}
    return json.dumps([item, None if worker_outcome is None else result])


@pytest.mark.parametrize(("outcome", "is_killed"), [("killed", True), ("survived", False)])
def test_a_mutant_is_what_changed_without_its_place(outcome: str, is_killed: bool) -> None:
    assert list(read_dump(line("normal", outcome))) == [
        Mutant("failover/decide.py", "age > limit", "age >= limit", is_killed)
    ]


def test_mutants_of_kinds_that_are_left_out_are_none() -> None:
    assert list(read_dump(line("skipped"))) == []
    declared = line("normal", "survived").replace("age > limit", "@dataclass(frozen=True)")
    assert list(read_dump(declared)) == []
    named = line("normal", "survived").replace("age > limit", "age, *, limit").replace("age >= limit", "age, /, limit")
    assert list(read_dump(named)) == []


@pytest.mark.parametrize(
    ("worker", "tests"),
    [(None, None), ("exception", "killed"), ("no-test", None), ("abnormal", "killed"), ("normal", "incompetent")],
)
def test_a_mutant_that_was_not_tried_is_not_taken_for_a_killed_one(worker: str | None, tests: str | None) -> None:
    with pytest.raises(ToolError, match=r"failover/decide\.py: Cosmic Ray did not try"):
        list(read_dump(line(worker, tests)))
