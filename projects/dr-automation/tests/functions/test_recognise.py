"""Which trouble a writer is in, and since when: periods of a second, an outage of three."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from aws_in_memory.clock import START as NOW
from aws_in_memory.drawn import DEAD_READINGS, SILENCE, series
from aws_in_memory.drawn import READ_POLICY as POLICY
from failover.recognise import AN_EARLIER_ONE, dark_since, recognise
from function_runtime.readings import Instance, RegionAnswers
from function_runtime.session_outcome import SessionOutcome
from function_runtime.trouble import Kind, Trouble

SECOND = timedelta(seconds=1)
WORKS, NO_ROOM, HUNG = (float(each) for each in (SessionOutcome.WORKS, SessionOutcome.NO_ROOM, SessionOutcome.HUNG))
ANSWERING = replace(DEAD_READINGS, active_seen_from_here=series(*[1.0] * 12), active_sessions_from_there=())
TOLD = ("hung",)


def ago(seconds: float) -> Any:
    return NOW - timedelta(seconds=seconds)


def trouble(kind: Kind, since_ago: float, **more: Any) -> Trouble:
    return Trouble(kind, ago(since_ago), ago(since_ago - 1), **more)


def probed(*answers: float | None, recorded: Trouble | None = None, **changed: Any) -> Trouble | None:
    readings = replace(DEAD_READINGS, active_sessions_from_here=(), active_sessions_from_there=(), **changed)
    return recognise(replace(readings, active_seen_from_here=series(*answers)), POLICY, recorded)


def in_sessions(*outcomes: float | None, recorded: Trouble | None = None, there: Any = ()) -> Trouble | None:
    readings = replace(ANSWERING, active_sessions_from_here=series(*outcomes), active_sessions_from_there=there)
    return recognise(readings, POLICY, recorded)


def test_a_writer_that_answers_is_in_no_trouble() -> None:
    assert probed(0, 1) is None


def test_what_is_silent_keeps_its_trouble_or_is_one() -> None:
    failing = trouble(Kind.FAILING, 20)
    assert probed(recorded=failing) == failing
    assert probed() == Trouble(Kind.SILENT, NOW, NOW)


# One probe may have been lost by chance: the second shows it.
FAILING = Trouble(Kind.FAILING, ago(2), ago(0))
# They hear of it anew, and that it is over.
TOLD_BEFORE = replace(FAILING, told=(AN_EARLIER_ONE,))


@pytest.mark.parametrize(
    ("recorded", "found"),
    [
        (None, FAILING),
        (trouble(Kind.SILENT, 20, told=TOLD), TOLD_BEFORE),
        (trouble(Kind.HUNG, 20, told=TOLD), TOLD_BEFORE),
        (trouble(Kind.FLAPPING, 20, told=TOLD), TOLD_BEFORE),
        (trouble(Kind.FAILING, 20), FAILING),
        (trouble(Kind.FAILING, 3), FAILING),
        (trouble(Kind.FAILING, 2, told=TOLD), replace(FAILING, told=TOLD)),
    ],
    ids=["new", "was silent", "was hung", "came and went", "answered since", "answered then", "the same"],
)
def test_failures_are_a_new_trouble_unless_they_are_those_on_record(recorded: Trouble | None, found: Trouble) -> None:
    assert probed(1, 0, 0, recorded=recorded) == found


def test_an_outage_on_record_keeps_its_beginning() -> None:
    recorded = trouble(Kind.FAILING, 20)
    assert probed(0, 0, recorded=recorded) == recorded
    later = Trouble(Kind.FAILING, ago(1), ago(0))
    kept = probed(0, 0, recorded=later)
    assert kept is not None
    assert kept.since == ago(2), "the readings show that it began before"


def test_work_of_rds_is_kept_with_the_trouble() -> None:
    at_work = Instance("rebooting", None, {})
    recorded = trouble(Kind.FAILING, 20, maintenance_at=ago(9))
    for described, kept in ((at_work, NOW), (Instance("available", None, {}), ago(9)), (SILENCE, ago(9))):
        found = probed(0, 0, recorded=recorded, active_instance=described)
        assert found is not None
        assert found.maintenance_at == kept


def test_a_region_is_dark_since_the_first_run_that_found_it_so() -> None:
    dark, other = RegionAnswers((), ("rds",)), RegionAnswers(("sts",), ())
    readings = replace(DEAD_READINGS, active_region=dark, reference_region=other)
    known = trouble(Kind.FAILING, 20, dark_since=ago(9))
    assert dark_since(readings, None) == dark_since(readings, replace(known, dark_since=None)) == NOW
    assert dark_since(readings, known) == ago(9)
    assert dark_since(replace(readings, active_region=other), known) is None
    for nobody in (None, dark):
        assert dark_since(replace(readings, reference_region=nobody), known) is None


@pytest.mark.parametrize(
    ("outcomes", "found"),
    [
        ([WORKS, HUNG, HUNG, HUNG], trouble(Kind.HUNG, 3)),
        ([WORKS, HUNG, HUNG], None),
        ([WORKS, HUNG, NO_ROOM, HUNG], None),
        ([HUNG, HUNG, HUNG, WORKS], None),
    ],
    ids=["for an outage", "not for so long", "too few", "not any more"],
)
def test_a_writer_hangs_that_lets_nobody_commit_for_an_outage(
    outcomes: list[float | None], found: Trouble | None
) -> None:
    assert in_sessions(*outcomes) == found


def test_whoever_committed_since_the_first_who_could_not_speaks_for_it() -> None:
    hung = [WORKS, HUNG, HUNG, HUNG]
    assert in_sessions(*hung, there=series(WORKS, None, None)) == trouble(Kind.HUNG, 3)
    assert in_sessions(*hung, there=series(WORKS, None)) is None
    assert in_sessions(*hung, there=series(HUNG, HUNG, HUNG, HUNG)) == trouble(Kind.HUNG, 4), "the first of them"
    assert in_sessions(*hung, there=series(HUNG)) == trouble(Kind.HUNG, 3), "not yet for an outage there"
    assert in_sessions(*hung, recorded=trouble(Kind.FAILING, 9, told=TOLD)) == trouble(Kind.HUNG, 3, told=TOLD)


@pytest.mark.parametrize(
    ("outcomes", "is_over"),
    [
        ([HUNG, HUNG, HUNG, WORKS, WORKS], True),
        ([HUNG, WORKS], False),
        ([HUNG, WORKS, WORKS, HUNG], False),
        ([WORKS, HUNG, *[None] * 3], True),
        ([WORKS, HUNG, *[None] * 2], False),
        ([NO_ROOM] * 4, False),
        ([], False),
    ],
    ids=["an outage later", "sooner", "again", "long ago", "lately", "nobody commits", "nobody knows"],
)
def test_a_hung_writer_is_well_when_somebody_has_committed_and_nothing_has_hung_for_an_outage(
    outcomes: list[float | None], is_over: bool
) -> None:
    hung = trouble(Kind.HUNG, 9)
    assert in_sessions(*outcomes, recorded=hung) == (None if is_over else hung)


def test_only_what_was_committed_after_it_hung_makes_a_hung_writer_well() -> None:
    assert in_sessions(WORKS, NO_ROOM, NO_ROOM, recorded=Trouble(Kind.HUNG, ago(9), ago(3))) is None
    hung = Trouble(Kind.HUNG, ago(9), ago(2.75))
    assert in_sessions(WORKS, NO_ROOM, NO_ROOM, recorded=hung) == hung


def test_a_writer_that_comes_and_goes_three_times_is_unstable_since_the_first() -> None:
    recorded = trouble(Kind.FAILING, 20, told=TOLD)
    assert probed(1, 0, 0, 1, 0, 0, 1, 0, 0, 1) == trouble(Kind.FLAPPING, 9)
    assert probed(1, 0, 0, 1, 0, 0, 1, 0, 0, 1, recorded=recorded) == trouble(Kind.FLAPPING, 9, told=TOLD)
    assert probed(1, 0, 0, 1, 0, 0, 1) is None


def test_what_nobody_saw_fail_in_its_own_site_may_have_lived_as_long_as_its_region_answers() -> None:
    answers, silent = RegionAnswers(("rds",), ()), RegionAnswers((), ("rds",))
    unseen: dict[str, Any] = {"active_seen_from_there": ()}
    found = probed(1, 0, 0, active_region=answers, **unseen)
    assert found is not None
    assert found.may_have_lived_until == NOW
    known = replace(FAILING, may_have_lived_until=ago(1))
    found = probed(1, 0, 0, active_region=silent, recorded=known, **unseen)
    assert found is not None
    assert found.may_have_lived_until == ago(1)
