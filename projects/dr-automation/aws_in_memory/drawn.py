"""What hypothesis draws: signals, situations and policies to decide on, and consistent readings to make signals of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from datetime import datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from aws_in_memory.clock import START as NOW
from aws_in_memory.consistency import checked
from failover.answer import Answer
from failover.decision import Situation
from failover.policy import Mode, Policy, WhenUnsure
from failover.readiness import CODES, Concern
from failover.readings import Readings
from failover.signals import SIGNAL_NAMES, Signals
from function_runtime.asking import region_answers
from function_runtime.control import Order, OrderKind
from function_runtime.readings import Datapoint, Instance, RegionAnswers, Series, Unanswered
from function_runtime.session_outcome import SessionOutcome
from function_runtime.sites import Site
from function_runtime.trouble import Kind, Trouble, Unready

ANSWERS = st.sampled_from(Answer)
# Quarters: exact in seconds and in microseconds.
SECONDS = st.integers(0, 800).map(lambda quarters: quarters / 4)
TROUBLES = st.builds(
    lambda kind, age, lived_at: Trouble(kind, NOW - timedelta(seconds=age), NOW, lived_at=lived_at),
    st.sampled_from(Kind),
    SECONDS,
    st.sampled_from([None, None, NOW]),
)
CONCERNS = st.lists(st.sampled_from(CODES), unique=True).map(lambda codes: tuple(Concern(code, code) for code in codes))
ANYTHING = st.builds(
    Signals,
    **dict.fromkeys(SIGNAL_NAMES, ANSWERS),
    session=st.none() | st.sampled_from(SessionOutcome),
    trouble=st.none() | TROUBLES,
    lag_before_seconds=st.none() | SECONDS,
    loss_bound_seconds=st.none() | SECONDS,
    unready=st.just(Unready(dict.fromkeys(CODES, NOW - timedelta(hours=1)), dict.fromkeys(CODES, NOW))),
    concerns=CONCERNS,
    witness_awaited=st.booleans(),
)
DEAD = Signals(
    answers_here=Answer.NO,
    probe_works=Answer.YES,
    answers_there=Answer.UNKNOWN,
    rds_healthy=Answer.UNKNOWN,
    in_maintenance=Answer.UNKNOWN,
    region_answers=Answer.UNKNOWN,
    witness_sees=Answer.UNKNOWN,
    commits=Answer.UNKNOWN,
    host_reports=Answer.YES,
    committed=Answer.NO,
    process_lives=Answer.NO,
    stream_ended=Answer.YES,
    standby_ready=Answer.YES,
    catches_up=Answer.YES,
    lets_clients_in=Answer.YES,
    session=None,
    trouble=Trouble(Kind.FAILING, NOW - timedelta(seconds=9), NOW),
    lag_before_seconds=1.0,
    loss_bound_seconds=2.0,
)
HEALTHY = replace(
    DEAD,
    answers_here=Answer.YES,
    commits=Answer.YES,
    rds_healthy=Answer.YES,
    session=SessionOutcome.WORKS,
    trouble=None,
    loss_bound_seconds=None,
)
HUNG = replace(
    HEALTHY,
    commits=Answer.NO,
    session=SessionOutcome.HUNG,
    trouble=Trouble(Kind.HUNG, NOW - timedelta(seconds=9), NOW),
    loss_bound_seconds=2.0,
)
# Most of what is drawn from everything is decided by the first questions; little changed, the last ones are asked too.
SIGNALS = ANYTHING | st.builds(
    lambda signals, anything, changed: replace(signals, **{name: getattr(anything, name) for name in changed}),
    st.sampled_from(
        [
            HEALTHY,
            HUNG,
            replace(HUNG, session=SessionOutcome.FULL),
            DEAD,
            replace(DEAD, answers_there=Answer.NO),
            replace(DEAD, region_answers=Answer.NO),
            replace(DEAD, region_answers=Answer.NO, witness_awaited=True),
            replace(DEAD, answers_there=Answer.NO, process_lives=Answer.YES, stream_ended=Answer.NO),
            replace(DEAD, answers_there=Answer.NO, stream_ended=Answer.UNKNOWN),
            replace(DEAD, process_lives=Answer.YES, lets_clients_in=Answer.NO),
            replace(DEAD, rds_healthy=Answer.NO, loss_bound_seconds=None),
            replace(DEAD, in_maintenance=Answer.YES),
            replace(DEAD, stream_ended=Answer.NO, lets_clients_in=Answer.NO),
            replace(DEAD, stream_ended=Answer.UNKNOWN, answers_there=Answer.NO),
        ]
    ),
    ANYTHING,
    st.sets(st.sampled_from([field.name for field in fields(Signals)]), max_size=2),
)
POLICIES = st.builds(
    Policy,
    mode=st.sampled_from([Mode.AUTOMATIC, *Mode]),
    outage_seconds=st.integers(1, 60),
    metric_period_seconds=st.just(1),
    lag_period_seconds=st.just(1),
    max_data_loss_seconds=SECONDS,
    cool_down_seconds=SECONDS,
    replication_timeout_seconds=st.just(30),
    dark_without_witness=st.sampled_from(WhenUnsure),
    writer_hung=st.sampled_from(WhenUnsure),
    maintenance_overdue=st.sampled_from(WhenUnsure),
)
ORDERS = st.none() | st.builds(
    Order,
    kind=st.sampled_from(OrderKind),
    incident_id=st.just("000001-ordered"),
    epoch=st.just(1),
    by=st.just("arn:person"),
    at=st.just(NOW),
    expires_at=st.just(NOW + timedelta(minutes=15)),
    accepted_loss_seconds=st.none() | SECONDS,
    accepts_unknown_loss=st.booleans(),
)
SITUATIONS = st.builds(
    lambda here, is_here, last_closed_at, order: Situation(
        NOW, here, here if is_here else here.other, last_closed_at, order
    ),
    here=st.sampled_from(Site),
    is_here=st.sampled_from([False, False, False, True]),
    last_closed_at=st.none() | st.builds(lambda ago: NOW - timedelta(seconds=ago), SECONDS),
    order=ORDERS,
)


# Readings, in periods of a second. The outages in them are 3 s long or more.
READ_POLICY = Policy(
    mode=Mode.AUTOMATIC,
    outage_seconds=3,
    metric_period_seconds=1,
    lag_period_seconds=1,
    max_data_loss_seconds=10,
    cool_down_seconds=60,
    replication_timeout_seconds=1,
)
SILENCE = Unanswered("timed out", service_answered=False)
REFUSAL = Unanswered("AccessDenied", service_answered=True)
PERIODS = 12


def series(*values: float | None, until: datetime = NOW) -> Series:
    """One sample a second, the last one in the second before ``until``; None is a second without."""
    first = until - timedelta(seconds=len(values))
    return tuple(
        Datapoint(first + timedelta(seconds=number), value, value, 1)
        for number, value in enumerate(values)
        if value is not None
    )


def _ending(before: float, outage: list[float | None]) -> Series:
    return series(*[before] * (PERIODS - len(outage)), *outage)


PROBES = st.one_of(
    st.builds(_ending, st.just(1.0), st.lists(st.just(0.0), min_size=4, max_size=9)),
    st.builds(_ending, st.just(1.0), st.lists(st.sampled_from([0.0, 0.0, 0.0, 1.0, None]), max_size=9)),
    st.just(series(*[1.0] * PERIODS)),
)
LAGS = st.one_of(
    st.builds(
        lambda lag, climb: series(*[lag] * (PERIODS - climb), *[lag + each for each in range(climb)]),
        st.sampled_from([0.0, 0.5, 3.0, 30.0]),
        st.integers(0, 9),
    ),
    st.lists(st.sampled_from([None, -1.0, 0.0, 2.0, 40.0]), max_size=PERIODS).map(lambda values: series(*values)),
)
SLOTS = st.lists(st.sampled_from([None, 0.0, 0.0, 64.0]), max_size=PERIODS).map(lambda values: series(*values))
NO_ANSWER = st.sampled_from([SILENCE, REFUSAL])
STATUSES = st.sampled_from(["available", "available", "rebooting", "failed", "storage-full", "word-of-tomorrow"])
INSTANCES = st.one_of(st.builds(Instance, STATUSES, st.none(), st.just({})), NO_ANSWER)
STANDBYS = st.one_of(
    st.just(Instance("available", "arn:source", {})),
    st.builds(Instance, STATUSES, st.none(), st.just({})),
    st.builds(Instance, STATUSES, st.just("arn:source"), st.just({}), st.booleans()),
    NO_ANSWER,
)
# What is read in one question, or of one service, is drawn together.
NEAR = (
    "active_seen_from_here",
    "active_sessions_from_here",
    "standby_seen_from_here",
    "standby_sessions",
    "heartbeat",
    "received",
    "stream_message",
    "lag",
)


def shown(
    until: float, moved: float, heard: float, outcomes: Sequence[float | None], is_shown: bool
) -> tuple[Series, Series, Series, Series]:
    """What the standby's sessions read of a stream: heartbeats, positions, messages, each up to so many seconds ago."""
    sessions = series(*outcomes)
    read = [point for point in sessions if point.minimum == SessionOutcome.WORKS]

    def up_to(ago: float) -> Series:
        last = (NOW - timedelta(seconds=ago)).timestamp()
        values = [(point.start, min(point.start.timestamp(), last)) for point in read]
        return tuple(Datapoint(start, value, value, 1) for start, value in values)

    return sessions, up_to(until), up_to(moved), up_to(heard) if is_shown else ()


