"""When the mutants fail the session, and how a survivor is explained."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from mutation.mutants import Mutant
from mutation.verdict import Explained, problems, read_explained, table

KILLED = Mutant("decide.py", "if late:", "if not late:", is_killed=True)
SURVIVOR = Mutant("decide.py", "return age > 60", "return age >= 60", is_killed=False)
REASON = Explained(SURVIVOR.path, SURVIVOR.before, SURVIVOR.after, "an age is never whole")
ENOUGH = [KILLED] * 97


def test_a_survivor_has_to_be_explained() -> None:
    assert problems([*ENOUGH, SURVIVOR], [REASON]) == []
    (problem,) = problems([*ENOUGH, SURVIVOR], [])
    assert problem.startswith("decide.py: no test notices this mutant")
    assert "- return age > 60\n  + return age >= 60" in problem


@pytest.mark.parametrize("other", [{"path": "heed.py"}, {"before": "return age > 61"}, {"after": "return age < 60"}])
def test_an_explanation_is_for_one_file_and_one_change(other: dict[str, str]) -> None:
    assert "no test notices" in problems([*ENOUGH, SURVIVOR], [replace(REASON, **other)])[0]


def test_an_explanation_without_its_survivor_is_to_be_taken_out_once_the_file_is_tried() -> None:
    (problem,) = problems([KILLED], [REASON])
    assert "explains a survivor that there is not" in problem
    assert problems([replace(KILLED, path="heed.py")], [REASON]) == [], "its file was not tried"


def test_the_same_line_twice_is_to_be_explained_twice() -> None:
    (problem,) = problems([*ENOUGH, SURVIVOR, SURVIVOR], [REASON])
    assert "no test notices" in problem


def test_explained_survivors_count_against_the_score() -> None:
    assert problems([*ENOUGH, *[SURVIVOR] * 3], [REASON] * 3) == []
    (problem,) = problems([*ENOUGH, *[SURVIVOR] * 4], [REASON] * 4)
    assert problem == "score = 96.0 %: 97 % or more are to be killed"


def test_the_table_has_each_file_and_the_sum() -> None:
    rows = table([KILLED, SURVIVOR, replace(KILLED, path="heed.py")]).splitlines()
    assert [row.split() for row in rows[1:]] == [
        ["decide.py", "2", "1", "1", "50.0", "%"],
        ["heed.py", "1", "1", "0", "100.0", "%"],
        ["all", "3", "2", "1", "66.7", "%"],
    ]


def test_a_reason_stands_for_all_mutants_that_it_names_and_must_be_there(tmp_path: Path) -> None:
    listed = tmp_path / "survivors.toml"
    entry = '[["decide.py"]]\nreason = "{}"\nmutants = [["a > b", "a >= b"], ["b", "c"]]\n'
    listed.write_text(entry.format("never equal"))
    assert read_explained(listed) == (
        Explained("decide.py", "a > b", "a >= b", "never equal"),
        Explained("decide.py", "b", "c", "never equal"),
    )
    listed.write_text(entry.format(" "))
    with pytest.raises(ValueError, match=r"decide\.py: reason = \(empty\)"):
        read_explained(listed)
