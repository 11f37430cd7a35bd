"""How soon a writer that is lost is known to be, at the defaults on AWS: by single probes, not by whole minutes."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from aws_in_memory import drawn
from aws_in_memory.clock import START, moment
from aws_in_memory.deployed import DEFAULTS, ENVIRONMENT
from failover.answer import Answer
from failover.decide import decide
from failover.decision import Action, Decision, Situation
from failover.readings import Readings
from failover.recognise import recognise
from failover.settings import Settings
from failover.signals import Remembered, Signals, interpret
from failover.watching import is_told_later, longest_stay_seconds, pause_seconds
from function_runtime.readings import Datapoint, RegionAnswers, Series
from function_runtime.sites import Site
from function_runtime.trouble import Kind, Trouble

SETTINGS = Settings.from_environment({**ENVIRONMENT, **DEFAULTS, "VERIFY_TIMEOUT_SECONDS": "30"})
POLICY, POLL = SETTINGS.policy, SETTINGS.poll_interval_seconds
FINE = POLICY.fine_period_seconds
TOO_SHORT = Decision(Action.HOLD, "outage_too_short", "not yet")


def stays_seconds(signals: Signals, decision: Decision) -> float:
    """How long a run stays."""
    return longest_stay_seconds(signals, decision, POLICY, POLL, SETTINGS.run_budget_seconds)


def probes(*, answered_until: int, seen_until: int, each_minute: int = 5, begins: int = -180) -> Series:
    """Five probes in a row each minute, ten seconds apart; answered before a second, failed from then on."""
    seconds = [at for at in range(begins, seen_until, FINE) if at % 60 < FINE * each_minute]
    return tuple(Datapoint(moment(at), float(at < answered_until), float(at < answered_until), 1.0) for at in seconds)


def seen(now: float, here: Series, there: Series) -> Readings:
    """What is read at a second, of a writer that nothing else shows to be dead."""
    return replace(
        drawn.DEAD_READINGS,
        at=moment(now),
        active_seen_from_here=here,
        active_seen_from_there=there,
        standby_seen_from_here=probes(answered_until=10_000, seen_until=int(now) // FINE * FINE),
    )


@pytest.mark.parametrize(("failed", "kind"), [(1, None), (2, None), (3, Kind.FAILING), (4, Kind.FAILING)])
def test_three_probes_in_a_row_are_trouble_and_single_ones_are_lost_every_day(failed: int, kind: Kind | None) -> None:
    here = probes(answered_until=FINE, seen_until=FINE * (1 + failed))
    trouble = recognise(seen(55, here, ()), POLICY, None)
    assert (trouble and trouble.kind) == kind


@pytest.mark.parametrize("answered_until", [0, 20, 40])
def test_an_outage_counts_from_the_end_of_the_first_failed_probes_period(
    answered_until: int,
) -> None:
    outage = POLICY.outage_seen_seconds
    for now, answer in ((answered_until + outage - 1, Answer.UNKNOWN), (answered_until + outage, Answer.NO)):
        newest = int(now) // FINE * FINE - FINE
        here = probes(answered_until=answered_until, seen_until=newest)
        assert interpret(seen(now, here, here), POLICY, Remembered()).answers_here is answer


def test_failures_that_nobody_has_followed_up_for_a_minute_go_on_no_longer() -> None:
    here = probes(answered_until=0, seen_until=60)
    last_end = 50
    for late, answer in ((0, Answer.NO), (11, Answer.UNKNOWN)):
        at = last_end + POLICY.lateness.total_seconds() + late
        short = replace(POLICY, outage_seconds=100)
        assert interpret(seen(at, here, here), short, Remembered()).answers_here is answer


def test_fewer_than_three_failed_probes_prove_no_outage() -> None:
    here = probes(answered_until=0, seen_until=120, each_minute=1)
    signals = interpret(seen(POLICY.outage_seen_seconds, here, here), POLICY, Remembered())
    assert (signals.answers_here, signals.answers_there) == (Answer.UNKNOWN, Answer.UNKNOWN)


def test_one_answer_ends_the_outage() -> None:
    failing = probes(answered_until=0, seen_until=110)
    back = (*failing[:-1], replace(failing[-1], maximum=1.0))
    recorded = Trouble(Kind.FAILING, moment(0), moment(FINE))
    signals = interpret(seen(POLICY.outage_seen_seconds, back, failing), POLICY, Remembered(recorded))
    assert (signals.trouble, signals.answers_here) == (None, Answer.YES)


def test_the_other_sites_outage_counts_from_the_trouble_where_nobody_was_answered_there_since() -> None:
    """It asks at other times: its last answer lies before the first failure here, its first failure after it."""
    here = probes(answered_until=0, seen_until=110)
    there = tuple(point for point in probes(answered_until=0, seen_until=110) if not 0 <= point.start.second < FINE)
    assert there != here
    signals = interpret(seen(POLICY.outage_seen_seconds, here, there), POLICY, Remembered())
    assert signals.answers_there is Answer.NO
    answered = tuple(replace(each, maximum=1.0) if each.start == moment(FINE) else each for each in there)
    signals = interpret(seen(POLICY.outage_seen_seconds, here, answered), POLICY, Remembered())
    assert signals.answers_there is Answer.UNKNOWN


@pytest.mark.parametrize(("silent_for", "answer"), [(100, Answer.NO), (600, Answer.UNKNOWN)])
def test_three_failed_probes_after_a_long_silence_are_no_outage(silent_for: int, answer: Answer) -> None:
    """Nobody has looked meanwhile: the writer may have lived, and may just restart."""
    back = 60 + silent_for
    failing = probes(answered_until=0, seen_until=back + 40, each_minute=6)
    here = tuple(point for point in failing if not moment(60) <= point.start < moment(back))
    there = tuple(point for point in failing if point.start >= moment(back))
    recorded = Trouble(Kind.FAILING, moment(0), moment(2 * FINE))
    signals = interpret(seen(back + 40, here, there), POLICY, Remembered(recorded))
    assert (signals.answers_here, signals.answers_there) == (answer, answer)


def test_a_commit_after_a_probe_that_was_lost_right_before_the_writer_is_no_sign_of_its_life() -> None:
    here = probes(answered_until=0, seen_until=110)
    for committed_at, lived in ((15.0, False), (35.0, True)):
        heartbeat = (Datapoint(moment(100), moment(committed_at).timestamp(), moment(committed_at).timestamp(), 1.0),)
        signals = interpret(replace(seen(120, here, here), heartbeat=heartbeat), POLICY, Remembered())
        assert (signals.committed is Answer.YES) == lived


def test_a_run_that_has_looked_before_the_second_probe_failed_takes_that_commit_for_no_sign_of_life_either() -> None:
    first = recognise(seen(5, probes(answered_until=0, seen_until=FINE), ()), POLICY, None)
    assert first is not None, "all that were asked in this minute have failed"
    here = probes(answered_until=0, seen_until=110)
    for committed_at, lived in ((15.0, False), (35.0, True)):
        heartbeat = (Datapoint(moment(100), moment(committed_at).timestamp(), moment(committed_at).timestamp(), 1.0),)
        known = Remembered(replace(first, lived_at=moment(15)))
        signals = interpret(replace(seen(120, here, here), heartbeat=heartbeat), POLICY, known)
        assert signals.trouble is not None
        assert (signals.trouble.has_shown_life, signals.trouble.since) == (lived, first.since)


@pytest.mark.parametrize(("word_at", "answer"), [(0, Answer.UNKNOWN), (60, Answer.UNKNOWN), (120, Answer.YES)])
def test_a_word_of_the_witness_is_a_minute_old(word_at: int, answer: Answer) -> None:
    here = probes(answered_until=0, seen_until=170)
    words = (Datapoint(moment(word_at), 1.0, 1.0, 1.0),)
    signals = interpret(replace(seen(180, here, here), witness=words), POLICY, Remembered())
    assert signals.witness_sees is answer
    assert signals.trouble is not None
    assert signals.trouble.has_shown_life == (answer is Answer.YES)


def test_a_run_looks_again_as_soon_as_the_outage_or_the_darkness_is_long_enough() -> None:
    trouble = Trouble(Kind.FAILING, START, START + timedelta(seconds=FINE))
    signals = replace(drawn.DEAD, trouble=trouble, region_answers=Answer.YES)
    whole = POLICY.outage_seen_seconds

    def paused(before: float, took: float = 0.0) -> float:
        return pause_seconds(signals, moment(whole - before), timedelta(seconds=took), POLICY, POLL)

    assert [paused(before) for before in (60, 5, 2, 0)] == [POLL, POLL, 2, POLL]
    assert paused(4, took=3) == 1, "the next look ends then"
    assert paused(2, took=3) == 0
    dark = replace(signals, trouble=replace(trouble, dark_since=START))
    shortly_before = START + POLICY.darkness - timedelta(seconds=3)
    assert pause_seconds(dark, shortly_before, timedelta(0), POLICY, POLL) == 3


def test_a_run_stays_where_the_region_is_silent_though_no_probe_has_failed_yet() -> None:
    well = replace(drawn.HEALTHY, region_answers=Answer.YES)
    assert stays_seconds(well, TOO_SHORT) == 0
    silent = replace(well, region_answers=Answer.UNKNOWN)
    # The first failed probe may be known as late as a minute after the darkness.
    assert stays_seconds(silent, TOO_SHORT) > POLICY.outage_seconds
    assert stays_seconds(silent, TOO_SHORT) < SETTINGS.run_budget_seconds


def test_people_hear_of_a_signal_that_is_alone_when_the_run_does_not_wait_for_the_second() -> None:
    alone = Decision(Action.ALERT, "one_signal_only", "nothing confirms it")
    signals = replace(drawn.DEAD, region_answers=Answer.YES)
    assert stays_seconds(signals, alone) > 0
    assert is_told_later(signals, alone)
    asked = Decision(Action.ASK, "one_door", "nobody gets in")
    assert stays_seconds(signals, asked) == 0
    assert not is_told_later(signals, asked)


@pytest.mark.parametrize(
    ("words", "sees", "code"),
    [
        (((0, 1.0), (60, 1.0)), Answer.UNKNOWN, "witness_awaited"),
        (((0, 1.0), (60, 1.0), (120, 1.0)), Answer.YES, "witness_sees_it"),
        (((0, 1.0), (60, 0.0)), Answer.NO, "writer_dead"),
        (((0, 1.0),), Answer.UNKNOWN, "witness_awaited"),
        (((-180, 1.0),), Answer.UNKNOWN, "writer_dead"),
    ],
)
def test_a_dark_region_is_not_replaced_before_a_witness_that_speaks_has_spoken_of_it(
    words: tuple[tuple[int, float], ...], sees: Answer, code: str
) -> None:
    """Both sites' regions may have lost each other, and the writer live on: only the witness tells."""
    here = probes(answered_until=0, seen_until=170)
    said = tuple(Datapoint(moment(at), value, value, 1.0) for at, value in words)
    recorded = Trouble(Kind.FAILING, moment(0), moment(2 * FINE), dark_since=moment(0))
    silent = RegionAnswers((), ("rds", "cloudwatch", "sts"))
    readings = replace(
        seen(180, here, ()), witness=said, active_region=silent, reference_region=RegionAnswers(("sts",), ())
    )
    signals = interpret(readings, POLICY, Remembered(recorded))
    signals = replace(
        signals, loss_bound_seconds=1.0, stream_ended=Answer.YES, committed=Answer.NO, process_lives=Answer.NO
    )
    assert signals.witness_sees is sees
    decided = decide(signals, Situation(moment(180), Site.RECOVERY, Site.PRIMARY, None, None), POLICY)
    assert decided.code == code