AGO = st.sampled_from([0.0, 2.0, 6.0, 7.0, 20.0])
OUTCOMES = st.one_of(
    st.just([0.0] * PERIODS),
    st.lists(st.sampled_from([None, 0.0, 0.0, 1.0, 2.0]), max_size=PERIODS),
)
SHOWN = st.builds(shown, AGO, AGO, AGO, OUTCOMES, st.booleans())
SESSIONS = st.one_of(
    st.builds(_ending, st.just(0.0), st.lists(st.just(8.0), min_size=4, max_size=9)),
    st.lists(st.sampled_from([None, 0.0, 1.0, 4.0, 6.0, 7.0, 8.0, 8.0]), max_size=PERIODS).map(
        lambda values: series(*values)
    ),
    st.just(series(*[0.0] * PERIODS)),
)
NEAR_READ = st.one_of(
    st.builds(
        lambda active, sessions, own, of_standby, lag: (active, sessions, own, *of_standby, lag),
        PROBES,
        SESSIONS,
        st.just(series(*[1.0] * PERIODS)) | PROBES,
        SHOWN,
        LAGS,
    ),
    NO_ANSWER.map(lambda answer: (answer,) * len(NEAR)),
)
LOADS = st.sampled_from([series(*[20.0] * PERIODS), series(*[20.0] * 6, *[None] * 6), ()])
FAR = ("active_seen_from_there", "active_sessions_from_there", "slot_lag", "host_load")
FAR_READ = st.one_of(st.tuples(PROBES, SESSIONS, SLOTS, LOADS), NO_ANSWER.map(lambda answer: (answer,) * len(FAR)))


