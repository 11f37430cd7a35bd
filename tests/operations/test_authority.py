"""Every command talks to the controller with authority, which both tables together say; contradictions are told."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest

from aws_in_memory.clock import START
from aws_in_memory.deployed import REGIONS, healthy
from deployment.state_tables import Answer, Table, Tables, newest
from function_runtime.handover import Handover
from function_runtime.items import serialized
from function_runtime.sites import Site
from function_runtime.state import Controller
from operations.__main__ import main
from operations.authority import authority_by
from operations.errors import RefusedError
from shared.errors import SettingsError
from tests.operations.terminal import ALICE, BIRTH, DEPLOYMENT, Terminal, silence

PRIMARY, RECOVERY = Site.PRIMARY, Site.RECOVERY


def says(site: Site, authority: Site, writer: Site = PRIMARY, epoch: int = 0) -> Table:
    return Table(site, Answer.RECORD, Controller(epoch=epoch, writer_site=writer, authority=authority))


def other(site: Site, answer: Answer) -> Table:
    return Table(site, answer, why=f"{answer} {site}")


def both(primary: Table, recovery: Table) -> Tables:
    return {PRIMARY: primary, RECOVERY: recovery}


@pytest.mark.parametrize("site", list(Site))
def test_the_site_that_both_tables_name_is_talked_to(site: Site) -> None:
    found = authority_by(both(says(PRIMARY, site), says(RECOVERY, site)))
    assert (found.required(), found.notes) == (site, ())


@pytest.mark.parametrize("answer", [each for each in Answer if each is not Answer.RECORD])
@pytest.mark.parametrize("site", list(Site))
def test_a_site_that_says_it_has_authority_is_enough(site: Site, answer: Answer) -> None:
    tables = {site: says(site, site), site.other: other(site.other, answer)}
    found = authority_by(tables)
    assert found.required() is site
    (note,) = found.notes
    assert ("does not answer" in note) == (answer is Answer.SILENT)


def test_while_the_region_with_authority_is_dark_nobody_is_told_anything_but_an_adoption() -> None:
    found = authority_by(both(says(PRIMARY, RECOVERY), other(RECOVERY, Answer.SILENT)))
    with pytest.raises(RefusedError, match=r"that region does not answer: .*wait until it does: .*--adopt primary"):
        found.required()
    assert found.to_adopt(PRIMARY) is PRIMARY


def test_a_lost_table_of_the_site_with_authority_is_asked_all_the_same() -> None:
    found = authority_by(both(says(PRIMARY, RECOVERY), other(RECOVERY, Answer.EMPTY)))
    assert found.required() is RECOVERY
    assert "--adopt SITE settles it" in found.notes[0]


def test_between_giving_up_and_taking_the_giver_is_talked_to() -> None:
    giving = replace(says(RECOVERY, PRIMARY, RECOVERY, 1), handover={"to": "primary"})
    found = authority_by(both(says(PRIMARY, RECOVERY, RECOVERY, 1), giving))
    assert found.required() is RECOVERY
    assert "nobody acts meanwhile" in found.notes[0]


def test_of_two_the_one_with_the_newer_epoch_is_talked_to() -> None:
    found = authority_by(both(says(PRIMARY, PRIMARY, epoch=2), says(RECOVERY, RECOVERY, epoch=10)))
    assert found.required() is RECOVERY
    assert "the older epoch 2" in found.notes[0]


@pytest.mark.parametrize(
    ("tables", "told"),
    [
        (both(says(PRIMARY, PRIMARY), says(RECOVERY, RECOVERY)), "that authority is theirs"),
        (both(says(PRIMARY, RECOVERY), says(RECOVERY, PRIMARY)), "no handover is under way"),
        (both(says(PRIMARY, RECOVERY), other(RECOVERY, Answer.REFUSED)), "let the operators' role read it"),
        (both(says(PRIMARY, RECOVERY), other(RECOVERY, Answer.DAMAGED)), "see the runbook, state lost"),
        (both(other(PRIMARY, Answer.SILENT), other(RECOVERY, Answer.SILENT)), "check the network"),
        (both(other(PRIMARY, Answer.EMPTY), other(RECOVERY, Answer.EMPTY)), "the state is lost"),
        (both(other(PRIMARY, Answer.ABSENT), other(RECOVERY, Answer.SILENT)), "deploy dr-automation"),
    ],
    ids=["two", "none", "refused", "damaged", "silent", "lost", "absent"],
)
def test_a_contradiction_is_said_with_what_to_do_and_nobody_is_told_anything(tables: Tables, told: str) -> None:
    with pytest.raises(RefusedError, match=told):
        authority_by(tables).required()


def test_where_nothing_answers_nothing_is_adopted_either() -> None:
    tables = both(other(PRIMARY, Answer.SILENT), other(RECOVERY, Answer.SILENT))
    with pytest.raises(RefusedError):
        authority_by(tables).to_adopt(PRIMARY)
    lost = both(other(PRIMARY, Answer.EMPTY), other(RECOVERY, Answer.EMPTY))
    assert authority_by(lost).to_adopt(PRIMARY) is RECOVERY


def test_the_newest_record_is_the_one_of_the_highest_epoch_also_past_nine() -> None:
    tables = both(says(PRIMARY, PRIMARY, RECOVERY, 9), says(RECOVERY, PRIMARY, PRIMARY, 10))
    assert newest(tables) is tables[RECOVERY]
    same = both(says(PRIMARY, PRIMARY, epoch=3), says(RECOVERY, PRIMARY, epoch=3))
    assert newest(same) is same[PRIMARY]
    assert newest(both(other(PRIMARY, Answer.SILENT), other(RECOVERY, Answer.EMPTY))) is None


@pytest.mark.parametrize("site", list(Site))
def test_a_pause_is_written_where_authority_is(site: Site) -> None:
    terminal = Terminal(healthy())
    for each in Site:
        terminal.aws.items_of(each)["birth"] = serialized({**BIRTH, "authority": site.value})
    asked: list[str] = []

    def invoke(**parameters: str) -> object:
        asked.append(parameters["FunctionName"])
        raise silence()

    terminal.function.invoke = invoke  # type: ignore[method-assign,assignment]
    assert terminal.give("pause --reason rebuild") == 0
    assert terminal.person.lines[0] == DEPLOYMENT.headline(site)
    assert asked == [DEPLOYMENT.at[site].failover_function_name]
    assert "control" in terminal.aws.items_of(site)
    assert "control" not in terminal.aws.items_of(site.other)


def test_a_dark_region_without_authority_is_a_note_and_no_error() -> None:
    terminal = Terminal(healthy())
    terminal.aws.dark = {REGIONS[PRIMARY]}
    assert terminal.give("pause --reason rebuild") == 0
    assert terminal.person.lines[1] == "note: the primary site's region does not answer"


HANDOVER = Handover(RECOVERY, PRIMARY, ALICE, 1, START)
GIVING = Controller(version=3, epoch=1, writer_site=RECOVERY, authority=RECOVERY, handover=HANDOVER)


@pytest.mark.parametrize("command", ["failover --planned --yes", "failover --planned --dry-run", "pause --reason x"])
@pytest.mark.parametrize("given_up", [False, True])
def test_what_a_handover_would_leave_behind_is_bad_input_and_the_remedy_is_said(command: str, given_up: bool) -> None:
    terminal = Terminal(healthy(writer=RECOVERY))
    record = replace(GIVING, authority=PRIMARY) if given_up else GIVING
    terminal.aws.put(record.as_item(), RECOVERY)
    terminal.aws.put(Controller(version=1, epoch=1, writer_site=RECOVERY, authority=RECOVERY).as_item(), PRIMARY)
    with pytest.raises(SettingsError, match=r"being handed over from recovery to primary.*--abandon handover"):
        terminal.give(command)
    assert not any("control" in terminal.aws.items_of(site) for site in Site)


def test_an_order_is_not_written_where_authority_has_gone_while_the_person_was_asked() -> None:
    terminal = Terminal(healthy())
    record = Controller(version=7, writer_site=PRIMARY, authority=PRIMARY)

    def ask(_: str) -> str:
        terminal.aws.put(record.as_item(), RECOVERY)
        return "000001-ordered"

    terminal.person.ask = ask  # type: ignore[method-assign,assignment]
    with pytest.raises(SettingsError, match=r"with the primary site's controller, not with the recovery site's"):
        terminal.give("failover --planned")
    assert terminal.control == {}


def test_bad_input_of_that_kind_ends_with_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tables = both(says(PRIMARY, RECOVERY, RECOVERY, 1), Table(RECOVERY, Answer.RECORD, GIVING, handover={}))
    monkeypatch.setattr("operations.__main__.Deployment.read", lambda *_: DEPLOYMENT)
    monkeypatch.setattr("operations.__main__.take_role", lambda _: SimpleNamespace(tables=tables))
    assert main(["failover", "--planned"]) == 2
    assert "authority = (being handed over from recovery to primary)" in capsys.readouterr().err
