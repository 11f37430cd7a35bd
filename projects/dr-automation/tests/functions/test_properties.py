"""What holds for whatever is read and whatever the signals say (C1, C2, D4)."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st

from aws_in_memory import deployed
from aws_in_memory.clock import START as NOW
from aws_in_memory.consistency import interpreted
from aws_in_memory.drawn import (
    FAR,
    NEAR,
    POLICIES,
    READ_POLICY,
    READINGS,
    RECORDED,
    REFUSAL,
    SIGNALS,
    SITUATIONS,
    seen,
    series,
)
from decision_table.phases import PHASES
from failover import messages
from failover.advice import ADVICE
from failover.answer import Answer
from failover.decide import decide, second_signals
from failover.decision import Action, Decision, Situation
from failover.policy import Mode, Policy, WhenUnsure
from failover.readings import Readings
from failover.signals import SIGNAL_NAMES, Signals
from function_runtime import metrics
from function_runtime.control import Order, OrderKind
from function_runtime.incident import TAKEN_BACK, WHEN_PLANNED, Incident, Phase, Shown, Step
from function_runtime.incident import Kind as IncidentKind
from function_runtime.message import Message
from function_runtime.readings import RegionAnswers, Unanswered
from function_runtime.session_outcome import SessionOutcome
from function_runtime.sites import Site
from function_runtime.state import Proposal
from function_runtime.trouble import Trouble

pytestmark = pytest.mark.exhaustive

# The longest name that an environment may well have: the subject still fits.
SETTINGS = replace(deployed.SETTINGS, environment_suffix="e" * 63)

WATCHED = Situation(NOW, here=Site.RECOVERY, writer=Site.PRIMARY, last_closed_at=None)
# What a yes of these says is that the writer lives, or that its silence has another reason.
AGAINST_A_FAILOVER = {"answers_there", "witness_sees", "committed", "process_lives", "in_maintenance"}
# Which reading each of them comes from.
CARRIED_BY = {
    "active_seen_from_there": "answers_there",
    "witness": "witness_sees",
    "lag": "committed",
    "heartbeat": "committed",
    "received": "committed",
    "stream_message": "process_lives",
    "active_instance": "in_maintenance",
}
# Most decisions are none that people hear of, and a machine may be slow: neither is a defect of what is tested.
many = settings(
    max_examples=400, deadline=None, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow]
)


def is_forced(situation: Situation) -> bool:
    return situation.order is not None and situation.order.kind is OrderKind.FORCED


def is_approved(situation: Situation) -> bool:
    return situation.order is not None and situation.order.kind is OrderKind.APPROVE


def assert_may_fail_over(signals: Signals, situation: Situation, policy: Policy) -> None:
    """Everything that must be true where a failover starts."""
    order = situation.order
    assert situation.writer is not situation.here
    assert policy.mode is not Mode.PAUSED
    assert signals.standby_ready is Answer.YES
    if is_forced(situation):
        return
    assert signals.probe_works is Answer.YES
    if order is not None and order.kind is OrderKind.PLANNED:
        assert (signals.answers_here, signals.rds_healthy, signals.trouble) == (Answer.YES, Answer.YES, None)
        return
    assert signals.committed is not Answer.YES, "a commit is a veto, always"
    assert signals.trouble is not None
    if signals.trouble.is_hung:
        assert_may_replace_a_hung_writer(signals, situation, policy)
        return
    assert signals.answers_here is Answer.NO
    alive = (signals.answers_there, signals.witness_sees, signals.process_lives)
    assert Answer.YES not in alive
    if order is None:
        assert second_signals(signals), "never on one signal"
        proven = Answer.NO in (signals.rds_healthy, signals.region_answers)
        ended = signals.stream_ended is Answer.YES and signals.trouble.lived_at is None
        assert proven or ended, "never through one door alone"
        assert_within_the_bounds(signals, policy)
        return
    # A person may stand for the second signal only where RDS itself reports work that does not end.
    assert second_signals(signals) or signals.in_maintenance is Answer.YES
    assert_loss_accepted(signals, order, policy)


def assert_within_the_bounds(signals: Signals, policy: Policy) -> None:
    """What nobody is asked about."""
    assert policy.mode is Mode.AUTOMATIC
    assert signals.in_maintenance is not Answer.YES or policy.maintenance_overdue is WhenUnsure.FAILOVER
    assert signals.loss_bound_seconds is not None
    assert signals.loss_bound_seconds <= policy.max_data_loss_seconds


def assert_loss_accepted(signals: Signals, order: Order, policy: Policy) -> None:
    if signals.loss_bound_seconds is None:
        assert order.accepts_unknown_loss
    elif signals.loss_bound_seconds > policy.max_data_loss_seconds:
        assert order.accepted_loss_seconds is not None
        assert signals.loss_bound_seconds <= order.accepted_loss_seconds


def assert_may_replace_a_hung_writer(signals: Signals, situation: Situation, policy: Policy) -> None:
    assert signals.session not in (SessionOutcome.FULL, SessionOutcome.READ_ONLY)
    assert signals.commits is Answer.NO, "what hung before and is not seen now is no reason"
    if situation.order is not None:
        assert_loss_accepted(signals, situation.order, policy)
        return
    assert policy.writer_hung is WhenUnsure.FAILOVER
    assert signals.committed is Answer.NO, "what is not looked at may commit"
    assert_within_the_bounds(signals, policy)


@many
@given(SIGNALS, SITUATIONS, POLICIES)
def test_a_failover_has_all_its_reasons(signals: Signals, situation: Situation, policy: Policy) -> None:
    decision = decide(signals, situation, policy)
    event(decision.code)
    assert decision.code
    assert decision.reason
    if decision.action is Action.FAIL_OVER:
        assert_may_fail_over(signals, situation, policy)


@many
@given(READINGS, RECORDED)
def test_a_failover_has_all_its_reasons_in_what_was_read(readings: Readings, recorded: Trouble | None) -> None:
    signals = interpreted(readings, READ_POLICY, recorded)
    decision = decide(signals, WATCHED, READ_POLICY)
    event(decision.code)
    if decision.action is Action.FAIL_OVER:
        assert_may_fail_over(signals, WATCHED, READ_POLICY)
        # In the readings' own words, without the words that interpret() gives them.
        here = readings.active_seen_from_here
        assert not isinstance(here, Unanswered)
        assert all(point.maximum < 1 for point in here[-3:]), "its probes have failed to the end"
        independent = (readings.active_seen_from_there, readings.active_instance, readings.witness)
        silent = readings.active_region.answered == ()
        assert silent or any(reading is not None and not isinstance(reading, Unanswered) for reading in independent)


@many
@given(SIGNALS, SITUATIONS, POLICIES, st.sampled_from(SIGNAL_NAMES))
def test_what_becomes_unknown_starts_a_failover_only_if_it_spoke_against_one(
    signals: Signals, situation: Situation, policy: Policy, name: str
) -> None:
    """Of all signals and all answers only a yes of `AGAINST_A_FAILOVER` can be in a failover's way.

    So evidence of death that is lost (any no), and anything else that is lost, never starts one: unknown counts neither
    as dead nor, for a planned failover, as healthy.
    """
    answer = getattr(signals, name)
    assume(answer is not Answer.UNKNOWN)
    before = decide(signals, situation, policy)
    unknown: dict[str, Any] = {name: Answer.UNKNOWN}
    after = decide(replace(signals, **unknown), situation, policy)
    if after.action is Action.FAIL_OVER and before.action is not Action.FAIL_OVER:
        assert (answer, name in AGAINST_A_FAILOVER) == (Answer.YES, True)


@many
@given(SIGNALS, SITUATIONS, POLICIES)
def test_a_lag_that_becomes_unknown_starts_no_failover_that_nobody_ordered(
    signals: Signals, situation: Situation, policy: Policy
) -> None:
    situation = replace(situation, order=None)
    before = decide(signals, situation, policy)
    for without in (replace(signals, lag_before_seconds=None), replace(signals, loss_bound_seconds=None)):
        after = decide(without, situation, policy)
        assert after.action is not Action.FAIL_OVER or before.action is Action.FAIL_OVER


@many
@given(
    READINGS,
    RECORDED,
    st.sampled_from([NEAR, FAR, ("witness",), ("active_instance",), ("standby_instance",), ("reference_region",)]),
)
def test_a_reading_that_is_lost_starts_a_failover_only_if_it_spoke_against_one(
    readings: Readings, recorded: Trouble | None, names: tuple[str, ...]
) -> None:
    """The same for what is read: each answer may be a refusal. That a whole region is silent is a reading too."""
    nothing: dict[str, Any] = dict.fromkeys(names, REFUSAL)
    if "reference_region" in names:
        assume(readings.reference_region is not None)
        nothing = {"reference_region": RegionAnswers((), ("sts",))}
    lost = replace(readings, **nothing)
    if not {"active_instance", *FAR}.isdisjoint(names):
        lost = seen(lost)
    signals = interpreted(readings, READ_POLICY, recorded)
    before = decide(signals, WATCHED, READ_POLICY)
    after = decide(interpreted(lost, READ_POLICY, recorded), WATCHED, READ_POLICY)
    if after.action is Action.FAIL_OVER and before.action is not Action.FAIL_OVER:
        said = [getattr(signals, CARRIED_BY[name]) for name in names if name in CARRIED_BY]
        # Or it had shown life since the trouble began, a while ago.
        assert Answer.YES in said or (signals.trouble is not None and signals.trouble.has_shown_life)


@many
@given(READINGS, RECORDED, st.data())
def test_lost_datapoints_of_failed_probes_prove_no_outage(
    readings: Readings, recorded: Trouble | None, data: st.DataObject
) -> None:
    here = readings.active_seen_from_here
    assume(not isinstance(here, Unanswered))
    assert not isinstance(here, Unanswered)
    kept = tuple(point for point in here if point.maximum >= 1 or data.draw(st.booleans()))
    fewer = interpreted(replace(readings, active_seen_from_here=kept), READ_POLICY, recorded)
    if fewer.answers_here is Answer.NO:
        assert interpreted(readings, READ_POLICY, recorded).answers_here is Answer.NO


@many
@given(SIGNALS, SITUATIONS, POLICIES)
def test_the_same_is_decided_the_same(signals: Signals, situation: Situation, policy: Policy) -> None:
    assert decide(signals, situation, policy) == decide(signals, situation, policy)


@many
@given(READINGS, RECORDED)
def test_the_same_is_read_the_same(readings: Readings, recorded: Trouble | None) -> None:
    assert interpreted(readings, READ_POLICY, recorded) == interpreted(readings, READ_POLICY, recorded)


DECIDE_SOME = """
import dataclasses, itertools, json
from aws_in_memory.drawn import DEAD, NOW, READ_POLICY
from failover.decide import decide
from failover.decision import Situation
from failover.answer import Answer
from function_runtime.session_outcome import SessionOutcome
from function_runtime.sites import Site
names = ("answers_there", "rds_healthy", "witness_sees", "region_answers", "standby_ready")
situation = Situation(NOW, here=Site.RECOVERY, writer=Site.PRIMARY, last_closed_at=None)
print(json.dumps([
    decide(dataclasses.replace(DEAD, **dict(zip(names, answers))), situation, READ_POLICY).as_item()
    for answers in itertools.product(Answer, repeat=len(names))
]))
"""


def test_another_process_with_other_hashes_decides_the_same() -> None:
    said = []
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)}
        answer = subprocess.run(
            [sys.executable, "-c", DECIDE_SOME],
            env=environment,
            cwd=Path(__file__).resolve().parents[2],
            capture_output=True,
            text=True,
            check=True,
        )
        said.append(json.loads(answer.stdout))
    assert said[0] == said[1]
    assert len(said[0]) == 3**5


class Pages:
    """CloudWatch, whose answer comes in pages: datapoints twice, in any order."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - no secret

    def get_metric_data(self, **question: Any) -> dict[str, Any]:
        results = []
        for query in question["MetricDataQueries"]:
            points = [(point.start, point.maximum) for point in series(1, 1, 0, 0, 1, 0)]
            if "NextToken" not in question:
                points = self._random.sample(points, 4)
            points += self._random.choices(points, k=3)
            self._random.shuffle(points)
            times, values = zip(*points, strict=True)
            results.append({"Id": query["Id"], "Timestamps": list(times), "Values": list(values)})
        self._random.shuffle(results)
        return {"MetricDataResults": results, **({} if "NextToken" in question else {"NextToken": "more"})}


