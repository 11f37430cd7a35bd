"""What the history says of a record that is lost or older than it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from aws_in_memory.clock import START
from aws_in_memory.recorded import OVER, SHOWN, incident
from function_runtime.handover import Handover
from function_runtime.history import History
from function_runtime.incident import ABANDONED, NOT_OPENED, WITHDRAWN, Incident, Kind, Phase, Step
from function_runtime.sites import Site
from function_runtime.state import Controller, Proposal
from function_runtime.taken import Taken
from function_runtime.trouble import Kind as TroubleKind
from function_runtime.trouble import Trouble, Unready
from function_runtime.up_to_date import after, brought_up_to_date, during

PRIMARY, RECOVERY = Site.PRIMARY, Site.RECOVERY
BIRTH = Controller()
UNREADY = Unready({"replica_behind": START}, {"replica_behind": START})
BUSY = Controller(
    version=4,
    switching_to=RECOVERY,
    incident_id="000001-20260101T115900Z",
    trouble=Trouble(TroubleKind.FAILING, START, START),
    unready=UNREADY,
    proposal=Proposal("000001-20260101T115900Z", 1, "manual", 1.0),
    replicated_until=START,
    owes_opening="000000-before",
    adopted_by="arn:person",
)


def closed(*phases: Phase, **changed: Any) -> Incident:
    found = incident(RECOVERY, *phases, Phase.CLOSED)
    return replace(found, **{"closed_at": START, **changed})


def with_outcome(found: Incident, phase: Phase, outcome: str) -> Incident:
    return found.with_step(replace(found.begun(phase), outcome=outcome))


DONE = replace(incident(RECOVERY, *OVER), closed_at=START)
WITHDRAWN_AFTER_FENCE = with_outcome(
    closed(Phase.FENCED, Phase.PROMOTING, Phase.OPENED_AGAIN), Phase.PROMOTING, WITHDRAWN
)
NEVER_FENCED = with_outcome(closed(Phase.FENCED, Phase.OPENED_AGAIN), Phase.FENCED, WITHDRAWN)
PLANNED = replace(WITHDRAWN_AFTER_FENCE, kind=Kind.PLANNED)
UNOPENED = with_outcome(WITHDRAWN_AFTER_FENCE, Phase.OPENED_AGAIN, NOT_OPENED)
ABANDONED_ONE = with_outcome(closed(Phase.FENCED, Phase.PROMOTING, Phase.OPENED_AGAIN), Phase.PROMOTING, ABANDONED)


def test_after_a_failover_its_new_writer_is_on_record_and_what_was_wrong_with_the_old_pair_is_not() -> None:
    assert after(BUSY, DONE) == Controller(
        version=4,
        epoch=1,
        writer_site=RECOVERY,
        authority=RECOVERY,
        last_closed_at=START,
        last_incident_id=DONE.incident_id,
    )


def test_after_one_that_was_taken_back_the_old_writer_is_and_its_clients_were_let_in_then() -> None:
    found = after(BUSY, WITHDRAWN_AFTER_FENCE)
    assert (found.writer_site, found.authority, found.epoch) == (PRIMARY, RECOVERY, 1)
    assert (found.unready, found.let_in_at, found.switching_to) == (UNREADY, START, None)


@pytest.mark.parametrize(
    ("ended", "cools_down"),
    [(DONE, True), (WITHDRAWN_AFTER_FENCE, True), (NEVER_FENCED, False), (PLANNED, False)],
    ids=["done", "taken back after its fence", "before its fence", "planned"],
)
def test_only_what_has_fenced_in_an_emergency_or_moved_the_writer_cools_down(ended: Incident, cools_down: bool) -> None:
    assert after(BIRTH, ended).last_closed_at == (START if cools_down else None)


def test_a_planned_failover_that_is_done_cools_down() -> None:
    done = with_outcome(replace(incident(RECOVERY, Phase.DRAINED, *OVER), kind=Kind.PLANNED), Phase.FENCED, "fenced")
    assert not done.is_taken_back
    assert after(BIRTH, replace(done, closed_at=START)).last_closed_at == START


@pytest.mark.parametrize(("ended", "owes"), [(DONE, False), (WITHDRAWN_AFTER_FENCE, False), (UNOPENED, True)])
def test_a_writer_that_was_not_opened_again_is_owed_it(ended: Incident, owes: bool) -> None:
    assert after(BIRTH, ended).owes_opening == (ended.incident_id if owes else None)


def test_an_incident_that_a_person_ended_leaves_who_said_so_on_record() -> None:
    assert after(BIRTH, ABANDONED_ONE).adopted_by == f"who abandoned {ABANDONED_ONE.incident_id}"
    assert after(BIRTH, WITHDRAWN_AFTER_FENCE).adopted_by is None


@pytest.mark.parametrize(
    ("phases", "writer", "switching_to"),
    [
        ((Phase.FENCED,), PRIMARY, None),
        (SHOWN, PRIMARY, RECOVERY),
        (OVER[:4], RECOVERY, None),
    ],
)
def test_while_an_incident_is_under_way_the_name_moves_before_the_record(
    phases: tuple[Phase, ...], writer: Site, switching_to: Site | None
) -> None:
    found = during(BUSY, incident(RECOVERY, *phases))
    assert (found.writer_site, found.switching_to, found.authority) == (writer, switching_to, RECOVERY)
    assert (found.owes_opening, found.adopted_by, found.epoch) == (None, None, 1)
    assert found.proposal == BUSY.proposal, "people were asked about this incident"
    assert during(replace(BUSY, incident_id=None), incident(RECOVERY, *phases)).proposal is None


UNDER_WAY = incident(RECOVERY, Phase.FENCED)
OPENED = replace(incident(RECOVERY), version=1)
GIVEN = Handover(RECOVERY, PRIMARY, "arn:person", 1, START, START, START)
TAKEN_OVER = replace(GIVEN, taken_at=START)
TAKEN = Taken(1, RECOVERY, PRIMARY, START)


def found_by(
    controller: Controller, *incidents: Incident, given: Handover | None = None, taken: Taken | None = None
) -> tuple[Controller, Incident | None]:
    handovers = () if given is None else (given,)
    return brought_up_to_date(controller, History(incidents=incidents, handovers=handovers, taken=taken))


def test_an_incident_under_way_outranks_a_record_that_does_not_know_it() -> None:
    assert found_by(BIRTH, UNDER_WAY) == (during(BIRTH, UNDER_WAY), UNDER_WAY)
    newer = replace(BIRTH, version=1, epoch=2)
    assert found_by(newer, UNDER_WAY) == (newer, None)


def test_one_that_was_written_and_that_no_run_has_taken_over_binds_nobody() -> None:
    assert found_by(BIRTH, OPENED) == (BIRTH, None)
    taken_over = replace(OPENED, version=2)
    assert found_by(BIRTH, taken_over)[1] == taken_over
    begun = OPENED.with_step(Step(Phase.FENCED, START))
    assert found_by(BIRTH, begun)[1] == begun


def test_the_end_of_an_incident_outranks_a_record_that_does_not_know_it() -> None:
    expected = after(BIRTH, DONE)
    assert found_by(BIRTH, DONE) == (expected, None)
    knows = replace(BIRTH, version=1, epoch=1)
    assert found_by(knows, DONE) == (knows, None)
    still = replace(knows, incident_id=DONE.incident_id)
    assert found_by(still, DONE) == (after(still, DONE), None)
    lost = replace(knows, version=0)
    assert found_by(lost, DONE) == (after(lost, DONE), None)


def test_the_newest_incident_counts() -> None:
    newest = replace(UNDER_WAY, epoch=2, incident_id="000002-x")
    assert found_by(BIRTH, DONE, newest)[1] == newest


FAILED_OVER = Controller(version=3, epoch=1, writer_site=RECOVERY, authority=RECOVERY)
HANDED_OVER = replace(FAILED_OVER, authority=PRIMARY)


@pytest.mark.parametrize(
    ("record", "given", "found"),
    [
        (FAILED_OVER, GIVEN, replace(HANDED_OVER, handover=GIVEN)),
        (FAILED_OVER, TAKEN_OVER, HANDED_OVER),
        (replace(BIRTH, authority=RECOVERY), TAKEN_OVER, replace(HANDED_OVER, version=0)),
        (HANDED_OVER, GIVEN, HANDED_OVER),
        (replace(FAILED_OVER, epoch=2), GIVEN, replace(FAILED_OVER, epoch=2)),
    ],
    ids=["under way", "over", "a lost record", "it knows", "a newer epoch"],
)
def test_who_gave_the_authority_away_never_gets_it_back_by_losing_a_record(
    record: Controller, given: Handover, found: Controller
) -> None:
    assert found_by(record, given=given) == (found, None)


LOST = replace(BIRTH, authority=RECOVERY)


@pytest.mark.parametrize(
    ("record", "given", "takes"),
    [
        (LOST, None, True),
        (replace(LOST, epoch=1), None, True),
        (replace(LOST, epoch=1, authority=PRIMARY), None, False),
        (replace(LOST, epoch=2), None, False),
        (replace(LOST, authority=PRIMARY), None, True),
        (LOST, replace(TAKEN_OVER, giver=PRIMARY, receiver=RECOVERY), False),
        (LOST, replace(TAKEN_OVER, epoch=0), True),
    ],
    ids=["a lost record", "the same epoch", "it knows", "a newer epoch", "an older one", "given since", "before"],
)
def test_an_authority_that_was_taken_is_not_lost_with_the_record(
    record: Controller, given: Handover | None, takes: bool
) -> None:
    controller, _ = found_by(record, given=given, taken=TAKEN)
    assert (controller.authority_since == START) is takes
    if takes:
        assert (controller.epoch, controller.writer_site, controller.authority) == (1, RECOVERY, PRIMARY)


def test_the_newest_handover_counts() -> None:
    before = replace(TAKEN_OVER, giver=PRIMARY, receiver=RECOVERY, epoch=0)
    given = History(handovers=(before, GIVEN))
    assert brought_up_to_date(FAILED_OVER, given) == (replace(HANDED_OVER, handover=GIVEN), None)
    controller, _ = brought_up_to_date(LOST, replace(given, taken=TAKEN))
    assert controller.authority_since is None, "it was given away after that"
