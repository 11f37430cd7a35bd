"""The noxfile offers the commands the documents promise (D4), and CI runs the README's test command."""

from __future__ import annotations

import ast
import re

from shared.layers import LAYERS, REPOSITORY_ROOT
from tests.repository.sessions import NOXFILE, sessions


def test_every_session_has_a_line_that_says_what_it_does() -> None:
    for name, function in sessions().items():
        docstring = ast.get_docstring(function)
        assert docstring, name
        assert len(docstring.splitlines()) == 1, name


def test_every_command_the_documents_name_is_a_session() -> None:
    for document in ("README.md", "CONTRIBUTING.md"):
        text = (REPOSITORY_ROOT / document).read_text()
        named = set(re.findall(r"(?:\./dr|nox -s) ([a-z]+)", text))
        assert named <= set(sessions()), document
        assert named


def test_lint_checks_the_types_of_every_layer() -> None:
    (projects,) = (
        ast.literal_eval(node.value)
        for node in NOXFILE.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "PROJECTS"
    )
    assert projects == tuple(known.name for known in LAYERS)


def test_ci_runs_the_readmes_test_command() -> None:
    command = (REPOSITORY_ROOT / ".ci" / "run").read_text().splitlines()[-1].removeprefix("exec ")
    assert command == "./dr tests"
    assert f"\n{command} " in (REPOSITORY_ROOT / "README.md").read_text()
