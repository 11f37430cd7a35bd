"""What people's words mean, and until when."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from aws_in_memory.clock import START as NOW
from aws_in_memory.deployed import SETTINGS
from aws_in_memory.recorded import incident
from failover.instructions import (
    abandoned_by,
    adopted_by,
    hand_over_asked_by,
    handover_taken_back_by,
    order_in_force,
    order_to_drop,
    paused_by,
    withdrawn_by,
)
from failover.policy import Mode
from function_runtime.control import ABOUT_HANDOVER, Control, Instruction, InstructionKind, Order, OrderKind, Pause
from function_runtime.incident import Kind
from function_runtime.sites import Site
from function_runtime.state import Controller

SECOND = timedelta(seconds=1)
ENDS = NOW + timedelta(minutes=15)
INCIDENT = incident(Site.RECOVERY, kind=Kind.PLANNED)
ORDER = Order(OrderKind.PLANNED, INCIDENT.incident_id, INCIDENT.epoch, "arn:person", NOW, ENDS)
NOBODY = Control()


def said(kind: InstructionKind, about: str) -> Control:
    return Control(instruction=Instruction(kind, about, "arn:person", NOW, ENDS))


def test_failovers_are_paused_by_a_person_or_by_the_setting() -> None:
    by_setting = replace(SETTINGS, policy=replace(SETTINGS.policy, mode=Mode.PAUSED))
    person = Control(pause=Pause("arn:person", NOW, "migration"))
    assert paused_by(NOBODY, SETTINGS) is None
    assert paused_by(NOBODY, by_setting) == "the configured mode is paused"
    assert paused_by(person, by_setting) == paused_by(person, SETTINGS) == "arn:person paused failovers: migration"


@pytest.mark.parametrize(
    ("since", "is_in_force"), [(None, True), (NOW - SECOND, True), (NOW, True), (NOW + SECOND, False)]
)
def test_an_order_from_before_the_authority_is_dropped_and_people_hear_of_it_once(
    since: datetime | None, is_in_force: bool
) -> None:
    control, controller = Control(order=ORDER), Controller(authority_since=since)
    assert order_in_force(control, controller) == (ORDER if is_in_force else None)
    assert order_to_drop(control, controller, NOW) == (None if is_in_force else ORDER)
    assert order_to_drop(control, controller, ENDS) is None
    assert order_to_drop(control, replace(controller, order_dropped=NOW), NOW) is None
    assert order_to_drop(control, replace(controller, order_dropped=NOW - SECOND), NOW) == (
        None if is_in_force else ORDER
    )


def test_without_an_order_none_is_in_force_and_none_is_dropped() -> None:
    controller = Controller(authority_since=NOW)
    assert order_in_force(NOBODY, controller) is order_to_drop(NOBODY, controller, NOW) is None


def test_a_planned_failover_stands_as_long_as_its_order() -> None:
    assert withdrawn_by(Control(order=ORDER), INCIDENT) is None
    assert withdrawn_by(NOBODY, INCIDENT) == "its order was cancelled"
    for other in (replace(ORDER, incident_id="000002-other"), replace(ORDER, epoch=2)):
        assert withdrawn_by(Control(order=other), INCIDENT) == "another order was given"
    assert withdrawn_by(NOBODY, replace(INCIDENT, kind=Kind.APPROVED)) is None


def test_an_incident_is_abandoned_by_its_name_and_in_time() -> None:
    named = said(InstructionKind.ABANDON, INCIDENT.incident_id)
    assert abandoned_by(named, INCIDENT, NOW) == "arn:person"
    assert abandoned_by(named, INCIDENT, ENDS) is abandoned_by(NOBODY, INCIDENT, NOW) is None
    for other in (said(InstructionKind.ABANDON, "000002-other"), said(InstructionKind.ADOPT, INCIDENT.incident_id)):
        assert abandoned_by(other, INCIDENT, NOW) is None


def test_a_handover_is_taken_back_in_time() -> None:
    taken_back = said(InstructionKind.ABANDON, ABOUT_HANDOVER)
    assert handover_taken_back_by(taken_back, NOW) == "arn:person"
    assert handover_taken_back_by(taken_back, ENDS) is handover_taken_back_by(NOBODY, NOW) is None
    assert handover_taken_back_by(said(InstructionKind.ABANDON, INCIDENT.incident_id), NOW) is None


def test_an_adoption_is_good_once_in_time_and_not_after_a_failover() -> None:
    word = said(InstructionKind.ADOPT, "primary")
    assert adopted_by(word, Controller(), NOW) == word.instruction
    assert adopted_by(word, Controller(heeded_at=NOW - SECOND, last_closed_at=NOW - SECOND), NOW) == word.instruction
    for after in (Controller(heeded_at=NOW), Controller(last_closed_at=NOW)):
        assert adopted_by(word, after, NOW) is None
    assert adopted_by(word, Controller(), ENDS) is adopted_by(NOBODY, Controller(), NOW) is None
    assert adopted_by(said(InstructionKind.HAND_OVER, "primary"), Controller(), NOW) is None


def test_the_authority_is_asked_for_by_the_other_sites_name_since_this_one_has_it() -> None:
    word = said(InstructionKind.HAND_OVER, "primary")
    assert hand_over_asked_by(word, Controller(), Site.RECOVERY, NOW) == word.instruction
    assert hand_over_asked_by(word, Controller(), Site.PRIMARY, NOW) is None
    assert hand_over_asked_by(word, Controller(authority_since=NOW), Site.RECOVERY, NOW) is None
    assert hand_over_asked_by(NOBODY, Controller(), Site.RECOVERY, NOW) is None