@given(st.integers(0, 10_000))
def test_datapoints_that_come_twice_and_in_any_order_are_read_once_and_in_order(seed: int) -> None:
    metric = metrics.answers("PostgresDR/test", Site.PRIMARY, Site.RECOVERY, 1)
    read = metrics.read(Pages(seed), {"here": metric}, NOW - timedelta(seconds=6), NOW)["here"]
    assert [(point.start, point.maximum) for point in read] == [
        (point.start, point.maximum) for point in series(1, 1, 0, 0, 1, 0)
    ]


@many
@given(SIGNALS, SITUATIONS, POLICIES)
def test_whoever_is_told_of_a_decision_is_told_what_to_do(
    signals: Signals, situation: Situation, policy: Policy
) -> None:
    decision = decide(signals, situation, policy)
    assume(decision.action in (Action.ALERT, Action.ASK))
    assert ADVICE[decision.code].next
    assert ADVICE[decision.code].to_do
    assume(signals.trouble is not None)
    assert signals.trouble is not None
    trouble = replace(signals.trouble, incident_id="000001-20260101T120000Z")
    if decision.action is Action.ALERT:
        message = messages.alert(SETTINGS, decision, signals, trouble)
    else:
        proposal = Proposal("000001-20260101T120000Z", 1, decision.code, signals.loss_bound_seconds)
        message = messages.asked(SETTINGS, decision, signals, proposal)
        assert "--approve 000001-20260101T120000Z --epoch 1" in message.text
    assert_can_be_sent(message, "000001-20260101T120000Z")
    assert decision.reason in message.text


