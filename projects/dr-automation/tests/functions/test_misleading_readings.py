"""Readings that look like a sign of life, or hide what is wrong."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from aws_in_memory import drawn
from aws_in_memory.clock import START as NOW
from aws_in_memory.drawn import READ_POLICY as POLICY
from aws_in_memory.drawn import series
from failover.answer import Answer
from failover.decide import decide
from failover.decision import Situation
from failover.policy import WhenUnsure
from failover.signals import Remembered, interpret
from function_runtime.readings import RegionAnswers, Unanswered
from function_runtime.session_outcome import CANNOT_COMMIT, SessionOutcome
from function_runtime.sites import Site
from function_runtime.trouble import Kind, Trouble

SITUATION = Situation(NOW, here=Site.RECOVERY, writer=Site.PRIMARY, last_closed_at=None)
SESSIONS, HEARTBEAT, RECEIVED, MESSAGES = drawn.shown(4.5, 4.5, 4.5, [0] * 7, True)
DEAD = replace(
    drawn.DEAD_READINGS,
    active_seen_from_here=series(1, 1, 1, 0, 0, 0, 0),
    active_sessions_from_here=series(0, 0, 0, None, None, None, None),
    active_sessions_from_there=series(0, 0, 0, None, None, None, None),
    standby_sessions=SESSIONS,
    heartbeat=HEARTBEAT,
    received=RECEIVED,
    stream_message=MESSAGES,
)
SICK = replace(
    DEAD,
    active_seen_from_here=series(*[1] * 7),
    active_seen_from_there=series(*[1] * 7),
)


@pytest.mark.parametrize(
    ("positions", "committed"),
    [
        # The replica restarts in the sixth second, and will stream from the beginning of the log's file.
        ((300, 300, 300, 300, 300, 256, 256), Answer.NO),
        ((300, 300, 300, 300, 300, 256, 300), Answer.NO),
        ((300, 300, 300, 300, 300, 256, 301), Answer.YES),
        ((299, 299, 299, 300, 300, 300, 300), Answer.NO),
        ((300, 300, 300, 300, 300, 300, 301), Answer.YES),
    ],
)
def test_a_replica_that_starts_anew_beside_a_dead_writer_shows_no_commit(
    positions: tuple[int, ...], committed: Answer
) -> None:
    signals = interpret(replace(DEAD, received=series(*positions)), POLICY, Remembered())
    assert signals.committed is committed


@pytest.mark.parametrize("weak", [each for each in SessionOutcome if 0 < each < min(CANNOT_COMMIT)])
@pytest.mark.parametrize(
    ("outcome", "code"), [(SessionOutcome.FULL, "storage_full"), (SessionOutcome.READ_ONLY, "read_only")]
)
def test_an_observer_who_does_not_get_in_does_not_hide_what_the_other_one_finds(
    outcome: SessionOutcome, code: str, weak: SessionOutcome
) -> None:
    by_setting = replace(POLICY, writer_hung=WhenUnsure.FAILOVER)
    for here, there in ((outcome, weak), (weak, outcome)):
        readings = replace(
            SICK,
            active_sessions_from_here=series(0, 0, 0, *[here] * 4),
            active_sessions_from_there=series(0, 0, 0, *[there] * 4),
        )
        assert decide(interpret(readings, POLICY, Remembered()), SITUATION, by_setting).code == code


@pytest.mark.parametrize(("committed_ago", "bound"), [(5.0, 2.0), (2.75, 2.25)])
def test_a_writer_that_lived_on_behind_a_lost_link_may_have_written_until_its_region_went_dark(
    committed_ago: float, bound: float
) -> None:
    """Probes from here have failed for 4 s, the first by 3 s ago; the region was seen dark 0.5 s ago."""
    committed = (NOW - timedelta(seconds=committed_ago)).timestamp()
    silent = Unanswered("no answer", service_answered=False)
    dark = replace(
        DEAD,
        active_seen_from_there=silent,
        active_sessions_from_there=silent,
        active_instance=silent,
        active_is_shut=None,
        active_region=RegionAnswers((), ("rds", "cloudwatch", "sts")),
        reference_region=RegionAnswers(("sts",), ()),
        heartbeat=series(*[committed] * 7),
        stream_message=(),
    )
    since = NOW - timedelta(seconds=4)
    trouble = Trouble(Kind.FAILING, since, since + timedelta(seconds=1), dark_since=NOW - timedelta(seconds=0.5))
    assert interpret(dark, POLICY, Remembered(trouble)).loss_bound_seconds == bound
