"""What a person answers before a layer is changed: only yes means yes."""

from __future__ import annotations

import builtins
from collections.abc import Callable

import pytest

from deployment.__main__ import _ask as ask
from deployment.arguments import Command, Request, parse
from shared.errors import SettingsError


def answering(answer: str | BaseException) -> Callable[[str], str]:
    def answered(question: str) -> str:
        assert question.startswith("deploy network in stack dev? ")
        if isinstance(answer, BaseException):
            raise answer
        return answer

    return answered


@pytest.mark.parametrize(
    ("answer", "agreed"),
    [
        ("yes", True),
        (" Yes ", True),
        ("y", False),
        ("", False),
        ("no", False),
        ("yes, but", False),
        (EOFError(), False),
        (KeyboardInterrupt(), False),
    ],
    ids=repr,
)
def test_only_yes_means_yes(answer: str | BaseException, agreed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(builtins, "input", answering(answer))
    assert ask("deploy network in stack dev?") is agreed


@pytest.mark.parametrize("command", [Command.DESTROY, Command.REFRESH])
def test_a_preview_of_a_change_is_no_change(command: Command) -> None:
    def asked(*words: str) -> Request:
        return parse(command, words)

    assert asked().changes_something
    assert not asked("--preview-only").changes_something


@pytest.mark.parametrize("command", [Command.PREVIEW, Command.DRIFT, Command.OUTPUTS])
def test_looking_is_no_change(command: Command) -> None:
    assert not parse(command, []).changes_something


def test_a_deploy_without_a_change_is_a_preview() -> None:
    with pytest.raises(SettingsError, match=r"--preview-only = .given.: that is \./dr preview"):
        parse(Command.DEPLOY, ["--preview-only"])


@pytest.mark.parametrize("word", ["--preview-only=false", "--preview-only=true", "--skip-preview=false", "--yes=true"])
def test_a_switch_has_no_second_word_that_undoes_it(word: str) -> None:
    with pytest.raises(SettingsError, match=r"= .given.: say --"):
        parse(Command.DESTROY, ["--preview-only", word])