def assert_can_be_sent(message: Message, incident_id: str) -> None:
    """https://docs.aws.amazon.com/sns/latest/api/API_Publish.html."""
    assert message.subject.isascii()
    assert message.subject.isprintable()
    assert len(message.subject) < 100
    assert message.subject.startswith(f"[{SETTINGS.environment_suffix}] ")
    assert len(message.text.encode()) < 256 * 1024
    for needed in (incident_id, SETTINGS.dashboard_url, f"{SETTINGS.runbook_url}#", SETTINGS.writer_name):
        assert needed in message.text


STEPS = st.builds(
    Step,
    phase=st.sampled_from(sorted({*WHEN_PLANNED, *TAKEN_BACK} - {Phase.OPENED, Phase.CLOSED})),
    started_at=st.just(NOW),
    finished_at=st.just(NOW),
    outcome=st.sampled_from(sorted({ending.outcome for told in PHASES.values() for ending in told.endings})),
    detail=st.text(),
    shows=st.none() | st.sampled_from(Shown),
    shows_since=st.none() | st.just(NOW),
)
INCIDENTS = st.builds(
    Incident,
    incident_id=st.sampled_from(["000001-20260101T120000Z", "000001-ordered"]),
    kind=st.sampled_from(IncidentKind),
    new_writer=st.sampled_from(Site),
    epoch=st.integers(1, 10**6),
    phase=st.sampled_from(Phase),
    opened_at=st.just(NOW),
    trouble_since=st.just(NOW),
    decision=st.builds(lambda reason: Decision(Action.FAIL_OVER, "writer_dead", reason).as_item(), st.text()),
    signals=st.just({"answers_here": "no"}),
    lag_before_seconds=st.none() | st.floats(0, 1e9),
    data_loss_seconds=st.none() | st.floats(0, 1e9),
    owner=st.just("run"),
    lease_until=st.just(NOW),
    ordered_by=st.none() | st.text(),
    steps=st.lists(STEPS, max_size=4, unique_by=lambda step: step.phase).map(tuple),
    rto_seconds=st.none() | st.floats(0, 1e9),
    asked_again=st.integers(0, 10**6),
)


@given(INCIDENTS, STEPS, st.text(max_size=2000))
def test_every_message_of_an_incident_can_be_sent_and_names_where_to_look(
    incident: Incident, step: Step, why: str
) -> None:
    for message in (
        messages.opened(SETTINGS, incident),
        messages.step_done(SETTINGS, incident, step),
        messages.blocked(SETTINGS, incident, step, why),
        messages.dropped(SETTINGS, incident, step),
        messages.overdue(SETTINGS, incident, step, timedelta(seconds=900)),
        messages.closed(SETTINGS, incident, None),
    ):
        assert_can_be_sent(message, incident.incident_id)


@given(INCIDENTS)
def test_what_is_recorded_of_an_incident_is_read_back_as_it_was(incident: Incident) -> None:
    assert Incident.from_item(incident.as_item()) == incident
