"""What each step of a handover waits for, when people hear of it, and what is in its way."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from aws_in_memory.clock import START
from failover.handover import Awaited, awaited, handover_limitation, is_overdue, next_step
from function_runtime.handover import Handover, HandoverStep
from function_runtime.readings import Instance, Unanswered
from function_runtime.sites import Site
from function_runtime.state import Controller

PRIMARY, RECOVERY = Site.PRIMARY, Site.RECOVERY
MARGIN = timedelta(seconds=2)
FAILED_OVER = Controller(version=3, epoch=1, writer_site=RECOVERY, authority=RECOVERY)
BEGUN = Handover(RECOVERY, PRIMARY, "arn:person", 1, START)
TOLD = replace(BEGUN, told_at=START)
GIVEN_UP = replace(TOLD, given_up_at=START)


@pytest.mark.parametrize(
    ("record", "handover", "waits_for", "step"),
    [
        (FAILED_OVER, BEGUN, Awaited(RECOVERY, 2), HandoverStep.TELL),
        (FAILED_OVER, TOLD, Awaited(PRIMARY, 1), HandoverStep.GIVE_UP),
        (replace(FAILED_OVER, authority=PRIMARY), GIVEN_UP, Awaited(RECOVERY, 1), HandoverStep.TAKE),
    ],
    ids=[*HandoverStep],
)
def test_each_step_waits_for_a_word_for_a_whole_margin(
    record: Controller, handover: Handover, waits_for: Awaited, step: HandoverStep
) -> None:
    assert awaited(record, handover) == waits_for
    shown = [
        "ALARM" if waits_for.word >= number else "OK" for number in ((1, 2) if waits_for.site is RECOVERY else (1,))
    ]
    first = next_step(record, handover, shown, START, MARGIN)
    assert (first.step, first.handover.seen_since) == (None, START)
    assert next_step(record, first.handover, shown, START + MARGIN / 2, MARGIN).step is None
    assert next_step(record, first.handover, shown, START + MARGIN, MARGIN).step is step
    for other in (None, ["INSUFFICIENT_DATA"] * len(shown), ["OK"] * len(shown), ["", *shown[1:]], []):
        seen = next_step(record, first.handover, other, START + MARGIN, MARGIN)
        assert (seen.step, seen.handover.seen_since) == (None, None), "what is seen otherwise begins the margin anew"


def test_people_hear_of_a_step_that_takes_five_margins() -> None:
    late = START + 5 * MARGIN
    assert not is_overdue(BEGUN, late - timedelta(seconds=0.1), MARGIN)
    assert is_overdue(BEGUN, late, MARGIN)
    assert not is_overdue(replace(TOLD, told_at=late), late, MARGIN)


OWN = Instance("available", None, {})
REPLICA = Instance("available", "arn:aws:rds:ap-southeast-1:111122223333:db:database-recovery", {})


@pytest.mark.parametrize(
    ("record", "own", "other", "why"),
    [
        (FAILED_OVER, OWN, REPLICA, None),
        (FAILED_OVER, OWN, replace(REPLICA, status="backing-up"), None),
        (replace(FAILED_OVER, authority=PRIMARY), OWN, REPLICA, "has no authority to give"),
        (replace(FAILED_OVER, writer_site=PRIMARY), OWN, REPLICA, "has the authority already"),
        (replace(FAILED_OVER, incident_id="000002-x"), OWN, REPLICA, "000002-x is under way"),
        (replace(FAILED_OVER, owes_opening="000002-x"), OWN, REPLICA, "still shut"),
        (FAILED_OVER, replace(OWN, status="failed"), REPLICA, "not well: failed"),
        (FAILED_OVER, None, REPLICA, "there is none"),
        (FAILED_OVER, OWN, None, "there is none"),
        (FAILED_OVER, OWN, OWN, "no standby that works: available, no replica"),
        (FAILED_OVER, OWN, replace(REPLICA, status="creating"), "creating"),
        (FAILED_OVER, OWN, replace(REPLICA, replication_ended=True), "its replication has ended"),
        (FAILED_OVER, OWN, replace(REPLICA, replica_of="arn:other"), "replicates arn:other"),
        (FAILED_OVER, OWN, Unanswered("silent", service_answered=False), "does not say"),
    ],
)
def test_what_is_in_the_way_of_a_handover_is_named(
    record: Controller, own: Instance | None, other: Instance | Unanswered | None, why: str | None
) -> None:
    found = handover_limitation(RECOVERY, record, own, other, "database-recovery")
    assert found is None if why is None else found is not None and why in found
