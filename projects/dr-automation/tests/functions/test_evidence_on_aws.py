"""Sequences of events on AWS, at its timing, in which a controller that believes too much does harm (C1, C2, D4)."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from aws_in_memory import drawn
from aws_in_memory.aws import Aws
from aws_in_memory.clock import START, moment
from aws_in_memory.deployed import DEFAULTS, ENVIRONMENT, REGIONS, SETTINGS, healthy, run, unprepared
from aws_in_memory.durations import PROBE_METRIC_DELAY, RDS_METRIC_DELAY, SCHEDULE_LATENESS, Spread
from aws_in_memory.faults import throttled
from aws_in_memory.instance import Outage
from aws_in_memory.metric import Metric, Probes, Rhythm, Sampled, Sessions
from aws_in_memory.replication import Found
from aws_in_memory.running import Running, writers
from aws_in_memory.stories import give
from failover.answer import Answer
from failover.policy import Mode, WhenUnsure
from failover.settings import Settings
from failover.stream import stream
from function_runtime import metric_names
from function_runtime.control import OrderKind
from function_runtime.readings import Datapoint
from function_runtime.session_outcome import SessionOutcome
from function_runtime.sites import Site
from function_runtime.trouble import Kind, Trouble

pytestmark = pytest.mark.usefixtures("silent_logs")

PRODUCTION = {**ENVIRONMENT, **DEFAULTS, "VERIFY_TIMEOUT_SECONDS": "120"}
ON_AWS = Settings.from_environment(PRODUCTION)
RHYTHM = Rhythm(60, 5, 10, 3, SCHEDULE_LATENESS, PROBE_METRIC_DELAY)
Value = Callable[[float], float | None]


class World:
    """A deployment at production timing: probes 5 of 6 slots, read 3 to 60 s late; RDS's metrics a minute late."""

    def __init__(self, settings: Settings = ON_AWS) -> None:
        self.settings = settings
        self.aws = Aws(PRODUCTION, START, probes=RHYTHM, rds_period_seconds=60, history_seconds=900)
        self.aws.validates = False
        self.codes: list[tuple[int, str]] = []
        for observer in Site:
            for database in Site:
                self.probe(observer, database)
        for site in Site:
            for name, value in (
                ("ReplicaLag", self.aws._lag(site)),
                ("OldestReplicationSlotLag", self.aws._slot_lag(site)),
                ("CPUUtilization", self.aws._load(site)),
            ):
                self.measure(site, name, value)

    def probe(self, observer: Site, database: Site) -> None:
        """All that one probe finds is printed in one line, so it comes together."""
        aws, cloudwatch = self.aws, self.aws._cloudwatch[REGIONS[observer]]
        dimensions, reaches = {"Database": database, "Observer": observer}, self.aws._reaches(observer, database)

        def chance() -> random.Random:
            return random.Random(f"{observer} {database}")  # noqa: S311 - no secret

        cloudwatch.add(metric_names.ANSWERS, dimensions, Probes(chance(), RHYTHM, 0.0, 0.0, reaches, 900))
        for name, of in {
            metric_names.SESSION: Found.session,
            metric_names.HEARTBEAT: Found.heartbeat,
            metric_names.RECEIVED_POSITION: Found.received,
            metric_names.STREAM_MESSAGE: Found.message,
        }.items():
            found = partial(of, Found(aws.instances[database], aws.instances[database.other]))
            cloudwatch.add(name, dimensions, Sessions(chance(), RHYTHM, 0.0, 0.0, reaches, found, 900))

    def measure(self, site: Site, name: str, value: Value, delay: Spread = RDS_METRIC_DELAY) -> None:
        own = {"DBInstanceIdentifier": self.aws.instances[site].identifier}
        chance = random.Random(1)  # noqa: S311 - no secret
        sampled = Sampled(chance, 0, value, 60, delay, 900)
        self.aws._cloudwatch[REGIONS[site]].add(name, own, sampled)

    def probe_of_replica(self, name: str) -> Metric:
        key = name, frozenset({("Database", Site.RECOVERY), ("Observer", Site.RECOVERY)})
        return self.aws._cloudwatch[REGIONS[Site.RECOVERY]].metrics[key]

    def shows(self, name: str, value: Value) -> None:
        """What this site's probe reads in the replica."""
        metric = self.probe_of_replica(name)
        assert isinstance(metric, Sessions)
        metric._value = value

    def is_cut_off(self, second: float) -> None:
        """This site's probe reaches the writer until then."""
        for (_, dimensions), metric in self.aws._cloudwatch[REGIONS[Site.RECOVERY]].metrics.items():
            if ("Database", Site.PRIMARY) in dimensions and isinstance(metric, Probes):
                metric._reaches = until_then(second, metric._reaches)

    def idle(self, phase: float = 160.0) -> None:
        """Nobody writes but RDS itself, every five minutes: what AWS says of ReplicaLag without user transactions."""
        self.aws.writer.is_busy = False
        writer = self.aws.writer

        def last_written(at: float) -> float:
            until = min((o.begins - START).total_seconds() for o in [*writer.outages, *writer.hung, Outage(moment(at))])
            return (min(until, at) + phase) // 300 * 300 - phase

        self.measure(Site.RECOVERY, "ReplicaLag", lambda at: at - last_written(at))
        found = Found(self.aws.standby, writer)
        # Heartbeats are writes too, as long as a probe gets in.
        self.shows(
            metric_names.RECEIVED_POSITION,
            lambda at: (max(last_written(at), (found.heartbeat(at) or 0) - START.timestamp())) * 1000 + 1e6,
        )

    def until(self, second: float) -> str | None:
        """A run a minute until then; the decision of a failover, None where there was none."""
        while (self.aws.now - START).total_seconds() < second:
            at = int((self.aws.now - START).total_seconds())
            self.codes.append((at, run(self.aws, f"run-{at}", self.settings)["code"]))
            if self.aws.incidents:
                return str(self.aws.incidents[0]["decision"]["code"])
            self.aws.sleep(60)
        return None

    @property
    def bound(self) -> float | None:
        lost = self.aws.incidents[0]["data_loss_seconds"]
        return None if lost is None else float(lost)