@pytest.mark.parametrize("kind", [Kind.FAILING, Kind.HUNG, Kind.FLAPPING, Kind.SILENT])
def test_people_hear_anew_of_a_trouble_that_follows_another_one_and_that_it_is_over(kind: Kind) -> None:
    here = (*probes(answered_until=60, seen_until=60), *probes(answered_until=0, seen_until=150, begins=60))
    recorded = Trouble(kind, moment(-60), moment(-60 + FINE), told=("manual", "flapping"))
    trouble = recognise(seen(150, here, here), POLICY, recorded)
    assert trouble is not None
    assert (trouble.kind, "manual" in trouble.told, bool(trouble.told)) == (Kind.FAILING, False, True)
    assert "flapping" in trouble.told


def test_that_a_trouble_is_over_is_told_though_the_region_is_silent_just_then() -> None:
    well = replace(drawn.HEALTHY, region_answers=Answer.UNKNOWN)
    assert not is_told_later(well, TOO_SHORT)


def test_a_run_does_not_stay_for_a_second_signal_that_people_know_to_be_missing() -> None:
    alone = Decision(Action.ALERT, "one_signal_only", "nothing confirms it")
    trouble = Trouble(Kind.FAILING, START, START, told=("one_signal_only",))
    assert stays_seconds(replace(drawn.DEAD, region_answers=Answer.YES, trouble=trouble), alone) == 0