def seen(readings: Readings, *, sts: bool = False, elsewhere: bool = True) -> Readings:
    """The readings, with what they say of the regions.

    Args:
        readings: the readings, whatever they have of the regions.
        sts: whether the active region's STS answers, where it is asked.
        elsewhere: the same of the reference region's.
    """
    answers = {"rds": readings.active_instance, "cloudwatch": readings.active_seen_from_there}
    active = region_answers(answers)
    if active.answered:
        return checked(replace(readings, active_region=active, reference_region=None), READ_POLICY)
    again, reference = (region_answers({"sts": None if answered else SILENCE}) for answered in (sts, elsewhere))
    active = RegionAnswers((*active.answered, *again.answered), (*active.silent, *again.silent))
    return checked(replace(readings, active_region=active, reference_region=reference), READ_POLICY)


OUTAGE = series(*[1.0] * 6, *[0.0] * 6)
WORKED = series(*[0.0] * 6, *[None] * 6)
OWN_SESSIONS, HEARTBEAT, RECEIVED, MESSAGES = shown(6.5, 6.5, 6.5, [0.0] * PERIODS, True)
DEAD_READINGS = Readings(
    at=NOW,
    active=Site.PRIMARY,
    here=Site.RECOVERY,
    active_seen_from_here=OUTAGE,
    active_seen_from_there=OUTAGE,
    standby_seen_from_here=series(*[1.0] * PERIODS),
    active_sessions_from_here=WORKED,
    active_sessions_from_there=WORKED,
    standby_sessions=OWN_SESSIONS,
    heartbeat=HEARTBEAT,
    received=RECEIVED,
    stream_message=MESSAGES,
    host_load=series(*[20.0] * PERIODS),
    lag=series(*[0.5] * 6, *[0.5 + second for second in range(1, 7)]),
    slot_lag=(),
    witness=None,
    active_instance=Instance("available", None, {}),
    standby_instance=Instance("available", "arn:source", {}),
    active_region=RegionAnswers(("rds", "cloudwatch"), ()),
    reference_region=None,
)
SILENT_THERE: dict[str, Any] = dict.fromkeys(FAR, SILENCE)
DARK_READINGS = seen(replace(DEAD_READINGS, **SILENT_THERE, active_instance=SILENCE))
CHANGES: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "near": NEAR_READ.map(lambda read: dict(zip(NEAR, read, strict=True))),
    "far": FAR_READ.map(lambda read: dict(zip(FAR, read, strict=True))),
    "witness": st.fixed_dictionaries({"witness": st.none() | PROBES | NO_ANSWER}),
    "active": st.fixed_dictionaries({"active_instance": INSTANCES}),
    "standby": st.fixed_dictionaries({"standby_instance": STANDBYS}),
}


@st.composite
def _readings(draw: st.DrawFn) -> Readings:
    """Anything at all, or a dead writer or a dark region of which little is otherwise."""
    readings = draw(st.sampled_from([DEAD_READINGS, DARK_READINGS]))
    changed = draw(st.just(set(CHANGES)) | st.sets(st.sampled_from(sorted(CHANGES)), max_size=2))
    for name in sorted(changed):
        readings = replace(readings, **draw(CHANGES[name]))
    return seen(readings, sts=draw(st.booleans()), elsewhere=draw(st.sampled_from([True, True, False])))


READINGS = _readings()
RECORDED = st.none() | st.builds(
    Trouble,
    kind=st.sampled_from(Kind),
    since=st.integers(3, 12).map(lambda ago: NOW - timedelta(seconds=ago)),
    first_failure_by=st.just(NOW - timedelta(seconds=3)),
    lag_before_seconds=st.none() | st.sampled_from([0.5, 30.0]),
    dark_since=st.none() | st.just(NOW - timedelta(seconds=2)),
)
