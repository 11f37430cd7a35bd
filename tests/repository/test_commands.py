"""The noxfile offers the commands the documents promise (D4), and CI runs the README's test command."""

from __future__ import annotations

import ast
import re

from shared.layers import REPOSITORY_ROOT
from tests.repository.sessions import sessions


def test_every_session_has_a_line_that_says_what_it_does() -> None:
    for name, function in sessions().items():
        docstring = ast.get_docstring(function)
        assert docstring, name
        assert len(docstring.splitlines()) == 1, name


def test_every_command_the_documents_name_is_a_session() -> None:
    for document in ("README.md", "CONTRIBUTING.md"):
        text = (REPOSITORY_ROOT / document).read_text()
        named = set(re.findall(r"(?:\./dr|nox -s) ([a-z][a-z-]*)", text))
        assert named <= set(sessions()), document
        assert named


def test_ci_runs_the_readmes_test_command() -> None:
    command = (REPOSITORY_ROOT / ".ci" / "run").read_text().splitlines()[-1].removeprefix("exec ")
    assert command == "./dr tests"
    assert f"\n{command} " in (REPOSITORY_ROOT / "README.md").read_text()
