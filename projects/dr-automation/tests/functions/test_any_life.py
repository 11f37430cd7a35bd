"""Whatever happens in whatever order, in both directions: one controller acts, one database is under the name.

Hypothesis composes lives: failovers by both sites' controllers, of a writer that dies or as planned; new standbys, and
handovers to them, taken back or not; runs that are killed at any call; regions that go dark and return. What must
always hold is checked after every call and after every step.
"""

from __future__ import annotations

import logging
import random
from contextlib import suppress

import pytest
from botocore.exceptions import BotoCoreError, ClientError
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from aws_in_memory.aws import no_fault
from aws_in_memory.deployed import REGIONS, SETTINGS_OF, healthy, run
from aws_in_memory.faults import FAULTS, At, Killed, Kind
from aws_in_memory.handovers import acting, ask_for_handover, newest, order_failover, reprotect, watched, writer_of
from aws_in_memory.running import OWN_GROUP, Running, instruct, subjects, writers
from function_runtime.control import ABOUT_HANDOVER, InstructionKind
from function_runtime.sites import Site

pytestmark = pytest.mark.exhaustive

SITES = st.sampled_from(Site)


class AnyLife(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        logging.disable(logging.CRITICAL)
        random.seed(0)

    @initialize(writer=SITES)
    def begin(self, writer: Site) -> None:
        self.aws = healthy(slot_lag_bytes=0.0, writer=writer)
        self.aws.validates = False
        for instance in self.aws.instances.values():
            instance.slot_lag_bytes = 0.0
        self.running = Running(self.aws)
        self.aws.fault = watched(self.aws)
        self.history: set[str] = set()
        self.running.tick(2, seconds=3)

    # What goes on

    @rule(times=st.sampled_from([1, 1, 3, 8]), seconds=st.sampled_from([1, 3, 7, 25]))
    def runs(self, times: int, seconds: int) -> None:
        self.running.tick(times, seconds)

    @rule(site=SITES, number=st.integers(1, 40), fault=st.sampled_from(FAULTS))
    def a_call_goes_wrong(self, site: Site, number: int, fault: Kind) -> None:
        first = len(self.aws.called)
        self.aws.fault = watched(self.aws, At(lambda _: len(self.aws.called) - first >= number, fault))
        with suppress(Killed, ClientError, BotoCoreError):
            run(self.aws, "wrong", SETTINGS_OF[site])
        self.aws.fault = watched(self.aws)
        self.aws.sleep(1)

    @rule()
    def the_writer_dies_or_comes_back(self) -> None:
        writer = self.aws.instances[writer_of(self.aws)]
        if writer.outage(self.aws.now) is None:
            writer.dies(self.aws.now)
        else:
            writer.comes_back(self.aws.now)

    @rule(site=SITES)
    def a_region_goes_dark_or_returns(self, site: Site) -> None:
        self.aws.dark ^= {REGIONS[site]}

    # People

    @rule(ticks=st.sampled_from([0, 10]))
    def people_plan_a_failover(self, ticks: int) -> None:
        order_failover(self.aws, writer_of(self.aws).other)
        self.running.tick(ticks, seconds=3)

    @rule()
    @precondition(lambda self: newest(self.aws).incident_id is None and not self.aws.dark)
    def people_make_a_standby(self) -> None:
        writer = writer_of(self.aws)
        if self.aws.instances[writer].source is None and self.aws.instances[writer.other].source is None:
            reprotect(self.aws)

    @rule(ticks=st.sampled_from([0, 3, 8]))
    def people_hand_over(self, ticks: int) -> None:
        ask_for_handover(self.aws)
        self.running.tick(ticks, seconds=3)

    @rule()
    def people_take_a_handover_back(self) -> None:
        instruct(self.aws, InstructionKind.ABANDON, ABOUT_HANDOVER, writer_of(self.aws))

    # What always holds

    @invariant()
    def no_history_is_lost(self) -> None:
        if hasattr(self, "history"):
            found = {
                key for site in Site for key in self.aws.items_of(site) if key.startswith(("incident#", "handover#"))
            }
            assert self.history <= found
            self.history = found

    @invariant()
    def no_guard_shuts_the_writer(self) -> None:
        if hasattr(self, "aws") and newest(self.aws).incident_id is None and newest(self.aws).owes_opening is None:
            writer = self.aws.instances[writer_of(self.aws)]
            writer.settle(self.aws.now)
            assert writer.groups != {writer.quarantine_group: "active"}, subjects(self.aws)

    def teardown(self) -> None:
        """When all is well again there is one writer, under the name, and the standby's controller can get the say."""
        if hasattr(self, "aws"):
            self.settle()
        logging.disable(logging.NOTSET)

    def settle(self) -> None:
        aws, running = self.aws, self.running
        aws.dark.clear()
        for site in Site:
            # An order that still stands is carried out as soon as its controller has the say, and moves everything on.
            aws.items_of(site).pop("control", None)
        for instance in aws.instances.values():
            if instance.outage(aws.now) is not None:
                instance.comes_back(aws.now)
        running.tick(30)
        assert newest(aws).incident_id is None, subjects(aws)
        writer = writer_of(aws)
        if acting(aws) != [writer.other]:
            if aws.instances[writer.other].source is None:
                reprotect(aws)
            running.tick(2)
            aws.sleep(1)
            ask_for_handover(aws)
            running.tick(30, seconds=3)
        assert acting(aws) == [writer_of(aws).other], subjects(aws)
        assert writers(aws) == {writer_of(aws)}, (writers(aws), subjects(aws))
        assert aws.instances[writer_of(aws)].groups == OWN_GROUP[writer_of(aws)]
        assert aws.name is writer_of(aws)
        aws.fault = no_fault


TestAnyLife = AnyLife.TestCase
TestAnyLife.settings = settings(
    max_examples=15, stateful_step_count=20, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
