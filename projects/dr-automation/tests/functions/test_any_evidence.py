"""Whatever happens to a writer and to its door, it is never replaced while it commits, nor while its process lives.

Hypothesis composes histories of doors that are shut and opened, commits that hang, crashes, recoveries, dark regions,
lost hosts, probes and sessions that fail; the controller runs all the time. What must hold is looked at with the eyes
of somebody who knows what really happens (C1, D4).
"""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from aws_in_memory.clock import START
from aws_in_memory.deployed import REGIONS, SETTINGS, healthy, run
from aws_in_memory.instance import Outage, covering
from failover.policy import WhenUnsure
from function_runtime.session_outcome import SessionOutcome
from function_runtime.sites import Site

pytestmark = pytest.mark.exhaustive

# A writer that has come back this long ago has shown it: an outage, and as much again for what comes late.
SHOWN_AFTER = timedelta(seconds=2 * SETTINGS.policy.outage_seconds)
PATIENCE = SETTINGS.policy.readiness_patience


class AnyEvidence(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        logging.disable(logging.CRITICAL)
        self.runs = 0
        self.over = False

    @initialize(
        is_busy=st.booleans(), writer_hung=st.sampled_from(WhenUnsure), maintenance_overdue=st.sampled_from(WhenUnsure)
    )
    def begin(self, is_busy: bool, writer_hung: WhenUnsure, maintenance_overdue: WhenUnsure) -> None:
        policy = replace(SETTINGS.policy, writer_hung=writer_hung, maintenance_overdue=maintenance_overdue)
        self.settings = replace(SETTINGS, policy=policy)
        self.aws = healthy(START)
        self.aws.validates = False
        self.aws.writer.is_busy = is_busy

    @rule(seconds=st.sampled_from([1, 2, 3]), times=st.sampled_from([1, 2, 5]))
    def time_passes(self, seconds: int, times: int) -> None:
        for _ in range(times):
            if self.over:
                return
            self.aws.sleep(seconds)
            self.look()

    def look(self) -> None:
        seen_at = self.aws.now
        self.runs += 1
        done = run(self.aws, f"run-{self.runs}", self.settings)
        if self.aws.incidents:
            self.over = True
            self.judge(seen_at, self.aws.incidents[0]["decision"]["code"])
        elif done["code"] == "healthy":
            # A hung writer is never called healthy once it has been so for an outage and what comes late, unless a door
            # that was shut has hidden that.
            was_shut = self.was_any(self.aws.writer.shut, SHOWN_AFTER, seen_at)
            assert was_shut or not self.was(self.aws.writer.hung, SHOWN_AFTER, seen_at) or not self.is_shown()

    def judge(self, at: datetime, code: str) -> None:
        writer = self.aws.writer
        lives = not self.was_any(writer.outages, SHOWN_AFTER, at)
        hangs = bool(covering(writer.hung, at)) or self.was_any(writer.hung, SHOWN_AFTER, at)
        if code == "writer_hung":
            assert self.settings.policy.writer_hung is WhenUnsure.FAILOVER
            assert hangs
            return
        # It is the stream that tells, where it is shown; a region that is dark beside an unread stream is the policy's.
        if self.is_shown():
            assert not lives, f"{code}: the writer's process lives"

    def is_shown(self) -> bool:
        """Whether the standby's probe reads what the stream shows."""
        standby = self.aws.standby
        return standby.prepared and standby.refuses_sessions is None and Site.RECOVERY not in self.aws.broken_probes

    def was(self, outages: list[Outage], span: timedelta, at: datetime) -> bool:
        """Whether one has lasted so long."""
        current = covering(outages, at)
        return current is not None and at - current.begins >= span

    def was_any(self, outages: list[Outage], span: timedelta, at: datetime) -> bool:
        """Whether there was one in this span."""
        return any(each.begins <= at and (each.ends is None or each.ends > at - span) for each in outages)

    # What happens

    @rule()
    @precondition(lambda self: not self.over)
    def the_door_is_shut_or_opened(self) -> None:
        self.toggle(self.aws.writer.shut)

    @rule()
    @precondition(lambda self: not self.over)
    def commits_hang_or_go_on(self) -> None:
        self.toggle(self.aws.writer.hung)

    @rule()
    @precondition(lambda self: not self.over)
    def the_writer_dies_or_comes_back(self) -> None:
        self.toggle(self.aws.writer.outages)

    def toggle(self, outages: list[Outage]) -> None:
        current = covering(outages, self.aws.now)
        if current is None:
            outages.append(Outage(self.aws.now))
        else:
            current.ends = self.aws.now

    @rule(is_busy=st.booleans())
    @precondition(lambda self: not self.over)
    def clients_write_or_stop(self, is_busy: bool) -> None:
        self.aws.writer.is_busy = is_busy

    @rule(status=st.sampled_from(["available", "available", "backing-up", "rebooting", "modifying", "storage-full"]))
    @precondition(lambda self: not self.over)
    def rds_says(self, status: str) -> None:
        self.aws.writer.status = status

    @rule(dark=st.booleans())
    @precondition(lambda self: not self.over)
    def the_region_goes_dark_or_returns(self, dark: bool) -> None:
        self.aws.dark = {REGIONS[Site.PRIMARY]} if dark else set()

    @rule(broken=st.sets(st.sampled_from(Site)))
    @precondition(lambda self: not self.over)
    def probes_break_or_are_repaired(self, broken: set[Site]) -> None:
        self.aws.broken_probes = broken

    @rule(site=st.sampled_from(Site), outcome=st.none() | st.sampled_from(SessionOutcome))
    @precondition(lambda self: not self.over)
    def sessions_end_otherwise(self, site: Site, outcome: SessionOutcome | None) -> None:
        works = outcome is None or outcome is SessionOutcome.WORKS
        self.aws.instances[site].refuses_sessions = None if works else outcome

    def teardown(self) -> None:
        """A writer that dies for good, with everything else well, is replaced in the end, or people are asked."""
        if hasattr(self, "aws") and not self.over:
            aws = self.aws
            aws.dark, aws.broken_probes, aws.writer.status = set(), set(), "available"
            for instance in aws.instances.values():
                instance.refuses_sessions = None
            for outages in (aws.writer.outages, aws.writer.shut, aws.writer.hung):
                if (current := covering(outages, aws.now)) is not None:
                    current.ends = aws.now
            self.time_passes(1, 20)
            # One that had been away for an outage when it came back may be replaced: `judge` has looked at that.
            was_over = bool(self.aws.incidents)
            aws.writer.dies(aws.now)
            self.time_passes(1, 20)
            assert was_over or self.aws.incidents, [subject for _, subject in aws.messages][-3:]
        logging.disable(logging.NOTSET)


TestAnyEvidence = AnyEvidence.TestCase
TestAnyEvidence.settings = settings(
    max_examples=15, stateful_step_count=25, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
