"""When the standby takes over, and when it must not (C1, D4)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from aws_in_memory import drawn
from aws_in_memory.clock import START as NOW
from aws_in_memory.consistency import checked, interpreted
from aws_in_memory.drawn import READ_POLICY as POLICY
from aws_in_memory.drawn import SILENCE, series
from failover.answer import Answer
from failover.decide import decide
from failover.decision import Action, Situation
from failover.policy import Mode, WhenUnsure
from failover.signals import Remembered, interpret
from function_runtime.readings import Instance, RegionAnswers, Series, Unanswered
from function_runtime.session_outcome import CANNOT_COMMIT, SessionOutcome
from function_runtime.sites import Site
from function_runtime.trouble import Kind, Trouble

DEAD = replace(drawn.DEAD, answers_there=Answer.NO, region_answers=Answer.YES)
LIVED_ON = replace(drawn.DEAD.trouble, lived_at=NOW)  # type: ignore[type-var]
UNWATCHED = {"stream_ended": Answer.UNKNOWN, "committed": Answer.UNKNOWN, "process_lives": Answer.UNKNOWN}
SITUATION = Situation(NOW, here=Site.RECOVERY, writer=Site.PRIMARY, last_closed_at=None)


@pytest.mark.parametrize(
    ("changed", "action", "code"),
    [
        ({}, Action.FAIL_OVER, "writer_dead"),
        ({"answers_there": Answer.UNKNOWN, "rds_healthy": Answer.NO}, Action.FAIL_OVER, "writer_dead"),
        ({"answers_there": Answer.UNKNOWN, "region_answers": Answer.NO}, Action.FAIL_OVER, "writer_dead"),
        ({"answers_there": Answer.UNKNOWN}, Action.ALERT, "one_signal_only"),
        ({"answers_here": Answer.UNKNOWN}, Action.HOLD, "outage_too_short"),
        ({"trouble": None, "answers_here": Answer.YES}, Action.HOLD, "healthy"),
        ({"answers_there": Answer.YES, "rds_healthy": Answer.NO}, Action.ALERT, "answers_its_own_site"),
        ({"committed": Answer.YES}, Action.ALERT, "writer_commits"),
        ({"process_lives": Answer.YES}, Action.ALERT, "process_lives"),
        ({"process_lives": Answer.YES, "lets_clients_in": Answer.NO}, Action.ALERT, "writer_is_shut"),
        ({"stream_ended": Answer.NO}, Action.HOLD, "stream_not_ended"),
        ({"stream_ended": Answer.NO, "host_reports": Answer.NO}, Action.HOLD, "stream_not_ended"),
        ({"stream_ended": Answer.NO, "region_answers": Answer.NO}, Action.HOLD, "stream_not_ended"),
        (UNWATCHED, Action.ASK, "one_door"),
        ({**UNWATCHED, "witness_sees": Answer.NO}, Action.ASK, "one_door"),
        ({**UNWATCHED, "rds_healthy": Answer.NO}, Action.FAIL_OVER, "writer_dead"),
        ({**UNWATCHED, "host_reports": Answer.NO}, Action.ASK, "one_door"),
        ({"answers_there": Answer.UNKNOWN, "host_reports": Answer.NO}, Action.FAIL_OVER, "writer_dead"),
        ({"trouble": LIVED_ON}, Action.ASK, "one_door"),
        ({"trouble": LIVED_ON, "rds_healthy": Answer.NO}, Action.FAIL_OVER, "writer_dead"),
        ({**UNWATCHED, "region_answers": Answer.NO}, Action.FAIL_OVER, "writer_dead"),
        ({"in_maintenance": Answer.YES}, Action.HOLD, "maintenance"),
        ({"probe_works": Answer.NO}, Action.ALERT, "probe_not_trusted"),
        ({"probe_works": Answer.UNKNOWN}, Action.ALERT, "probe_not_trusted"),
        ({"witness_sees": Answer.YES}, Action.ALERT, "witness_sees_it"),
        ({"answers_there": Answer.UNKNOWN, "witness_sees": Answer.NO}, Action.FAIL_OVER, "writer_dead"),
        ({"loss_bound_seconds": None}, Action.ASK, "loss_unknown"),
        ({"loss_bound_seconds": 10.5}, Action.ASK, "loss_above_limit"),
        ({"standby_ready": Answer.NO}, Action.ALERT, "standby_not_ready"),
        ({"standby_ready": Answer.UNKNOWN}, Action.ALERT, "standby_not_ready"),
    ],
)
def test_what_is_done(changed: dict[str, object], action: Action, code: str) -> None:
    decision = decide(replace(DEAD, **changed), SITUATION, POLICY)  # type: ignore[arg-type]
    assert (decision.action, decision.code) == (action, code)
    assert decision.reason


@pytest.mark.parametrize(
    ("mode", "action", "code"), [(Mode.MANUAL, Action.ASK, "manual"), (Mode.PAUSED, Action.ALERT, "paused")]
)
def test_people_have_the_last_word_where_they_want_it(mode: Mode, action: Action, code: str) -> None:
    decision = decide(DEAD, SITUATION, replace(POLICY, mode=mode))
    assert (decision.action, decision.code) == (action, code)


@pytest.mark.parametrize(("ago", "action"), [(59, Action.ASK), (60, Action.FAIL_OVER)])
def test_a_failover_cools_down(ago: int, action: Action) -> None:
    situation = replace(SITUATION, last_closed_at=NOW - timedelta(seconds=ago))
    assert decide(DEAD, situation, POLICY).action is action


def test_the_site_that_is_the_writer_holds() -> None:
    assert decide(DEAD, replace(SITUATION, writer=Site.RECOVERY), POLICY).code == "writer_is_here"


SESSIONS, HEARTBEAT, RECEIVED, MESSAGES = drawn.shown(4.5, 4.5, 4.5, [0] * 7, True)
READINGS = replace(
    drawn.DEAD_READINGS,
    active_sessions_from_here=series(0, 0, 0, None, None, None, None),
    active_sessions_from_there=series(0, 0, 0, None, None, None, None),
    standby_sessions=SESSIONS,
    heartbeat=HEARTBEAT,
    received=RECEIVED,
    stream_message=MESSAGES,
    active_seen_from_here=series(1, 1, 1, 0, 0, 0, 0),
    active_seen_from_there=series(1, 1, 1, 0, 0, 0, 0),
    standby_seen_from_here=series(1, 1, 1, 1, 1, 1, 1),
    lag=series(0, 0, 0.5, 1, 2, 3, 4),
)
UNPREPARED: dict[str, Series] = {
    "standby_sessions": series(*[1] * 7),
    "heartbeat": (),
    "received": (),
    "stream_message": (),
}
FAILED = {"active_instance": Instance("failed", None, {})}
HUNG = replace(
    READINGS,
    active_seen_from_here=series(*[1] * 7),
    active_seen_from_there=series(*[1] * 7),
    active_sessions_from_here=series(0, 0, 0, 8, 8, 8, 8),
    lag=series(0, 0, 0, 1, 2, 3, 4),
)
NO_METRICS_THERE = {
    **drawn.SILENT_THERE,
    "active_region": RegionAnswers(("rds",), ("cloudwatch",)),
}


def test_where_the_stream_is_not_shown_positions_that_stand_still_for_long_tell_that_it_has_ended() -> None:
    since = NOW - timedelta(seconds=POLICY.drain_seconds + 2)
    recorded = Trouble(Kind.FAILING, since, since + timedelta(seconds=1))
    still = [(since - timedelta(seconds=1)).timestamp()] * 7
    quiet = replace(
        READINGS,
        active_seen_from_here=series(*[0] * 7),
        stream_message=(),
        heartbeat=series(*still),
        received=series(*still),
    )
    assert interpreted(quiet, POLICY, recorded).stream_ended is Answer.YES
    assert interpreted(quiet, POLICY, None).stream_ended is Answer.UNKNOWN, "not yet for long enough"


def test_a_stream_that_has_not_been_silent_for_long_enough_has_not_ended() -> None:
    """Readings come late: the last that are there may be from before the trouble, however long that lasts by now."""
    policy = replace(POLICY, replication_timeout_seconds=4)
    read = interpreted(READINGS, policy, None)
    assert (read.committed, read.process_lives, read.stream_ended) == (Answer.NO, Answer.NO, Answer.NO)
    host_is_late = replace(read, host_reports=Answer.NO, answers_there=Answer.NO)
    assert decide(host_is_late, SITUATION, policy).code == "stream_not_ended"


def test_a_dead_database_is_failed_over_with_the_lag_from_before() -> None:
    signals = interpreted(READINGS, POLICY, None)
    assert signals.lag_before_seconds == 0.5
    assert signals.loss_bound_seconds == 1.5, "from the last heartbeat that came to the end of the first failed period"
    assert decide(signals, SITUATION, POLICY).action is Action.FAIL_OVER


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"active_seen_from_there": series(1, 1, 1, 1, 1, 1, 1)}, "answers_its_own_site"),
        ({**NO_METRICS_THERE, "lag": series(0, 0, 0, 0, 0, 0, 0)}, "writer_commits"),
        (NO_METRICS_THERE, "one_signal_only"),
        ({"active_seen_from_here": series(1, 1, 1, 1, 1, 0, 0)}, "outage_too_short"),
        ({"active_seen_from_here": series(1, 0, None, None, 0)}, "outage_too_short"),
        ({"active_seen_from_here": ()}, "not_watched"),
        ({**UNPREPARED, **FAILED, "lag": series(-1, -1, -1, -1, -1, -1, -1)}, "loss_unknown"),
        ({**UNPREPARED, **FAILED, "lag": ()}, "loss_unknown"),
        (UNPREPARED, "one_door"),
        ({"heartbeat": drawn.shown(1, 1, 1, [0] * 7, True)[1]}, "writer_commits"),
        ({"received": drawn.shown(1, 1, 1, [0] * 7, True)[2]}, "writer_commits"),
        ({"stream_message": drawn.shown(1, 1, 1, [0] * 7, True)[3]}, "process_lives"),
        # The stream had ended long before, or RDS does not show it: what is silent for another reason proves nothing.
        ({"stream_message": drawn.shown(1, 1, 20, [0] * 7, True)[3]}, "one_door"),
        ({"stream_message": ()}, "one_door"),
        ({"active_instance": Instance("rebooting", None, {})}, "maintenance"),
        ({"standby_instance": Instance("available", None, {})}, "standby_not_ready"),
    ],
)
def test_what_keeps_the_standby_from_taking_over(changed: dict[str, object], code: str) -> None:
    signals = interpreted(replace(READINGS, **changed), POLICY, None)  # type: ignore[arg-type]
    assert decide(signals, SITUATION, POLICY).code == code


DARK = replace(
    READINGS,
    **drawn.SILENT_THERE,
    active_instance=SILENCE,
    active_region=RegionAnswers((), ("rds", "cloudwatch", "sts")),
    reference_region=RegionAnswers(("sts",), ()),
)
SEEN_DARK = Trouble(Kind.FAILING, NOW - timedelta(seconds=4), NOW - timedelta(seconds=3), dark_since=NOW)


@pytest.mark.parametrize(
    ("changed", "seconds_dark", "code"),
    [
        ({}, 1.5, "writer_dead"),
        ({}, 1.0, "one_signal_only"),  # one round of calls that failed together
        ({"reference_region": RegionAnswers((), ("sts",))}, 1.5, "one_signal_only"),  # our own network is down
        ({"active_region": RegionAnswers(("sts",), ("rds", "cloudwatch"))}, 1.5, "one_signal_only"),
    ],
)
def test_a_region_is_dark_in_all_its_services_for_more_than_one_run_and_alone(
    changed: dict[str, object], seconds_dark: float, code: str
) -> None:
    recorded = replace(SEEN_DARK, dark_since=NOW - timedelta(seconds=seconds_dark))
    dark = replace(DARK, **changed)  # type: ignore[arg-type]
    assert decide(interpreted(dark, POLICY, recorded), SITUATION, POLICY).code == code


@pytest.mark.parametrize(
    ("witness", "code"),
    [
        (None, "dark_without_witness"),
        (SILENCE, "dark_without_witness"),
        (series(0, 0, 0, 0, 0, 0, 0), "writer_dead"),
        (series(1, 1, 1, 1, 1, 1, 1), "witness_sees_it"),
    ],
)
def test_a_witness_tells_a_dead_region_from_one_that_only_we_cannot_reach(
    witness: Series | Unanswered | None, code: str
) -> None:
    policy = replace(POLICY, dark_without_witness=WhenUnsure.ASK)
    recorded = replace(SEEN_DARK, dark_since=NOW - timedelta(seconds=2))
    assert decide(interpreted(replace(DARK, witness=witness), policy, recorded), SITUATION, policy).code == code


@pytest.mark.parametrize("signal", ["active_seen_from_there", "witness"])
def test_a_success_from_before_the_trouble_proves_no_life(signal: str) -> None:
    stale = series(1, 1, 1, None, None, None, None)
    signals = interpreted(replace(READINGS, **{signal: stale}), replace(POLICY, outage_seconds=4), None)  # type: ignore[arg-type]
    assert Answer.YES not in (signals.answers_there, signals.witness_sees)


LAST = (NOW - timedelta(seconds=4.5)).timestamp()


def test_what_failed_during_maintenance_is_no_outage_when_the_maintenance_ends() -> None:
    at_work = interpreted(replace(READINGS, active_instance=Instance("rebooting", None, {})), POLICY, None)
    assert decide(at_work, SITUATION, POLICY).code == "maintenance"
    later = NOW + timedelta(seconds=1)
    back = replace(
        READINGS,
        at=later,
        active_seen_from_here=series(1, 1, 1, 0, 0, 0, 0, 0, until=later),
        active_seen_from_there=series(1, 1, 1, 0, 0, 0, 0, 0, until=later),
    )
    signals = interpreted(back, POLICY, at_work.trouble)
    assert (signals.answers_here, signals.answers_there) == (Answer.UNKNOWN, Answer.UNKNOWN)
    assert decide(signals, replace(SITUATION, at=later), POLICY).code == "outage_too_short"
    dead = NOW + timedelta(seconds=4)
    still = replace(
        back,
        at=dead,
        active_seen_from_here=series(1, 1, 1, *[0] * 8, until=dead),
        standby_seen_from_here=series(1, 1, 1, 1, until=dead),
        active_seen_from_there=series(1, 1, 1, *[0] * 8, until=dead),
        standby_sessions=series(*[0] * 8, until=dead),
        heartbeat=series(*[LAST] * 8, until=dead),
        received=series(*[LAST] * 8, until=dead),
        stream_message=series(*[LAST] * 8, until=dead),
    )
    assert (
        decide(interpreted(still, POLICY, signals.trouble), replace(SITUATION, at=dead), POLICY).code == "writer_dead"
    )


def test_the_age_of_the_last_commit_counts_only_where_something_was_left_to_deliver() -> None:
    idle = replace(READINGS, **UNPREPARED, **FAILED, lag=series(20, 21, 22, 23, 24, 25, 26))  # type: ignore[arg-type]
    assert decide(interpreted(idle, POLICY, None), SITUATION, POLICY).code == "loss_above_limit"
    emptied = replace(idle, slot_lag=series(0, 0, 0, None, None, None, None))
    assert interpreted(emptied, POLICY, None).lag_before_seconds == 1
    assert decide(interpreted(emptied, POLICY, None), SITUATION, POLICY).code == "writer_dead"
    behind = replace(idle, slot_lag=series(0, 64, 64, None, None, None, None))
    assert interpreted(behind, POLICY, None).lag_before_seconds == 3


def test_a_slot_with_nothing_to_deliver_to_a_replica_that_is_an_hour_behind_is_another_slot() -> None:
    lost = {"lag": series(*range(3600, 3607)), "slot_lag": series(0, 0, 0, 0, 0, 0, 0)}
    signals = interpreted(replace(READINGS, **UNPREPARED, **FAILED, **lost), POLICY, None)  # type: ignore[arg-type]
    assert signals.loss_bound_seconds is not None
    assert signals.loss_bound_seconds > 3600
    assert decide(signals, SITUATION, POLICY).code == "loss_above_limit"


@pytest.mark.parametrize(
    "lag",
    [
        series(0, until=NOW - timedelta(seconds=13)),  # from long before the trouble
        series(8.5, until=NOW - timedelta(seconds=4)),  # within the limit without the time until the death
    ],
)
def test_the_bound_itself_is_compared_with_the_limit(lag: Series) -> None:
    signals = interpreted(replace(READINGS, **UNPREPARED, **FAILED, lag=lag), POLICY, None)  # type: ignore[arg-type]
    assert signals.lag_before_seconds is not None
    assert signals.lag_before_seconds <= POLICY.max_data_loss_seconds
    assert decide(signals, SITUATION, POLICY).code == "loss_above_limit"


@pytest.mark.parametrize(
    ("sessions", "code"),
    [
        (SessionOutcome.HUNG, "writer_hung"),
        (SessionOutcome.FULL, "storage_full"),
        (SessionOutcome.READ_ONLY, "read_only"),
    ],
)
def test_a_writer_that_answers_and_commits_nothing_is_told_of(sessions: SessionOutcome, code: str) -> None:
    stuck = replace(HUNG, active_sessions_from_here=series(0, 0, 0, *[sessions] * 4))
    signals = interpreted(stuck, POLICY, None)
    assert (signals.answers_here, signals.commits, signals.trouble and signals.trouble.kind) == ("yes", "no", Kind.HUNG)
    assert decide(signals, SITUATION, POLICY).code == code


def test_a_hung_writer_is_a_question_to_people_or_a_failover_by_a_setting() -> None:
    by_setting = replace(POLICY, writer_hung=WhenUnsure.FAILOVER)
    signals = interpreted(HUNG, POLICY, None)
    assert decide(signals, SITUATION, POLICY).action is Action.ASK
    decision = decide(signals, SITUATION, by_setting)
    assert (decision.action, decision.code) == (Action.FAIL_OVER, "writer_hung")
    for committed in (Answer.UNKNOWN, Answer.YES):
        assert decide(replace(signals, committed=committed), SITUATION, by_setting).action is not Action.FAIL_OVER


@pytest.mark.parametrize("there", [series(*[0] * 7), series(0, 0, 0, 0, 0, 0, None)])
def test_whoever_commits_speaks_for_a_writer_in_which_another_hangs(there: Series) -> None:
    assert interpreted(replace(HUNG, active_sessions_from_there=there), POLICY, None).trouble is None


@pytest.mark.parametrize("outcome", [each for each in SessionOutcome if each not in CANNOT_COMMIT])
def test_a_session_that_fails_otherwise_says_nothing_of_commits(outcome: SessionOutcome) -> None:
    weak = replace(HUNG, active_sessions_from_here=series(*[outcome] * 7))
    assert interpreted(weak, POLICY, None).trouble is None


def test_a_hung_writer_stays_hung_until_somebody_commits() -> None:
    hung = interpreted(HUNG, POLICY, None).trouble
    no_room = replace(HUNG, active_sessions_from_here=series(*[SessionOutcome.NO_ROOM] * 7))
    assert interpreted(no_room, POLICY, hung).trouble == hung
    works = replace(HUNG, active_sessions_from_here=series(*[8] * 6, 0))
    again = interpreted(works, POLICY, hung)
    assert (again.trouble, again.commits) == (hung, Answer.YES), "for too short a time to call it well"
    assert decide(again, SITUATION, POLICY).code == "commits_again"
    well = replace(HUNG, active_sessions_from_here=series(*[8] * 4, 0, 0, 0))
    assert interpreted(well, POLICY, hung).trouble is None


def test_a_writer_that_hung_and_is_not_seen_any_more_is_left_to_people() -> None:
    hung = interpreted(HUNG, POLICY, None).trouble
    unseen = replace(HUNG, active_sessions_from_here=series(*[SessionOutcome.NOT_ADMITTED] * 7))
    by_setting = replace(POLICY, writer_hung=WhenUnsure.FAILOVER)
    assert decide(interpreted(unseen, POLICY, hung), SITUATION, by_setting).code == "hung_unseen"


def test_an_older_version_of_the_function_can_read_a_hung_writers_record() -> None:
    hung = interpreted(HUNG, POLICY, None).trouble
    assert hung is not None
    assert hung.as_item()["kind"] in ("failing", "silent", "flapping")
    assert Trouble.from_item(hung.as_item()) == hung
    without = {name: value for name, value in hung.as_item().items() if name not in ("hung", "lived_at")}
    assert Trouble.from_item(without).kind is Kind.FLAPPING


def test_a_writer_that_comes_and_goes_is_unstable() -> None:
    here = series(1, 0, 0, 1, 0, 0, 1, 0, 0, 1)
    signals = interpreted(replace(READINGS, active_seen_from_here=here), POLICY, None)
    decision = decide(signals, SITUATION, POLICY)
    assert (decision.action, decision.code) == (Action.ALERT, "flapping")
    lost_probes = series(1, 0, 1, 0, 1, 0, 1, 0, 1, 1)
    assert interpreted(replace(READINGS, active_seen_from_here=lost_probes), POLICY, None).trouble is None


def test_a_probe_that_is_silent_for_good_is_told_of_as_soon_as_what_else_is_wrong() -> None:
    silent = replace(READINGS, active_seen_from_here=())
    for age, action in ((POLICY.readiness_patience, Action.HOLD), (2 * POLICY.readiness_patience, Action.ALERT)):
        recorded = Trouble(Kind.SILENT, NOW - age, NOW - age)
        decision = decide(interpreted(silent, POLICY, recorded), SITUATION, POLICY)
        assert (decision.action, decision.code) == (action, "not_watched")


def test_where_most_probes_are_lost_people_are_told_although_the_newest_have_failed_each_time() -> None:
    seen = None
    for second in (2, 5, 8):
        now = NOW + timedelta(seconds=second)
        one_of_three = [float(each % 3 == 0) for each in range(second - 9, second + 1)]
        readings = replace(READINGS, at=now, active_seen_from_here=series(*one_of_three, until=now))
        remembered = Remembered(unready=None if seen is None else seen.unready)
        seen = interpret(checked(readings, POLICY), POLICY, remembered)
        assert (seen.trouble is not None, seen.answers_here) == (True, Answer.UNKNOWN)
    assert seen is not None
    assert decide(seen, replace(SITUATION, at=now), POLICY).code == "probes_lost"
