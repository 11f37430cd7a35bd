"""What a person sees of a reprotection, and what it asks."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

import pytest

from operations.arguments import parse
from operations.console import Console
from operations.errors import RefusedError
from operations.reprotect.command import carry_out
from operations.requests import ReprotectRequest
from shared.errors import SettingsError
from tests.operations.reprotecting import Cloud, FakeLayer, FakeWorld, P, R, deployed, failed_over
from tests.operations.test_reprotect import dark, is_protected


class Person(Console):
    """Answers, and keeps what is said."""

    def __init__(self, cloud: Cloud, answer: str = "") -> None:
        self.cloud, self.answer = cloud, answer
        self.lines: list[str] = []
        self.asked: list[str] = []

    def say(self, lines: Iterable[str]) -> None:
        self.lines += lines

    def ask(self, question: str) -> str:
        self.asked.append(question)
        return self.answer

    def now(self) -> datetime:
        return self.cloud.now

    @property
    def said(self) -> str:
        return " ".join(" ".join(self.lines).split())


def give(cloud: Cloud, words: str, answer: str = "") -> tuple[int, Person]:
    person = Person(cloud, answer)
    request = parse(["reprotect", *words.split()])
    assert isinstance(request, ReprotectRequest)
    return carry_out(request, FakeWorld(cloud), FakeLayer(cloud), person), person


def test_the_plan_comes_first_and_a_dry_run_ends_there() -> None:
    cloud = failed_over()
    code, person = give(cloud, "--dry-run --split-writes-settled")
    assert code == 0
    assert "Plan: a standby in the primary site for the writer in recovery (epoch 1)" in person.said
    assert "the database there is the old writer, shut since the failover" in person.said
    assert "its final snapshot first" in person.said
    assert "newest backup 2026-01-01 09:00:00 UTC (3 h ago)" in person.said
    assert "about 70 min in all" in person.said
    assert person.said.endswith("Dry run: nothing was done. It would happen.")
    assert (cloud.deploys, cloud.items) == (0, {P: None, R: None})


def test_a_dry_run_of_what_would_not_happen_says_why_and_is_3() -> None:
    code, person = give(failed_over(), "--dry-run")
    assert code == 3
    assert "It would NOT happen: split writes" in person.said


def test_a_dark_region_is_told_with_what_nothing_protects_from() -> None:
    cloud = failed_over()
    dark(cloud)
    with pytest.raises(RefusedError, match="until then nothing protects from a failure of recovery but its backups"):
        give(cloud, "--dry-run")


def test_a_person_types_which_site_is_meant() -> None:
    cloud = failed_over()
    with pytest.raises(RefusedError, match="nothing was done; type primary to do it"):
        give(cloud, "--split-writes-settled", "recovery")
    assert cloud.deploys == 0
    code, person = give(cloud, "--split-writes-settled", "primary")
    assert code == 0
    assert person.asked == ["Type primary to do it: "]
    assert is_protected(cloud, R)


def test_progress_has_times_and_shows_what_is_to_be_committed() -> None:
    _, person = give(failed_over(), "--yes --split-writes-settled")
    assert "12:00:00 UTC  1/9 follow: the data layer follows the writer: activeSite, its deploy, about 5 min" in (
        person.lines
    )
    assert (
        "the data layer's configuration is changed; commit it: +activeSite: recovery +retiring: primary" in person.said
    )
    assert person.lines[-1] == "Protected: primary is the standby of recovery. See nox -s status."


def test_who_keeps_looking_is_told_how_and_what_nothing_protects_from() -> None:
    cloud = failed_over()
    code, person = give(cloud, "--yes --keep-looking --split-writes-settled")
    assert code == 0
    assert "Look at it: nox -s restore -- --inspect ID --site primary" in person.said
    assert "nothing but backups protects from the loss of recovery's region or database" in person.said
    _, person = give(cloud, "--yes --split-writes-settled")
    assert "begun 2026-01-01 12:00:00 UTC" in person.said
    assert is_protected(cloud, R)


def test_where_it_stops_it_says_how_to_go_on() -> None:
    cloud = failed_over()

    def lose(name: str, when: str) -> None:
        if name == "snapshot":
            cloud.snapshots.clear()
            cloud.dark = {P}

    cloud.strikes = lose
    code, person = give(cloud, "--yes --split-writes-settled")
    assert code == 1
    assert "stopped: RDS in primary" in person.said
    assert "nox -s reprotect goes on from there, -- --undo takes it back" in person.said


def test_where_all_is_well_there_is_nothing_to_do() -> None:
    code, person = give(deployed(), "--yes")
    assert (code, person.said) == (0, "Nothing is to do: recovery has a replica of primary, and authority.")


def test_json_is_an_object_a_line() -> None:
    cloud = failed_over()
    _, person = give(cloud, "--yes --json --split-writes-settled")
    told = [json.loads(line) for line in person.lines]
    assert told[0]["plan"]["reason"] == "failed_over"
    assert {"step", "done", "detail", "at"} <= told[1].keys()
    assert told[-1]["record"]["outcome"] == "finished"
    code, person = give(cloud, "--dry-run --json")
    assert (code, json.loads(person.lines[0])["plan"]["steps"]) == (0, [])


@pytest.mark.parametrize(
    ("words", "told"),
    [("--json", "--json = .given.: give --yes or --dry-run"), ("--undo --keep-looking", "--keep-looking = True")],
)
def test_contradictions_are_refused(words: str, told: str) -> None:
    with pytest.raises(SettingsError, match=told):
        parse(["reprotect", *words.split()])


def test_it_can_be_undone_by_command() -> None:
    cloud = failed_over()
    give(cloud, "--yes --keep-looking --split-writes-settled")
    code, person = give(cloud, "--undo")
    assert code == 0
    assert "Undone" in person.said
    assert Path(parse(["reprotect"]).outputs).name == "flat-outputs.json"