def pings(phase: float) -> Value:
    """What an idle writer's stream shows: the receiver's own ping at half of its timeout."""
    return lambda at: START.timestamp() + (at + phase) // 15 * 15 - phase


def until_then(second: float, reaches: Callable[[float], bool]) -> Callable[[float], bool]:
    return lambda at: at < second and reaches(at)


def silent(since: float, until: float, found: Callable[..., float | None]) -> Callable[..., float | None]:
    """A probe that publishes nothing for a while."""
    return lambda at, *, answered: None if since <= at < until else found(at, answered=answered)


def test_world_is_sane() -> None:
    world = World()
    assert world.until(600) is None, world.codes
    assert {code for _, code in world.codes} == {"healthy"}, world.codes
    world.aws.writer.is_busy = True
    world.aws.writer.dies(moment(605))
    assert world.until(1500) == "writer_dead", world.codes
    assert world.bound is not None
    assert world.bound <= 60


# the loss is counted from when the door was shut, whatever was committed behind it


def test_loss_of_a_writer_that_dies_behind_a_shut_door_counts_from_its_last_sign_of_life() -> None:
    """Door shut at 600 s, clients write on over open connections; the replica falls 200 s behind; it dies at 2400 s."""
    world = World()
    aws = world.aws
    aws.writer.is_busy = True
    world.until(600)
    aws.writer.shut.append(Outage(moment(605)))
    assert world.until(1800) is None
    aws.standby.lag_seconds = 200  # limit: 60
    assert world.until(2400) is None, world.codes
    aws.writer.dies(moment(2405))
    code = world.until(4200)
    assert code is None, (code, f"bound said: {world.bound} s, lost: 200 s, limit: 60 s", world.codes[-8:])


# where RDS does not show the receiver's row, an idle writer's stream has "ended" between two of its own writes


def test_idle_writer_behind_a_shut_door_is_not_replaced_where_the_view_is_not_shown() -> None:
    world = World()
    aws = world.aws
    world.shows(metric_names.STREAM_MESSAGE, lambda at: None)
    # RDS itself writes every 5 minutes.
    world.idle()
    world.until(600)
    aws.writer.shut.append(Outage(moment(605)))
    code = world.until(3600)
    assert code is None, (code, world.codes[-12:])


# a door that is known to be shut still counts as the second signal when the stream breaks for a reason of its own


