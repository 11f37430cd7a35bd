"""Every duration of the automation in one place, and what must hold between them.

Two durations can contradict each other: probes that never fail long enough to count, a run that ends in the middle of
a promotion. The program checks this when it starts, before anything is deployed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from failover.policy import fine_period_of
from function_runtime.readings import MIN_FAILED_PROBES
from shared.cloudwatch import (
    SHORT_ALARM_PERIODS_SECONDS,
    SHORT_METRIC_PERIODS_SECONDS,
    STANDARD_PERIOD_SECONDS,
    refuse_period,
)
from shared.errors import SettingsError
from shared.settings import SettingsReader

# C3: one run within 5 minutes, which is also the function's own limit.
RUN_LIMIT_SECONDS = 300
# What is left of the limit for start-up and for saving the state when the budget is used up.
RUN_MARGIN_SECONDS = 15
RECOVERY_OBJECTIVE_SECONDS = 900  # O1
# RDS calls promotion "several minutes or longer"; this is what the recovery objective keeps free for it.
PROMOTION_ALLOWANCE_SECONDS = 600
# What is not ours to configure, and is counted with it: how late a run starts, how late a metric can be read, and how
# soon a promotion shows (`aws_in_memory.durations` has their spreads and sources).
START_LATENESS_SECONDS = 8
METRIC_DELAY_SECONDS = 60
SHOWN_SECONDS = 60
# The clients' own timeouts: of a call of a silent region, which is not retried, and of a probe that is asked for.
SILENT_REGION_SECONDS = 6
LAST_LOOK_SECONDS = 12
# The limit of a probe's, a guard's and the witness's run: below the schedule of a minute, so that runs do not pile up.
PROBE_LIMIT_SECONDS = 59
GUARD_LIMIT_SECONDS = 59
# What is left of the guard's limit to reboot a database that was fenced at the last moment, to tell people, and to
# record it.
GUARD_MARGIN_SECONDS = 15
# All the witness's questions are asked at once, each is given up after 6 s, and those to its own region asked again.
WITNESS_LIMIT_SECONDS = 30
DAY_SECONDS = 86_400
# A probe's run and the way of its metric.
SHORTEST_VERIFY_TIMEOUT_SECONDS = 10


@dataclass(frozen=True)
class Timings:
    """All durations, in seconds, and the counts that go with them.

    Attributes:
        schedule_seconds: from one run of the functions to the next.
        probes_per_run: how often a run of the probe asks each database.
        probe_interval_seconds: from one probe to the next.
        probe_timeout_seconds: a database that has not answered by then counts as not reachable.
        metric_period_seconds: how finely the failover reads metrics.
        alarm_period_seconds: period of the trigger, reachability and word alarms.
        trigger_evaluation_periods: periods without an answer until the trigger alarm fires.
        outage_seconds: how long every probe must have failed before a failover.
        cool_down_seconds: how long after a failover there is no other.
        fence_timeout_seconds: how long fencing the old writer may take.
        planned_fence_timeout_seconds: the same of a planned failover, and of a hung writer: its reboot must be seen.
        guard_seconds: how long a run of a fence-guard may take.
        poll_interval_seconds: from one look at a promotion or a fence to the next.
        run_budget_seconds: how long a run works before it saves its state and ends.
        name_ttl_seconds: how long clients may keep the answer to the writer's name.
        handover_margin_seconds: how long the alarms must have shown a controller's word before the next step of a
            handover; the health checks that move the name follow the alarms' metric and cannot be asked.
        copy_schedule_seconds: from one run of a snapshot copier to the next.
    """

    schedule_seconds: int
    probes_per_run: int
    probe_interval_seconds: int
    probe_timeout_seconds: int
    metric_period_seconds: int
    alarm_period_seconds: int
    trigger_evaluation_periods: int
    outage_seconds: int
    cool_down_seconds: int
    fence_timeout_seconds: int
    planned_fence_timeout_seconds: int
    guard_seconds: int
    poll_interval_seconds: int
    run_budget_seconds: int
    name_ttl_seconds: int
    handover_margin_seconds: int
    copy_schedule_seconds: int

    @property
    def schedule_expression(self) -> str:
        """The schedule of the functions as EventBridge writes it."""
        return _rate(self.schedule_seconds)

    @property
    def copy_schedule_expression(self) -> str:
        """The schedule of the snapshot copiers."""
        return _rate(self.copy_schedule_seconds)

    @property
    def verify_timeout_seconds(self) -> int:
        """How long the switch waits for a probe of the promoted database, which RDS already calls available."""
        return max(SHORTEST_VERIFY_TIMEOUT_SECONDS, self.metric_period_seconds // 2)

    @property
    def until_promotion_seconds(self) -> Mapping[str, int]:
        """What passes at the longest from a fault until RDS is asked for the promotion, by what it is."""
        pause_seconds = self.schedule_seconds - (self.probes_per_run - 1) * self.probe_interval_seconds
        return {
            "until a probe fails: the pause between two runs of it, and its timeout": (
                pause_seconds + START_LATENESS_SECONDS + self.probe_timeout_seconds
            ),
            "the outage": self.outage_seconds,
            "the period in which the first probe failed: the outage counts from its end": (
                fine_period_of(self.metric_period_seconds)
            ),
            # The newest failed probe counts for a metric period.
            "metrics that are late": max(0, METRIC_DELAY_SECONDS + pause_seconds - self.metric_period_seconds),
            # The run that stays ends two looks before the one that takes its place.
            "the gap between two runs": 2 * self.poll_interval_seconds + START_LATENESS_SECONDS,
            "a look at a region that does not answer": SILENT_REGION_SECONDS,
            "the last look before the incident is opened": LAST_LOOK_SECONDS,
            "the fence": self.fence_timeout_seconds,
            "the last look before the promotion": LAST_LOOK_SECONDS,
        }

    @property
    def detection_and_switch_seconds(self) -> int:
        """Longest time from a fault to clients at the new writer that is ours to configure: all but the promotion.

        The name's switch is no part of it: it runs beside the promotion, from when RDS shows that, and takes less than
        is kept free for it (`name_switch_seconds`).
        """
        return sum(self.until_promotion_seconds.values())

    @property
    def name_switch_seconds(self) -> int:
        """Longest time from the request for the promotion to clients that go by the writer's name."""
        return SHOWN_SECONDS + METRIC_DELAY_SECONDS + self.alarm_period_seconds + self.name_ttl_seconds

    @classmethod
    def load(cls, reader: SettingsReader) -> Timings:
        """Read and check.

        Raises:
            SettingsError: a value cannot be used, or contradicts another.
        """
        number = reader.whole_number
        alarm_period_seconds = number("alarmPeriodSeconds", 60, minimum=10, maximum=300)
        timings = cls(
            schedule_seconds=number("scheduleSeconds", 60, minimum=1, maximum=300),
            probes_per_run=number("probesPerRun", 5, minimum=1, maximum=60),
            probe_interval_seconds=number("probeIntervalSeconds", 10, minimum=1, maximum=60),
            probe_timeout_seconds=number("probeTimeoutSeconds", 3, minimum=1, maximum=30),
            metric_period_seconds=number("metricPeriodSeconds", 60, minimum=1, maximum=300),
            alarm_period_seconds=alarm_period_seconds,
            trigger_evaluation_periods=number("triggerEvaluationPeriods", 2, minimum=1, maximum=10),
            outage_seconds=number("outageSeconds", 120, minimum=1, maximum=600),
            cool_down_seconds=number("coolDownSeconds", 3600, minimum=1, maximum=7 * DAY_SECONDS),
            # 30 s at most: a fence that has not worked by then is recorded as such, and clients wait no longer for it.
            fence_timeout_seconds=number("fenceTimeoutSeconds", 20, minimum=1, maximum=30),
            # RDS's reboot, of which the shut writer's clients wait for the end; what takes longer is taken back.
            planned_fence_timeout_seconds=number("plannedFenceTimeoutSeconds", 600, minimum=1, maximum=3600),
            guard_seconds=number("guardSeconds", 40, minimum=1, maximum=GUARD_LIMIT_SECONDS),
            poll_interval_seconds=number("pollIntervalSeconds", 5, minimum=1, maximum=60),
            run_budget_seconds=number("runBudgetSeconds", 270, minimum=1, maximum=RUN_LIMIT_SECONDS),
            name_ttl_seconds=number("nameTtlSeconds", 10, minimum=1, maximum=60),
            handover_margin_seconds=number("handoverMarginSeconds", 2 * alarm_period_seconds, minimum=1, maximum=3600),
            copy_schedule_seconds=number("copyScheduleSeconds", 900, minimum=1, maximum=3600),
        )
        timings.refuse_contradictions(sub_minute_schedule=reader.switch("subMinuteSchedule", default=False))
        return timings

    def refuse_contradictions(self, *, sub_minute_schedule: bool) -> None:
        """Check what must hold between the timings.

        Args:
            sub_minute_schedule: the endpoint deployed to takes schedules and alarms finer than AWS's minute.

        Raises:
            SettingsError: something does not hold; it names the keys.
        """
        self._refuse_invalid_periods(sub_minute_schedule=sub_minute_schedule)
        _refuse(
            self.probe_timeout_seconds > self.probe_interval_seconds,
            "probeTimeoutSeconds",
            self.probe_timeout_seconds,
            f"make it at most probeIntervalSeconds ({self.probe_interval_seconds}), or probes fall behind",
        )
        probe_run_seconds = self.probes_per_run * self.probe_interval_seconds
        longest_probe_run_seconds = min(self.schedule_seconds, PROBE_LIMIT_SECONDS)
        _refuse(
            probe_run_seconds > longest_probe_run_seconds,
            "probesPerRun",
            self.probes_per_run,
            f"times probeIntervalSeconds ({self.probe_interval_seconds}) a run takes {probe_run_seconds} s: make it at "
            f"most {longest_probe_run_seconds} s (scheduleSeconds, and below a minute)",
        )
        finest_seconds = max(self.probe_interval_seconds, self.metric_period_seconds)
        _refuse(
            self.outage_seconds < 2 * finest_seconds,
            "outageSeconds",
            self.outage_seconds,
            f"make it at least {2 * finest_seconds}, twice probeIntervalSeconds and metricPeriodSeconds: one failed "
            "reading is no outage",
        )
        # As Patroni's loop_wait + 2 * retry_timeout <= ttl: what must be seen twice must have the time for it.
        # https://patroni.readthedocs.io/en/latest/dynamic_configuration.html
        _refuse(
            2 * self.schedule_seconds > self.outage_seconds,
            "outageSeconds",
            self.outage_seconds,
            f"make it at least {2 * self.schedule_seconds}, twice scheduleSeconds: two runs of the failover must see a "
            "region dark within one outage",
        )
        _refuse(
            self.probes_per_run * self.outage_seconds < MIN_FAILED_PROBES * self.schedule_seconds,
            "probesPerRun",
            self.probes_per_run,
            f"at every scheduleSeconds ({self.schedule_seconds}) fewer than {MIN_FAILED_PROBES} probes fall into "
            f"outageSeconds ({self.outage_seconds}): ask more often, or no outage is ever proven in its time",
        )
        _refuse(
            self.run_budget_seconds + RUN_MARGIN_SECONDS >= RUN_LIMIT_SECONDS,
            "runBudgetSeconds",
            self.run_budget_seconds,
            f"make it less than {RUN_LIMIT_SECONDS - RUN_MARGIN_SECONDS}: the run must save its state before its limit "
            f"of {RUN_LIMIT_SECONDS} s",
        )
        _refuse(
            self.fence_timeout_seconds + self.poll_interval_seconds > self.run_budget_seconds,
            "fenceTimeoutSeconds",
            self.fence_timeout_seconds,
            f"with pollIntervalSeconds ({self.poll_interval_seconds}) make it at most runBudgetSeconds "
            f"({self.run_budget_seconds}), or a run ends before its fence does",
        )
        _refuse(
            self.poll_interval_seconds > self.fence_timeout_seconds,
            "pollIntervalSeconds",
            self.poll_interval_seconds,
            f"make it at most fenceTimeoutSeconds ({self.fence_timeout_seconds}), or a fence is never seen to work",
        )
        _refuse(
            self.planned_fence_timeout_seconds < self.fence_timeout_seconds,
            "plannedFenceTimeoutSeconds",
            self.planned_fence_timeout_seconds,
            f"make it at least fenceTimeoutSeconds ({self.fence_timeout_seconds}): a reboot that must be seen takes "
            "longer than one that need not",
        )
        _refuse(
            self.guard_seconds + GUARD_MARGIN_SECONDS > GUARD_LIMIT_SECONDS,
            "guardSeconds",
            self.guard_seconds,
            f"make it at most {GUARD_LIMIT_SECONDS - GUARD_MARGIN_SECONDS}: Lambda ends the guard's run after "
            f"{GUARD_LIMIT_SECONDS} s, and what it did must be recorded before",
        )
        _refuse(
            self.poll_interval_seconds >= self.guard_seconds,
            "guardSeconds",
            self.guard_seconds,
            f"make it more than pollIntervalSeconds ({self.poll_interval_seconds}), or no fence is seen to work",
        )
        _refuse(
            self.cool_down_seconds < self.outage_seconds,
            "coolDownSeconds",
            self.cool_down_seconds,
            f"make it at least outageSeconds ({self.outage_seconds}), or one outage could move the writer twice",
        )
        _refuse(
            self.handover_margin_seconds < self.alarm_period_seconds,
            "handoverMarginSeconds",
            self.handover_margin_seconds,
            f"make it at least alarmPeriodSeconds ({self.alarm_period_seconds}), or a handover does not wait until the "
            "health checks have seen a word",
        )
        longest_seconds = RECOVERY_OBJECTIVE_SECONDS - PROMOTION_ALLOWANCE_SECONDS
        _refuse(
            self.detection_and_switch_seconds > longest_seconds,
            "outageSeconds",
            self.outage_seconds,
            f"it adds up to {self.detection_and_switch_seconds} s "
            f"({'; '.join(f'{what} {seconds} s' for what, seconds in self.until_promotion_seconds.items())}): keep the "
            f"sum to {longest_seconds} s, so that a promotion of 10 minutes still meets the recovery objective of 15",
        )

    def refuse_unseen_silence(self, replication_timeout_seconds: int) -> None:
        """Check what must hold between the timings and the data layer's replication.

        Args:
            replication_timeout_seconds: until then the replica says that it hears from a writer that has vanished.

        Raises:
            SettingsError: an outage is over before the replica can say that the writer is silent.
        """
        shortest_seconds = self.metric_period_seconds + replication_timeout_seconds
        _refuse(
            self.outage_seconds < shortest_seconds,
            "outageSeconds",
            self.outage_seconds,
            f"make it at least {shortest_seconds}, metricPeriodSeconds ({self.metric_period_seconds}) and the data "
            f"layer's replicationTimeoutSeconds ({replication_timeout_seconds}), or make that shorter and deploy data: "
            "the replica must be seen to hear nothing from a dead writer within the outage",
        )

    def _refuse_invalid_periods(self, *, sub_minute_schedule: bool) -> None:
        refuse_period("alarmPeriodSeconds", self.alarm_period_seconds, SHORT_ALARM_PERIODS_SECONDS)
        refuse_period("metricPeriodSeconds", self.metric_period_seconds, SHORT_METRIC_PERIODS_SECONDS)
        if sub_minute_schedule:
            return
        for key, value, why in (
            ("scheduleSeconds", self.schedule_seconds, "EventBridge knows no shorter rate than a minute"),
            ("copyScheduleSeconds", self.copy_schedule_seconds, "EventBridge knows no shorter rate than a minute"),
            ("alarmPeriodSeconds", self.alarm_period_seconds, "Route 53 does not read high-resolution metrics"),
            ("metricPeriodSeconds", self.metric_period_seconds, "Route 53 does not read high-resolution metrics"),
        ):
            _refuse(
                value % STANDARD_PERIOD_SECONDS != 0,
                key,
                value,
                f"give a multiple of 60: {why}; only an endpoint that does takes subMinuteSchedule: true",
            )


def _rate(seconds: int) -> str:
    if seconds % STANDARD_PERIOD_SECONDS:
        return f"rate({seconds} seconds)"
    minutes = seconds // STANDARD_PERIOD_SECONDS
    return "rate(1 minute)" if minutes == 1 else f"rate({minutes} minutes)"


def _refuse(wrong: bool, key: str, value: int, remedy: str) -> None:  # noqa: FBT001 - the condition is the sentence
    if wrong:
        raise SettingsError(key, value, remedy)
