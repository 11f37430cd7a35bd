"""Whether a failure of the writer would be answered, and why not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from aws_in_memory.clock import START as NOW
from aws_in_memory.recorded import incident
from failover.latch import ALARM, OK, shows, word
from failover.protection import Code, Protection, protection
from function_runtime.handover import Handover
from function_runtime.readings import Instance, Unanswered
from function_runtime.sites import Site
from function_runtime.state import Controller
from function_runtime.trouble import Kind, Trouble

SOURCE = "arn:aws:rds:ap-southeast-2:111122223333:db:database-primary"
STANDBY = Instance("available", SOURCE, {})
HANDOVER = Handover(Site.PRIMARY, Site.RECOVERY, "arn:person", 1, NOW)
TROUBLE = Trouble(Kind.FAILING, NOW, NOW)
PAUSED = "arn:person paused failovers: migration"


def found(here: Site = Site.RECOVERY, authority: Site = Site.RECOVERY, **changed: Any) -> Protection:
    asked: dict[str, Any] = {
        "controller": Controller(authority=authority, handover=changed.pop("handover", None)),
        "incident": None,
        "standby": STANDBY,
        "writer_name": "database-primary",
        "trouble": None,
        "paused": None,
    }
    return protection(here, **{**asked, **changed})


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({}, Code.PROTECTED),
        ({"incident": incident(Site.RECOVERY)}, Code.INCIDENT),
        ({"here": Site.PRIMARY}, Code.UNKNOWN),
        ({"here": Site.PRIMARY, "authority": Site.PRIMARY}, Code.AUTHORITY_ELSEWHERE),
        ({"here": Site.PRIMARY, "handover": HANDOVER}, Code.AUTHORITY_ELSEWHERE),
        ({"handover": HANDOVER}, Code.AUTHORITY_ELSEWHERE),
        ({"standby": Unanswered("timed out", service_answered=False)}, Code.UNKNOWN),
        ({"standby": None}, Code.NO_STANDBY),
        ({"standby": replace(STANDBY, replica_of=None)}, Code.NO_STANDBY),
        ({"standby": replace(STANDBY, replication_ended=True)}, Code.STANDBY_BROKEN),
        ({"standby": replace(STANDBY, replica_of=f"{SOURCE}-old")}, Code.STANDBY_BROKEN),
        ({"standby": replace(STANDBY, status="failed")}, Code.STANDBY_BROKEN),
        ({"standby": replace(STANDBY, status="stopped")}, Code.STANDBY_BROKEN),
        ({"standby": replace(STANDBY, status="modifying")}, Code.STANDBY_BUSY),
        ({"standby": replace(STANDBY, status="backing-up")}, Code.PROTECTED),
        ({"paused": PAUSED}, Code.PAUSED),
        ({"trouble": TROUBLE}, Code.WRITER_IN_TROUBLE),
        ({"trouble": TROUBLE, "paused": PAUSED}, Code.PAUSED),
    ],
)
def test_what_protects_the_writer(changed: dict[str, Any], code: Code) -> None:
    protected = found(**changed)
    assert protected.code is code
    assert protected.protected is (None if code is Code.UNKNOWN else code is Code.PROTECTED)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"standby": None}, "the recovery site has no database: nox -s reprotect makes a standby"),
        ({"standby": replace(STANDBY, replica_of=None)}, "a database that is no replica"),
        ({"handover": HANDOVER}, "the authority is being handed over"),
        ({"here": Site.PRIMARY, "authority": Site.PRIMARY}, "the authority is still the writer's site's"),
        ({"paused": PAUSED}, f"a failure would not be answered: {PAUSED}"),
        ({"trouble": TROUBLE, "paused": PAUSED}, f"the writer has been failing since 12:00 UTC, and {PAUSED}"),
        ({"trouble": TROUBLE}, "the writer has been failing since 12:00 UTC; the decision says what is done about it"),
    ],
)
def test_people_read_why_not(changed: dict[str, Any], reason: str) -> None:
    assert reason in found(**changed).reason


@pytest.mark.parametrize(
    ("site", "writer", "authority", "said"),
    [
        (Site.PRIMARY, Site.PRIMARY, Site.PRIMARY, 0),
        (Site.PRIMARY, Site.RECOVERY, Site.PRIMARY, 1),
        (Site.PRIMARY, Site.PRIMARY, Site.RECOVERY, 0),
        (Site.RECOVERY, Site.PRIMARY, Site.RECOVERY, 0),
        (Site.RECOVERY, Site.RECOVERY, Site.RECOVERY, 2),
        (Site.RECOVERY, Site.RECOVERY, Site.PRIMARY, 1),
    ],
)
def test_a_controllers_word_on_the_writer(site: Site, writer: Site, authority: Site, said: int) -> None:
    assert word(site, Controller(writer_site=writer, authority=authority)) == said


@pytest.mark.parametrize(
    ("states", "shown"),
    [((OK,), [0]), ((ALARM,), [1, 2]), ((OK, OK), [0]), ((ALARM, OK), [1]), ((ALARM, ALARM), [2]), ((OK, ALARM), [])],
)
def test_alarms_show_the_word_that_each_has_evaluated(states: tuple[str, ...], shown: list[int]) -> None:
    assert [said for said in range(3) if shows(states, said)] == shown


def test_alarms_that_are_not_there_or_have_no_data_show_no_word() -> None:
    assert not any(shows(states, said) for states in ((), ("",), ("INSUFFICIENT_DATA", OK)) for said in range(3))