def test_busy_writer_behind_a_shut_door_is_not_replaced_when_the_replica_loses_its_slot() -> None:
    """`writer_commits` for 20 minutes; then the replica's receiver ends (a lost slot), and the writer lives."""
    world = World()
    aws, lost_at = world.aws, 1805.0
    aws.writer.is_busy = True
    world.until(600)
    aws.writer.shut.append(Outage(moment(605)))
    assert world.until(1800) is None
    world.shows(metric_names.STREAM_MESSAGE, lambda at: None if at > lost_at else START.timestamp() + at)
    world.shows(metric_names.RECEIVED_POSITION, lambda at: min(at, lost_at) * 1000 + 1e6)
    world.measure(Site.RECOVERY, "ReplicaLag", lambda at: max(0.0, at - lost_at))
    code = world.until(3600)
    assert code is None, (code, world.bound, world.codes[-8:])


def test_idle_writer_behind_a_shut_door_is_not_replaced_while_the_replica_comes_up_again() -> None:
    """The replica is away for six minutes (a reboot with recovery); its probe gets in before its receiver does."""
    world = World()
    aws = world.aws
    world.idle()
    world.until(600)
    aws.writer.shut.append(Outage(moment(605)))
    assert world.until(1200) is None
    aws.standby.status, aws.standby.outages = "rebooting", [Outage(moment(1205), moment(1565))]
    world.shows(metric_names.STREAM_MESSAGE, lambda at: None if 1205 < at < 1600 else START.timestamp() + at // 15 * 15)
    assert world.until(1560) is None, world.codes
    aws.standby.status = "available"
    code = world.until(2400)
    assert code is None, (code, world.codes[-12:])


# the slot's word outweighs the heartbeats'


def test_heartbeats_outweigh_a_slot_that_is_not_the_replicas() -> None:
    """The newest heartbeat on the replica is 200 s old, another replica's slot is empty. Limit: 60 s."""
    world = World()
    aws = world.aws
    aws.writer.is_busy, aws.standby.lag_seconds, aws.writer.slot_lag_bytes = True, 200.0, 0.0
    world.until(600)
    aws.writer.dies(moment(635))
    code = world.until(1800)
    assert code is None, (code, f"bound said: {world.bound}, lost: 200 s")


def test_planned_failover_is_not_drained_by_a_slot_that_is_not_the_replicas() -> None:
    world = World()
    aws = world.aws
    aws.writer.is_busy, aws.standby.lag_seconds, aws.writer.slot_lag_bytes = True, 200.0, 0.0
    world.until(600)
    give(aws, OrderKind.PLANNED)
    world.until(1800)
    shut, promoted = aws.writer.shut[0].begins, aws.standby.promoted_at
    assert promoted is None or promoted - shut > timedelta(seconds=200 - 30), "what was under way has come"


# RDS's metrics are late in a whole region: "its host is gone"


@pytest.mark.parametrize("is_prepared", [False, True])
def test_idle_writer_behind_a_shut_door_is_not_replaced_while_the_regions_metrics_are_late(is_prepared: bool) -> None:
    """Not prepared, or RDS does not show the receiver's row. AWS/RDS is ten minutes late from 500 s on."""
    world = World()
    aws = world.aws
    if is_prepared:
        world.shows(metric_names.STREAM_MESSAGE, lambda at: None)
        world.shows(metric_names.RECEIVED_POSITION, lambda at: 1e6)
    else:
        unprepared(aws)
    world.measure(Site.RECOVERY, "ReplicaLag", lambda at: (at + 160) % 300)
    world.measure(Site.PRIMARY, "CPUUtilization", lambda at: 20.0 if at < 500 else None)
    world.until(600)
    aws.writer.shut.append(Outage(moment(605)))
    code = world.until(1200)
    assert code is None, (code, world.codes[-12:])


# "hung" without evidence


@pytest.mark.parametrize("later", [SessionOutcome.NOT_ADMITTED, SessionOutcome.NOT_PREPARED, SessionOutcome.NO_ROOM])
def test_hung_ends_being_a_reason_when_nobody_sees_it_any_more(later: SessionOutcome) -> None:
    """Two minutes' hang during a pause; then the writer is well, idle, and the probes are not let in. People resume."""
    policy = replace(ON_AWS.policy, writer_hung=WhenUnsure.FAILOVER)
    world = World(replace(ON_AWS, policy=replace(policy, max_data_loss_seconds=60)))
    aws = world.aws
    world.idle()
    world.until(600)
    paused = replace(world.settings, policy=replace(world.settings.policy, mode=Mode.PAUSED))
    resumed, world.settings = world.settings, paused
    aws.writer.hung.append(Outage(moment(605), moment(905)))
    world.shows(metric_names.HEARTBEAT, lambda at: START.timestamp() + min(at, 600.0))
    world.shows(metric_names.RECEIVED_POSITION, lambda at: 1e6 + max(600.0, (at + 160) // 300 * 300 - 160) * 1000)
    world.measure(Site.RECOVERY, "ReplicaLag", lambda at: (at + 160) % 300 if at > 905 else max(0.0, at - 605))
    assert world.until(900) is None
    aws.writer.refuses_sessions = later
    assert world.until(6000) is None
    world.settings = resumed
    code = world.until(9000)
    assert code is None, (code, world.bound, world.codes[-4:])


# writers that come back in time


@pytest.mark.exhaustive
def test_writer_that_is_away_for_less_than_an_outage_is_not_replaced() -> None:
    failed = []
    for seed in range(40):
        chance = random.Random(seed)  # noqa: S311 - no secret
        world = World()
        aws = world.aws
        aws.writer.is_busy = chance.random() < 0.5
        if seed % 3 == 0:
            unprepared(aws)
        aws.now = moment(chance.uniform(0, 60))
        begins = chance.uniform(600, 660)
        lasts = chance.uniform(60, 119)
        aws.writer.outages.append(Outage(moment(begins), moment(begins + lasts)))
        code = world.until(1200)
        if code is not None:
            failed.append((seed, code, round(lasts)))
    assert not failed, failed


@pytest.mark.exhaustive
def test_doors_that_are_shut_never_lead_to_a_failover() -> None:
    failed = []
    for seed in range(24):
        chance = random.Random(seed)  # noqa: S311 - no secret
        world = World()
        aws = world.aws
        aws.writer.is_busy = chance.random() < 0.5
        if not aws.writer.is_busy:
            world.idle(chance.uniform(0, 300))
        phase = chance.uniform(0, 15)
        world.shows(metric_names.STREAM_MESSAGE, pings(phase))
        aws.now = moment(chance.uniform(0, 60))
        aws.writer.shut.append(Outage(moment(chance.uniform(300, 360))))
        code = world.until(2400)
        if code is not None:
            failed.append((seed, code, aws.writer.is_busy))
    assert not failed, failed


# what is fenced was alive


def ran(aws: Aws, seconds: int, settings: Settings = SETTINGS) -> list[str]:
    codes = []
    for _ in range(seconds):
        aws.sleep(1)
        codes.append(run(aws, f"run-{aws.now}", settings)["code"])
    return codes


@pytest.mark.parametrize("is_approved", [False, True])
def test_hung_writer_that_cannot_be_fenced_is_not_replaced(is_approved: bool) -> None:
    """It answers; RDS takes no change of it (modifying its storage, say); it works again a minute later."""
    aws = healthy(START)
    aws.validates = False
    hung = replace(SETTINGS.policy, writer_hung=WhenUnsure.ASK if is_approved else WhenUnsure.FAILOVER)
    running = Running(aws)
    running.settings[Site.RECOVERY] = replace(SETTINGS, policy=hung)
    aws.writer.hung.append(Outage(START))
    aws.writer.refuses_changes = True
    for _ in range(40):
        running.tick(1, 1)
        if is_approved and "proposal" in aws.controller and "control" not in aws.items:
            give(aws, OrderKind.APPROVE)
    aws.writer.hung[-1].ends = aws.now
    running.tick(10)
    assert writers(aws) != {Site.PRIMARY, Site.RECOVERY}, [each for _, each in aws.messages]


def test_connections_that_are_older_than_the_fence_have_ended_before_the_promotion() -> None:
    """A door that was shut by hand, `one_door` approved: clients that are connected write on until the reboot."""
    aws = unprepared(healthy(START))
    aws.validates = False
    aws.writer.shut.append(Outage(START))
    aws.writer.reboot_takes = timedelta(seconds=20)
    aws.standby.lag_seconds = 300.0  # idle: the lag shows no commits
    settings = replace(SETTINGS, fence_timeout_seconds=30.0)
    assert "one_door" in ran(aws, 12, settings)
    give(aws, OrderKind.APPROVE, accepts_unknown_loss=True, accepted_loss_seconds=1e6)
    connected_at_promotion: list[bool] = []

    def watch(call: object, take_effect: Callable[[], object]) -> object:
        if "promote_read_replica" in str(call):
            aws.writer.settle(aws.now)
            connected_at_promotion.append(aws.writer.old_connections)
        return take_effect()

    aws.fault = watch
    ran(aws, 40, settings)
    step = next(each for each in aws.incidents[0]["steps"] if each["phase"] == "fenced")
    assert connected_at_promotion == [False], (connected_at_promotion, step["outcome"], step["detail"])


# what people hear


def of_concern(aws: Aws, code: str) -> list[str]:
    return [subject for _, subject in aws.messages if subject.endswith(code)]


def test_concern_that_becomes_due_during_a_trouble_is_told() -> None:
    """The replica falls behind, then the writer goes away for a while; afterwards the replica is as far behind."""
    aws = healthy(START)
    aws.validates = False
    aws.writer.is_busy = True
    assert set(ran(aws, 8)) == {"healthy"}
    aws.standby.lag_seconds = 500.0
    ran(aws, 14)
    aws.writer.dies(aws.now)
    assert "loss_above_limit" in ran(aws, 10), aws.messages
    assert not of_concern(aws, "replica_behind")
    aws.writer.comes_back(aws.now)
    ran(aws, 60)
    assert of_concern(aws, "replica_behind"), [subject for _, subject in aws.messages]


def test_end_of_a_concern_is_told_where_it_ends_during_a_trouble() -> None:
    """Mode manual: the standby is repaired while the writer is away; the writer comes back by itself."""
    manual = replace(SETTINGS, policy=replace(SETTINGS.policy, mode=Mode.MANUAL))
    aws = healthy(START)
    aws.validates = False
    aws.standby.status = "storage-full"
    ran(aws, 20, manual)
    assert of_concern(aws, "standby_not_ready")
    aws.writer.dies(aws.now)
    ran(aws, 8, manual)
    aws.standby.status = "available"
    ran(aws, 2, manual)
    aws.writer.comes_back(aws.now)
    ran(aws, 40, manual)
    assert not aws.incidents
    told = [subject for _, subject in aws.messages]
    assert any("ready to fail over again" in subject for subject in told), told


def test_concern_that_comes_and_goes_all_day_is_told() -> None:
    """A replica that is ten limits behind for eight seconds (patience: nine) of every ten."""
    aws = healthy(START)
    aws.validates = False
    aws.writer.is_busy = True
    for _ in range(20):
        aws.standby.lag_seconds = 100.0
        ran(aws, 8)
        aws.standby.lag_seconds = 0.0
        ran(aws, 2)
    assert of_concern(aws, "replica_behind"), aws.messages


def test_other_weakness_of_the_same_code_is_told() -> None:
    """`evidence_weak` was told for the writer's login; months later the replica's certificate is not trusted."""
    aws = healthy(START)
    aws.validates = False
    aws.writer.refuses_sessions = SessionOutcome.NOT_PREPARED
    ran(aws, 20)
    assert len(of_concern(aws, "evidence_weak")) == 1
    aws.standby.refuses_sessions = SessionOutcome.NOT_VERIFIED
    ran(aws, 40)
    assert len(of_concern(aws, "evidence_weak")) == 2 or "certificate" in "".join(aws.texts)


def test_concern_of_before_a_failover_is_not_a_concern_of_after() -> None:
    aws = healthy(START)
    aws.validates = False
    for each in aws.instances.values():
        each.refuses_sessions = SessionOutcome.NOT_ADMITTED
    ran(aws, 20)
    aws.writer.dies(aws.now)
    aws.writer.status = "failed"
    running = Running(aws)
    running.tick(5)
    assert aws.controller["writer_site"] == "recovery"
    assert "unready" not in aws.controller, aws.controller["unready"]


def test_writer_that_hangs_at_the_login_is_a_question_to_people() -> None:
    """The handshake answers, every session hangs before its commit, and nothing is written any more."""
    aws = healthy(START)
    aws.validates = False
    aws.writer.is_busy = True
    ran(aws, 8)
    aws.writer.hung.append(Outage(aws.now))
    aws.writer.refuses_sessions = SessionOutcome.NOT_ENDED
    ran(aws, 60)
    told = [subject for _, subject in aws.messages]
    assert any("sessions_do_not_end" in subject for subject in told), told


# a position that goes back is no commit


def test_replica_that_restarts_while_the_writer_is_dead_shows_no_commit() -> None:
    """After a restart PostgreSQL asks from the start of the segment, and pg_last_wal_receive_lsn() says so:
    https://github.com/postgres/postgres/blob/REL_14_STABLE/src/backend/replication/walreceiverfuncs.c
    (RequestXLogStreaming).
    """
    at = moment(1200)
    points = tuple(
        Datapoint(moment(second), value, value, 1)
        for second, value in [
            *((s, 5.2e9) for s in range(900, 1100, 10)),
            *((s, 5.167e9) for s in range(1140, 1200, 10)),
        ]
    )
    trouble = Trouble(Kind.FAILING, moment(840), moment(900))
    readings = replace(
        drawn.DEAD_READINGS, at=at, received=points, heartbeat=(), stream_message=(), lag=(), standby_sessions=()
    )
    assert stream(readings, ON_AWS.policy, trouble).committed is not Answer.YES


# the same as 1, by another way: first the peering, then the region


def test_loss_of_a_region_that_is_lost_after_its_peering_counts_from_its_last_sign_of_life() -> None:
    """Cut at 605 s (told: answers_its_own_site), the replica falls 300 s behind, the region is lost at 3005 s."""
    world = World()
    aws = world.aws
    aws.writer.is_busy = True
    world.until(600)
    world.is_cut_off(605)
    assert world.until(2400) is None
    aws.standby.lag_seconds = 300.0
    assert world.until(3000) is None
    aws.writer.dies(moment(3005))
    aws.dark = {REGIONS[Site.PRIMARY]}
    code = world.until(4800)
    assert code is None, (code, f"bound said: {world.bound} s, lost: 300 s, limit: 60 s")


@pytest.mark.parametrize("away", [90, 1000])
def test_nothing_is_taken_to_go_on_where_readings_are_late_and_no_probe_can_be_asked_directly(
    away: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(globals(), "RHYTHM", replace(RHYTHM, delay=Spread(55, 58, 60)))
    world = World()
    aws = world.aws
    aws.writer.is_busy = True
    aws.writer.outages = [Outage(moment(605), moment(605 + away))]
    aws.fault = lambda call, effect: throttled(effect) if call.operation == "lambda.invoke" else effect()
    replaced = world.until(1000)
    assert replaced == ("writer_dead" if away > ON_AWS.policy.outage_seconds else None), world.codes


@pytest.mark.parametrize("is_dark", [True, False])
def test_loss_of_a_writer_that_nobody_saw_after_its_peering_counts_until_something_shows_it_lost(is_dark: bool) -> None:
    """Cut at 605 s, its own site's probe silent too; lost at 1805 s, with its region or before that probe's eyes."""
    world = World()
    aws = world.aws
    aws.writer.is_busy = True
    world.until(600)
    world.is_cut_off(605)
    for name in (metric_names.HEARTBEAT, metric_names.STREAM_MESSAGE):
        world.shows(name, lambda at: START.timestamp() + min(at, 605))
    world.shows(metric_names.RECEIVED_POSITION, lambda at: min(at, 605) * 1000)
    world.measure(Site.RECOVERY, "ReplicaLag", lambda at: max(0.0, at - 605))
    for metric in aws._cloudwatch[REGIONS[Site.PRIMARY]].metrics.values():
        if isinstance(metric, Probes):
            metric._found = silent(600, 1805, metric._found)  # type: ignore[method-assign]
    assert world.until(1800) is None
    aws.writer.dies(moment(1805))
    aws.dark = {REGIONS[Site.PRIMARY]} if is_dark else set()
    # So long that what was read of its end is not to be read any more.
    code = world.until(3600)
    assert code is None, (code, f"bound said: {world.bound} s, lost: 1200 s, limit: 60 s")
    assert world.codes[-1][1] == "loss_above_limit"


# too many messages


def test_writer_whose_commits_hang_again_and_again_does_not_fill_the_mailbox() -> None:
    """270 s of each 300 s, for 100 minutes."""
    world = World()
    aws = world.aws
    aws.writer.is_busy = True
    aws.writer.hung = [Outage(moment(605 + 300 * each), moment(875 + 300 * each)) for each in range(20)]
    world.until(6600)
    assert len(aws.messages) <= 10, len(aws.messages)


@pytest.mark.exhaustive
def test_people_are_not_asked_a_minute_before_the_controller_does_it_by_itself() -> None:
    """An ordinary crash of a prepared, busy writer at production timing."""
    asked = []
    for seed in range(16):
        chance = random.Random(seed)  # noqa: S311 - no secret
        world = World()
        aws = world.aws
        aws.writer.is_busy = True
        aws.now = moment(chance.uniform(0, 60))
        aws.writer.dies(moment(chance.uniform(600, 660)))
        assert world.until(1500) == "writer_dead"
        if any(subject.startswith("[test] APPROVAL NEEDED") for _, subject in aws.messages):
            asked.append(seed)
    assert not asked, f"{len(asked)} of 16 were asked first: {world.codes}"
