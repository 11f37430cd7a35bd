"""Which files are mutated, and with which tests."""

from __future__ import annotations

import pytest

from mutation.targets import Target, chosen, read_targets
from mutation.verdict import read_explained
from shared.layers import REPOSITORY_ROOT


def test_every_file_and_every_test_of_it_is_there() -> None:
    for target in read_targets():
        assert target.tests, target.path
        missing = [path for path in (target.path, *target.tests) if not (REPOSITORY_ROOT / path).is_file()]
        assert missing == []


def test_a_file_is_listed_once() -> None:
    paths = [target.path for target in read_targets()]
    assert len(paths) == len(set(paths))


def test_only_survivors_of_files_that_are_mutated_are_explained() -> None:
    assert {each.path for each in read_explained()} <= {target.path for target in read_targets()}


def test_a_person_names_files_by_the_ends_of_their_paths() -> None:
    targets = (Target("a/decide.py", ("t",)), Target("a/lease.py", ("t",)))
    assert chosen(targets, []) == targets
    assert chosen(targets, ["lease.py"]) == targets[1:]
    with pytest.raises(ValueError, match=r"file = rules\.py: no file of targets\.toml ends so"):
        chosen(targets, ["lease.py", "rules.py"])
