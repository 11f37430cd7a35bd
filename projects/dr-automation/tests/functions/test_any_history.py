"""Whatever happens in whatever order: one promotion, and nothing goes back (C2, D4).

Hypothesis composes histories: runs, alone, five at a time, held up and overtaken by others, with a fault at any call;
people who pause, resume, approve what was asked and what was not, plan and force; a writer that dies and comes back,
in a region that goes dark and returns. What must always hold is checked after every step of them.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from aws_in_memory.aws import Call, Fault, TakeEffect, no_fault
from aws_in_memory.clock import START
from aws_in_memory.deployed import REGIONS, SETTINGS, healthy, run
from aws_in_memory.faults import FAULTS, At, Killed, Kind, nothing
from failover.policy import Mode
from function_runtime.control import Control, Order, OrderKind, Pause
from function_runtime.sites import Site

pytestmark = pytest.mark.exhaustive

PRIMARY_REGION = REGIONS[Site.PRIMARY]
CALLS = st.integers(1, 60)
FAULT_OR_NONE = st.sampled_from([nothing, *FAULTS])


class AnyHistory(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        logging.disable(logging.CRITICAL)
        random.seed(0)
        self.runs = 0
        self.epoch = 0
        self.writer = "primary"
        self.latch = 0.0
        self.steps: dict[str, tuple[int, int]] = {}
        self.promotion_begun = False

    @initialize(
        mode=st.sampled_from([Mode.AUTOMATIC, Mode.AUTOMATIC, Mode.MANUAL]),
        lag_seconds=st.sampled_from([0.0, 0.0, 40.0]),
        slot_lag_bytes=st.sampled_from([None, 0.0, 64.0]),
        ordered=st.sampled_from([None, None, OrderKind.APPROVE, OrderKind.PLANNED]),
    )
    def begin(self, mode: Mode, lag_seconds: float, slot_lag_bytes: float | None, ordered: OrderKind | None) -> None:
        self.settings = replace(SETTINGS, policy=replace(SETTINGS.policy, mode=mode))
        self.aws = healthy(lag_seconds=lag_seconds, slot_lag_bytes=slot_lag_bytes)
        self.aws.validates = False
        if ordered is not OrderKind.PLANNED:
            self.aws.writer.dies(START)
        if ordered is not None:
            self.one_run(no_fault)
            self.people_order(ordered, "", 1000.0)

    # Runs

    @rule(times=st.sampled_from([1, 1, 5]))
    def a_message_is_delivered(self, times: int) -> None:
        for _ in range(times):
            self.one_run(no_fault)

    @rule(after_seconds=st.sampled_from([1, 2, 7, 25]))
    def the_schedule_comes_round(self, after_seconds: int) -> None:
        self.aws.sleep(after_seconds)
        self.one_run(no_fault)

    @rule(number=CALLS, fault=st.sampled_from(FAULTS))
    def a_call_goes_wrong(self, number: int, fault: Kind) -> None:
        self.one_run(At(self.is_number(number), fault))

    @rule(
        number=CALLS,
        fault=FAULT_OR_NONE,
        held_up_seconds=st.sampled_from([0, 5, 30]),
        its_number=CALLS,
        its_fault=FAULT_OR_NONE,
    )
    def another_run_overtakes(
        self, number: int, fault: Kind, held_up_seconds: int, its_number: int, its_fault: Kind
    ) -> None:
        def overtake() -> None:
            held_up = self.aws.fault
            self.aws.sleep(held_up_seconds)
            self.one_run(At(self.is_number(its_number), its_fault))
            self.aws.fault = held_up

        self.one_run(At(self.is_number(number), fault, overtake))

    def one_run(self, fault: Fault) -> None:
        def watched(call: Call, take_effect: TakeEffect) -> Any:
            def take_effect_and_look() -> Any:
                answer = take_effect()
                self.look_at_the_promotion()
                self.look_at_the_latch()
                self.look_at_the_incidents()
                return answer

            return fault(call, take_effect_and_look)

        self.runs += 1
        self.aws.fault = watched
        with suppress(Killed, ClientError, BotoCoreError):
            run(self.aws, f"run-{self.runs}", self.settings)
        self.aws.fault = no_fault

    def is_number(self, number: int) -> Callable[[Call], bool]:
        first = len(self.aws.called)
        return lambda _: len(self.aws.called) - first >= number

    def look_at_the_promotion(self) -> None:
        """A pause that was there before the promotion's step was begun keeps it from being begun."""
        if not self.promotion_begun and any(
            step["phase"] == "promoting" for incident in self.aws.incidents for step in incident["steps"]
        ):
            self.promotion_begun = True
            assert self.control().pause is None
        assert self.promotion_begun or "promoted" not in self.aws.events, "a step is on record before it is taken"

    def look_at_the_latch(self) -> None:
        """The newest that CloudWatch has never falls back; a run that was held up publishes late, with its own time."""
        if self.aws.published:
            _, value = max(self.aws.published)
            assert value >= self.latch, "the latch never falls back"
            self.latch = value
        if self.latch:
            shown = self.aws.standby.describe()
            source, status = shown.get("ReadReplicaSourceDBInstanceIdentifier"), shown["DBInstanceStatus"]
            assert source is None or status == "modifying", "no word moves without a promotion that RDS shows"

    def look_at_the_incidents(self) -> None:
        """Each write follows the one before: what one run has recorded, no other that is behind it writes over."""
        for incident in self.aws.incidents:
            steps = len(incident["steps"]), sum(step["finished_at"] is not None for step in incident["steps"])
            assert steps >= self.steps.get(incident["incident_id"], (0, 0)), "no step is forgotten"
            self.steps[incident["incident_id"]] = steps

    # Time, and what breaks

    @rule(seconds=st.sampled_from([1, 2, 4, 7, 25, 70]))
    def time_passes(self, seconds: int) -> None:
        self.aws.sleep(seconds)

    @rule()
    @precondition(lambda self: self.aws.writer.outage(self.aws.now) is None)
    def the_writer_dies(self) -> None:
        self.aws.writer.dies(self.aws.now)

    @rule()
    @precondition(lambda self: self.aws.writer.outage(self.aws.now) is not None)
    def the_writer_comes_back(self) -> None:
        self.aws.writer.comes_back(self.aws.now)

    @rule(dark=st.sampled_from([False, False, True]))
    def the_region_goes_dark_or_returns(self, dark: bool) -> None:
        self.aws.dark = {PRIMARY_REGION} if dark else set()

    # People

    def control(self) -> Control:
        return Control.from_item(self.aws.plain("control")) if "control" in self.aws.items else Control()

    def say(self, control: Control) -> None:
        self.aws.put(replace(control, version=control.version + 1).as_item())

    @rule(paused=st.sampled_from([False, False, True]))
    def people_pause_or_resume(self, paused: bool) -> None:
        pause = Pause("arn:person", self.aws.now, "a migration") if paused else None
        self.say(self.control().with_pause(pause))

    @rule(
        kind=st.sampled_from([OrderKind.APPROVE, OrderKind.APPROVE, *OrderKind]),
        wrong=st.sampled_from(["", "", "incident", "epoch", "expired"]),
        accepted_loss_seconds=st.sampled_from([None, 5.0, 1000.0]),
    )
    def people_order(self, kind: OrderKind, wrong: str, accepted_loss_seconds: float | None) -> None:
        recorded: dict[str, Any] = self.aws.controller if "controller" in self.aws.items else {"epoch": 0}
        epoch = int(recorded["epoch"]) + 1
        incident_id = recorded.get("proposal", {}).get("incident_id", f"{epoch:06d}-ordered")
        self.say(
            self.control().with_order(
                Order(
                    kind,
                    "000001-of-yesterday" if wrong == "incident" else incident_id,
                    epoch + 1 if wrong == "epoch" else epoch,
                    "arn:person",
                    self.aws.now,
                    self.aws.now + timedelta(seconds=0 if wrong == "expired" else 900),
                    accepted_loss_seconds,
                )
            )
        )

    # What always holds

    @invariant()
    def nothing_goes_back_and_nothing_happens_twice(self) -> None:
        aws = self.aws
        assert aws.events.count("promoted") <= 1
        if "controller" not in aws.items:
            return
        epoch, writer = int(aws.controller["epoch"]), aws.controller["writer_site"]
        assert epoch >= self.epoch
        assert (self.writer, writer) != ("recovery", "primary")
        if writer == "recovery":
            assert aws.standby.is_writer(aws.now), "no writer is on record that takes no writes"
        elif "switching_to" not in aws.controller:
            assert set(aws.latch) <= {0}, "the latch does not move before the record does"
        self.epoch, self.writer = epoch, writer
        promoting = [
            incident for incident in aws.incidents if any(step["phase"] == "promoting" for step in incident["steps"])
        ]
        assert len(promoting) <= 1, "one incident, of one epoch, promotes"
        assert all(step["finished_at"] for incident in aws.incidents for step in incident["steps"][:-1])

    def teardown(self) -> None:
        """When all is well again, and time passes, no incident is left open."""
        if hasattr(self, "aws"):
            self.aws.dark.clear()
            self.say(self.control().with_pause(None))
            for _ in range(8):
                self.one_run(no_fault)
                self.aws.sleep(25)
            self.nothing_goes_back_and_nothing_happens_twice()
            assert "incident_id" not in self.aws.controller
            assert self.aws.latch[-1] == (2 if "promoted" in self.aws.events else 0)
        logging.disable(logging.NOTSET)


TestAnyHistory = AnyHistory.TestCase
TestAnyHistory.settings = settings(
    max_examples=50, stateful_step_count=30, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
