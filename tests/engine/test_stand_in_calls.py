"""The stand-in for the Pulumi CLI understands what deployment asks for, and nothing that it would not heed."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from lab.pulumi_stand_in.call import BACKEND_VARIABLE, Call, EndedError, understood
from tests.engine.projects import write_project


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv(BACKEND_VARIABLE, raising=False)
    monkeypatch.chdir(write_project(tmp_path, "", configuration="{demo:size: 1}"))
    return tmp_path


def test_a_call_carries_its_folders_project_and_the_file_of_its_stack(folder: Path) -> None:
    assert understood(["preview", "--stack", "lab", "--refresh"]) == Call(
        "preview",
        {"--stack": "lab", "--refresh": ""},
        project="demo",
        configuration="config: {demo:size: 1}\n",
    )


def test_a_file_that_is_given_counts_instead(folder: Path) -> None:
    given = folder / "other.yaml"
    given.write_text("config: {demo:size: 2}\n")
    call = understood(["up", "--yes", "--stack=lab", f"--config-file={given}"])
    assert (call.stack, call.configuration) == ("lab", "config: {demo:size: 2}\n")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["up", "--stack", "lab", "--yes", "--parallel=4"], "does not know --parallel of up"),
        (["destroy", "--stack", "lab"], "asks nobody"),
        (["stack", "output"], "does not know pulumi stack output"),
        (["state", "delete"], "does not know pulumi state delete"),
        (["up", "--yes", "--stack"], "--stack needs a value"),
    ],
)
def test_what_it_does_not_know_is_refused_by_name(folder: Path, words: list[str], said: str) -> None:
    with pytest.raises(EndedError, match=said):
        understood(words)


def test_of_other_backends_it_knows_those_that_are_thrown_away(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    aside = Path(tempfile.gettempdir(), "aside").as_uri()
    monkeypatch.setenv(BACKEND_VARIABLE, aside)
    assert understood(["stack", "ls", "--json"]).backend == aside
    monkeypatch.setenv(BACKEND_VARIABLE, "s3://states")
    with pytest.raises(EndedError, match="s3://states: unset it"):
        understood(["whoami"])
