"""The judge compared with a naive reading of the same history, row by row, for generated histories."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from drills.clients.history import Attempt, Outcome
from drills.clients.writes_table import StoredRow
from drills.evidence import ReportedLoss, Switch
from drills.judge.lost_rows import Judgement, judge
from tests.drills.stories import FAULT_WALL, NEW, OLD, moment

# Quarters of a second are exact in binary: no rounding stands between the judge and the model.
SECONDS = st.integers(-80, 80).map(lambda quarters: quarters / 4)


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[Attempt], list[int], list[StoredRow]]:
    """Attempts of any outcome at any server, a final read of anything, and what the old writer holds."""
    numbers = draw(st.lists(st.integers(1, 30), unique=True, max_size=20))
    attempts = [
        Attempt(n, moment(at - 0.25), moment(at), draw(st.sampled_from(Outcome)), draw(st.sampled_from((OLD, NEW))))
        for n, at in ((n, draw(SECONDS)) for n in numbers)
    ]
    read_back = draw(st.lists(st.integers(1, 35), max_size=30))
    old_rows = [StoredRow(n, FAULT_WALL + draw(SECONDS)) for n in draw(st.sets(st.integers(1, 30), max_size=6))]
    return attempts, read_back, old_rows


REPORTS = st.builds(
    ReportedLoss,
    rpo_seconds=st.none() | SECONDS.map(abs),
    trouble_since=st.none() | SECONDS.map(lambda at: FAULT_WALL + at),
    any_loss_accepted=st.booleans(),
)
SWITCHES = st.none() | SECONDS.map(lambda at: Switch(FAULT_WALL + at, OLD))
FAULTS = SECONDS.map(lambda at: FAULT_WALL + at)


@given(history=histories(), reported=REPORTS, switch=SWITCHES, fault_at=FAULTS)
def test_the_judge_agrees_with_a_naive_reading_row_by_row(
    history: tuple[list[Attempt], list[int], list[StoredRow]],
    reported: ReportedLoss,
    switch: Switch | None,
    fault_at: float,
) -> None:
    attempts, read_back, old_rows = history
    seen = judge(attempts, read_back, fault_at=fault_at, reported=reported, switch=switch, old_writer_rows=old_rows)
    lost = [a for a in attempts if a.outcome is Outcome.ACKNOWLEDGED and a.n not in read_back]
    end = fault_at
    for row in lost:
        end = max(end, row.finished_at.wall)
    if reported.trouble_since is not None and reported.trouble_since > end:
        end = reported.trouble_since
    if reported.rpo_seconds is None:
        beyond = [] if reported.any_loss_accepted else [row.n for row in lost]
    else:
        beyond = [row.n for row in lost if end - row.finished_at.wall > reported.rpo_seconds]
    if switch is not None:
        by_the_new = [row.n for row in lost if row.server_address == NEW and row.finished_at.wall > switch.at]
        beyond = [*{*beyond, *by_the_new}]
    accepted = set()
    if switch is not None:
        for attempt in attempts:
            by_old = attempt.server_address == OLD and attempt.outcome is Outcome.ACKNOWLEDGED
            if by_old and attempt.finished_at.wall > switch.at:
                accepted.add(attempt.n)
        for stored in old_rows:
            if stored.written_at > switch.at and stored.n not in read_back:
                accepted.add(stored.n)
    assert list(seen.lost) == sorted(row.n for row in lost)
    assert list(seen.lost_beyond_reported_rpo) == sorted(beyond)
    assert list(seen.accepted_by_old_writer_after_switch) == sorted(accepted)
    assert list(seen.unexpected) == sorted(set(read_back) - {attempt.n for attempt in attempts})
    assert list(seen.duplicates) == sorted(n for n in set(read_back) if read_back.count(n) > 1)


@given(history=histories(), reported=REPORTS)
def test_every_attempt_is_in_exactly_one_class(
    history: tuple[list[Attempt], list[int], list[StoredRow]], reported: ReportedLoss
) -> None:
    attempts, read_back, _ = history
    seen = judge(attempts, read_back, fault_at=FAULT_WALL, reported=reported)
    classes = (seen.acknowledged, seen.failed, seen.indeterminate_found, seen.indeterminate_missing)
    assert sorted(n for members in classes for n in members) == list(seen.attempted)
    assert set(seen.lost_beyond_reported_rpo) <= set(seen.lost) <= set(seen.acknowledged)


@given(
    history=histories(),
    promised=SECONDS.map(abs),
    more=SECONDS.map(abs),
    trouble_since=SECONDS.map(lambda at: FAULT_WALL + at),
)
def test_reporting_more_loss_never_makes_the_verdict_worse(
    history: tuple[list[Attempt], list[int], list[StoredRow]], promised: float, more: float, trouble_since: float
) -> None:
    attempts, read_back, _ = history

    def with_report(rpo_seconds: float) -> Judgement:
        reported = ReportedLoss(rpo_seconds, trouble_since)
        return judge(attempts, read_back, fault_at=FAULT_WALL, reported=reported)

    beyond = set(with_report(promised).lost_beyond_reported_rpo)
    assert set(with_report(promised + more).lost_beyond_reported_rpo) <= beyond


@given(last_replayed=SECONDS, trouble_after=SECONDS.map(abs), rows=st.lists(SECONDS, max_size=20))
def test_an_honest_report_is_never_blamed(last_replayed: float, trouble_after: float, rows: list[float]) -> None:
    """What was acknowledged up to the last replayed commit is there; the rest, up to the trouble, is lost."""
    trouble_since = last_replayed + trouble_after
    written = [at for at in rows if at <= trouble_since]
    attempts = [
        Attempt(n, moment(at - 0.25), moment(at), Outcome.ACKNOWLEDGED, OLD) for n, at in enumerate(written, start=1)
    ]
    there = [n for n, at in enumerate(written, start=1) if at <= last_replayed]
    honest = ReportedLoss(rpo_seconds=trouble_after, trouble_since=FAULT_WALL + trouble_since)
    seen = judge(attempts, there, fault_at=FAULT_WALL + trouble_since, reported=honest)
    assert seen.lost_beyond_reported_rpo == ()


def test_a_loss_counted_only_up_to_the_trouble_is_too_little_where_the_writer_went_on() -> None:
    """A cut between the sites: the old writer acknowledged for three seconds more before it was fenced."""
    attempts = [
        Attempt(n, moment(at - 0.25), moment(at), Outcome.ACKNOWLEDGED, OLD)
        for n, at in enumerate((-2.0, -0.5, 1.0, 3.0), start=1)
    ]
    until_trouble = ReportedLoss(rpo_seconds=1.0, trouble_since=FAULT_WALL)
    until_fence = ReportedLoss(rpo_seconds=4.0, trouble_since=FAULT_WALL)
    assert judge(attempts, [1], fault_at=FAULT_WALL, reported=until_trouble).lost_beyond_reported_rpo == (2, 3)
    assert judge(attempts, [1], fault_at=FAULT_WALL, reported=until_fence).lost_beyond_reported_rpo == ()
