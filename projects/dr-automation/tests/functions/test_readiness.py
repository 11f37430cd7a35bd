"""What would keep a healthy writer from being replaced, and when people are told of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from aws_in_memory.clock import START as NOW
from aws_in_memory.drawn import DEAD_READINGS, SILENCE, series
from aws_in_memory.drawn import READ_POLICY as POLICY
from failover.answer import Answer
from failover.readiness import concerns, is_due, probes_lost
from function_runtime.readings import Instance
from function_runtime.session_outcome import SessionOutcome

WELL = replace(
    DEAD_READINGS,
    active_seen_from_here=series(*[1.0] * 12),
    active_sessions_from_here=series(0),
    active_sessions_from_there=series(0),
    standby_sessions=series(0),
)
LIMIT = POLICY.max_data_loss_seconds


def found(
    *, lag: float | None = 0.0, answers: tuple[Answer, Answer, Answer] | None = None, **changed: Any
) -> list[str]:
    probe, there, standby = answers or (Answer.YES,) * 3
    seen = concerns(
        replace(WELL, **changed), POLICY, probe_works=probe, answers_there=there, standby_ready=standby, lag=lag
    )
    return [each.code for each in seen]


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({}, None),
        ({"active_instance": Instance("failed", None, {})}, "rds_says_failed"),
        ({"active_instance": Instance("rebooting", None, {})}, None),
        ({"active_instance": SILENCE}, None),
        ({"lag": LIMIT}, None),
        ({"lag": LIMIT + 1}, "replica_behind"),
        ({"lag": LIMIT + 1, "heartbeat": ()}, None),
        ({"lag": POLICY.drain_seconds + 1, "heartbeat": ()}, "replica_behind"),
        ({"lag": None}, "replica_behind"),
        ({"answers": (Answer.UNKNOWN, Answer.YES, Answer.YES)}, "probe_silent"),
        ({"answers": (Answer.YES, Answer.UNKNOWN, Answer.YES)}, "other_probe_silent"),
        ({"answers": (Answer.YES, Answer.NO, Answer.YES)}, None),
        ({"answers": (Answer.YES, Answer.YES, Answer.NO), "lag": None}, "standby_not_ready"),
        ({"witness": series(1)}, None),
        ({"witness": series(1, *[None] * 4)}, "witness_silent"),
        ({"witness": SILENCE}, "witness_silent"),
        ({"master_secret": True}, None),
        ({"master_secret": False}, "secret_missing"),
        ({"master_secret": SILENCE}, "secret_missing"),
        ({"standby_sessions": series(SessionOutcome.NOT_ENDED)}, "sessions_do_not_end"),
        ({"active_sessions_from_there": series(SessionOutcome.NO_ROOM)}, "evidence_weak"),
        ({"active_sessions_from_here": series(SessionOutcome.NOT_VERIFIED)}, "not_verified"),
    ],
)
def test_what_is_a_concern_and_what_is_none(changed: dict[str, Any], code: str | None) -> None:
    assert found(**changed) == ([] if code is None else [code])


def test_the_most_urgent_concern_comes_first() -> None:
    weak: dict[str, Any] = {
        "standby_sessions": series(SessionOutcome.NOT_PREPARED),
        "active_sessions_from_here": series(SessionOutcome.NOT_VERIFIED),
        "active_sessions_from_there": series(SessionOutcome.NOT_ENDED),
    }
    assert found(**weak) == ["sessions_do_not_end", "not_verified", "evidence_weak"]


@pytest.mark.parametrize(
    ("answers", "is_lost"),
    [
        ([1, 1, 1, 1, 1, 1], False),
        ([0, 1, 1, 1, 1, 1], False),
        ([0, 1, 0, 1, 1, 1], True),
        ([0, None, None, 1, 1, 1, 1], False),
        ([0, 0, 0, 1, 1, 1, 1, 1, 1], False),
        ([], False),
    ],
    ids=["none", "one of six", "two of six", "too long ago", "three before that", "no probes"],
)
def test_probes_are_lost_where_three_of_ten_of_the_last_two_outages_are(
    answers: list[float | None], is_lost: bool
) -> None:
    assert bool(probes_lost(replace(WELL, active_seen_from_here=series(*answers)), POLICY)) is is_lost


def test_three_lost_probes_of_ten_are_many() -> None:
    policy = replace(POLICY, outage_seconds=5)
    ten = replace(WELL, active_seen_from_here=series(0, 1, 1, 0, 1, 1, 0, 1, 1, 1))
    (lost,) = probes_lost(ten, policy)
    assert lost.reason == "3 of this site's last 10 probes of the writer were lost"


def test_people_are_told_of_a_concern_after_patience() -> None:
    assert is_due(NOW - POLICY.readiness_patience, NOW, POLICY)
    assert not is_due(NOW - POLICY.readiness_patience + timedelta(seconds=1), NOW, POLICY)


def test_people_read_what_is_not_known() -> None:
    asked: dict[str, Any] = {"probe_works": Answer.YES, "answers_there": Answer.YES, "standby_ready": Answer.YES}
    (behind,) = concerns(WELL, POLICY, **asked, lag=None)
    assert "behind: a failover" in behind.reason
    assert "an unknown time" in behind.reason
    (secret,) = concerns(replace(WELL, master_secret=SILENCE), POLICY, **asked, lag=0.0)
    assert "is not known to be in the recovery site's region: timed out" in secret.reason
    (secret,) = concerns(replace(WELL, master_secret=False), POLICY, **asked, lag=0.0)
    assert secret.reason == "the master user's secret is not in the recovery site's region"
