"""A program runs in this process as it would under the Pulumi CLI, and leaves nothing of itself behind."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import pytest
from pulumi.runtime.settings import SETTINGS

from lab.engine.program import run_folder
from lab.engine.registration import EngineError, Registration
from shared.errors import SettingsError
from tests.engine.projects import ScriptedEngine, write_project

PATIENCE_SECONDS = 10

TWO_TOPICS = """
first = aws.sns.Topic("first", opts=on)
second = aws.sns.Topic("second", opts=on)
"""


class BrokenError(Exception):
    pass


def fails_at(name: str) -> ScriptedEngine:
    def make(registration: Registration) -> None:
        if registration.name == name:
            raise BrokenError(name)

    return ScriptedEngine(make)


def test_a_program_sees_its_project_stack_and_configuration(tmp_path: Path) -> None:
    program = """
    pulumi.export("where", [pulumi.get_organization(), pulumi.get_project(), pulumi.get_stack()])
    pulumi.export("size", pulumi.Config().require_int("size"))
    pulumi.export("id", aws.sns.Topic("topic", opts=on).id)
    """
    folder = write_project(tmp_path, program, "{size: {type: integer, default: 3}}")
    assert run_folder(folder, "demo", "lab", ScriptedEngine()) == {
        "where": ["organization", "demo", "lab"],
        "size": 3,
        "id": "id-of-topic",
    }


def test_a_program_runs_again_with_its_modules_read_anew(tmp_path: Path) -> None:
    folder = write_project(tmp_path, "import words_of_demo\npulumi.export('word', words_of_demo.WORD)")
    for word in ("one", "other"):
        # Of different length, so that no compiled file passes for current.
        (folder / "words_of_demo.py").write_text(f"WORD = {word!r}\n")
        assert run_folder(folder, "demo", "lab", ScriptedEngine()) == {"word": word}


def test_nothing_of_a_run_is_left_in_the_process(tmp_path: Path) -> None:
    def seen() -> tuple[object, ...]:
        return SETTINGS.monitor, SETTINGS.project, SETTINGS.stack

    def seen_by_another_thread() -> tuple[object, ...]:
        found: list[tuple[object, ...]] = []
        thread = threading.Thread(target=lambda: found.append(seen()))
        thread.start()
        thread.join()
        return found[0]

    folder = write_project(tmp_path, TWO_TOPICS)
    (folder / "left_by_demo.py").touch()
    before, path = seen(), list(sys.path)
    run_folder(folder, "demo", "lab", ScriptedEngine())
    assert seen() == before
    assert seen_by_another_thread()[0] is None
    assert sys.path == path
    assert "left_by_demo" not in sys.modules


def test_independent_resources_are_made_at_the_same_time(tmp_path: Path) -> None:
    meeting = threading.Barrier(2, timeout=PATIENCE_SECONDS)

    def make(registration: Registration) -> None:
        meeting.wait()

    engine = ScriptedEngine(make)
    run_folder(write_project(tmp_path, TWO_TOPICS), "demo", "lab", engine)
    assert sorted(engine.made) == ["first", "second"]


def test_a_failure_comes_out_as_it_is_and_names_the_resource(tmp_path: Path) -> None:
    with pytest.raises(BrokenError) as broken:
        run_folder(write_project(tmp_path, TWO_TOPICS), "demo", "lab", fails_at("second"))
    assert "creating urn:pulumi:lab::demo::aws:sns/topic:Topic::second" in broken.value.__notes__


def test_what_depends_on_a_failure_is_not_made(tmp_path: Path) -> None:
    program = """
    first = aws.sns.Topic("first", opts=on)
    aws.sns.TopicPolicy("dependent", arn=first.arn, policy="{}", opts=on)
    """
    engine = fails_at("first")
    with pytest.raises(BrokenError):
        run_folder(write_project(tmp_path, program), "demo", "lab", engine)
    assert engine.made == []


def test_a_resource_under_way_when_another_fails_is_finished_and_recorded(tmp_path: Path) -> None:
    second_began, first_failed = threading.Event(), threading.Event()

    def make(registration: Registration) -> None:
        if registration.name == "first":
            assert second_began.wait(PATIENCE_SECONDS)
            first_failed.set()
            raise BrokenError("first")
        second_began.set()
        assert first_failed.wait(PATIENCE_SECONDS)

    engine = ScriptedEngine(make)
    with pytest.raises(BrokenError):
        run_folder(write_project(tmp_path, TWO_TOPICS), "demo", "lab", engine)
    assert engine.made == ["second"]


def test_bad_settings_come_out_as_such_through_the_programs_run_error(tmp_path: Path) -> None:
    program = """
    from shared.errors import SettingsError
    from shared.program import run

    def demo():
        raise SettingsError("size", 0, "give more")

    run(demo)
    """
    with pytest.raises(SettingsError) as refused:
        run_folder(write_project(tmp_path, program), "demo", "lab", ScriptedEngine())
    assert refused.value.key == "size"


def test_two_resources_of_one_type_and_name_are_refused(tmp_path: Path) -> None:
    program = 'aws.sns.Topic("same", opts=on)\naws.sns.Topic("same", opts=on)\n'
    with pytest.raises(EngineError, match="Duplicate resource URN"):
        run_folder(write_project(tmp_path, program), "demo", "lab", ScriptedEngine())


def test_a_disabled_default_provider_is_an_error(tmp_path: Path) -> None:
    folder = write_project(tmp_path, 'aws.sns.Topic("t")', "{pulumi:disable-default-providers: {value: [aws]}}")
    with pytest.raises(EngineError, match="Default provider for 'aws' disabled"):
        run_folder(folder, "demo", "lab", ScriptedEngine())
