"""The end of a failover is a write: when the name moves, when the writer is on record, what RDS may do meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from aws_in_memory.aws import Aws, Call, TakeEffect, no_fault
from aws_in_memory.clock import START
from aws_in_memory.deployed import SETTINGS, guard, healthy, run, unprepared, writer_dead
from aws_in_memory.faults import At, before, killed_after
from aws_in_memory.instance import Outage
from aws_in_memory.recorded import incident, remember
from aws_in_memory.running import Running, assert_one_writer, instruct, killed_once, subjects, writers
from aws_in_memory.stories import AUTOMATIC, PLANNED, begun, give
from failover.latch import word
from failover.shown import SHOWN_WITHIN_SECONDS
from function_runtime.control import InstructionKind, OrderKind
from function_runtime.incident import Incident, Kind, Phase
from function_runtime.session_outcome import SessionOutcome
from function_runtime.sites import Site
from function_runtime.state import Controller

pytestmark = pytest.mark.usefixtures("silent_logs")

FOR_LONG = timedelta(hours=2)
SHOWN_WITHIN = timedelta(seconds=SHOWN_WITHIN_SECONDS)


def dead(**standby: Any) -> Aws:
    """The writer is dead, and RDS treats the standby's promotion so."""
    aws = writer_dead()
    aws.validates = False
    for name, value in standby.items():
        setattr(aws.standby, name, value)
    return aws


def steps(aws: Aws) -> dict[str, dict[str, Any]]:
    (incident,) = aws.incidents
    return {step["phase"]: step for step in incident["steps"]}


def seconds_to(aws: Aws, phase: Phase) -> float:
    """From the request to the end of a step."""
    asked_at = datetime.fromisoformat(steps(aws)["promoting"]["called_at"])
    return (datetime.fromisoformat(steps(aws)[phase]["finished_at"]) - asked_at).total_seconds()


def on_record(aws: Aws) -> tuple[str, str | None]:
    return aws.controller["writer_site"], aws.controller.get("switching_to")


def test_the_word_follows_the_site_that_becomes_the_writer() -> None:
    for becoming in Site:
        switching = Controller(writer_site=becoming.other, switching_to=becoming, authority=becoming)
        recorded = Controller(writer_site=becoming, authority=becoming)
        assert [word(site, switching) for site in Site] == [word(site, recorded) for site in Site]


# The name moves


def test_the_name_moves_while_rds_promotes_and_the_record_only_with_the_first_write() -> None:
    aws = dead(promotion_takes=timedelta(seconds=30))
    seen: list[tuple[float, tuple[str, str | None], bool]] = []

    def watch(call: Call, take_effect: TakeEffect) -> Any:
        if "controller" in aws.items and aws.latch:
            seen.append((aws.latch[-1], on_record(aws), aws.standby.is_writer(aws.now)))
        return take_effect()

    aws.fault = watch
    run(aws)
    run(aws, "next")
    assert (2.0, ("primary", "recovery"), False) in seen, "the name moves beside the promotion"
    assert not [each for each in seen if each[1][0] == "recovery" and not each[2]], "no writer without a write"
    assert on_record(aws) == ("recovery", None)
    assert seconds_to(aws, Phase.SHOWN) < 5
    assert 30 <= seconds_to(aws, Phase.WRITES) < 35


@pytest.mark.parametrize("status", [None, "backing-up", "storage-optimization", "available"])
def test_neither_the_api_s_yes_nor_a_status_that_says_nothing_moves_the_name(status: str | None) -> None:
    aws = dead(promotion_takes=FOR_LONG, shows_promotion_after=FOR_LONG)

    def shows(call: Call, take_effect: TakeEffect) -> Any:
        answer = take_effect()
        if call.operation == "rds.promote_read_replica" and status is not None:
            aws.standby.status = status
        return answer

    aws.fault = shows
    assert run(aws)["code"] == "to_be_continued"
    assert "promoted" in aws.events
    assert set(aws.latch) == {0}
    assert on_record(aws) == ("primary", None)


def test_a_status_that_was_there_before_the_request_does_not_move_the_name() -> None:
    aws = dead(status="modifying", promotion_takes=FOR_LONG)
    assert run(aws)["code"] != "closed"
    assert "promoted" not in aws.events
    assert set(aws.latch) == {0}


def test_the_name_of_a_planned_failover_moves_when_the_promotion_is_over() -> None:
    aws = begun(PLANNED)
    aws.standby.promotion_takes = timedelta(seconds=20)
    early: list[float] = []

    def watch(call: Call, take_effect: TakeEffect) -> Any:
        early.extend(aws.latch[-1:] if aws.standby.source is not None else [])
        return take_effect()

    aws.fault = watch
    for number in range(3):
        run(aws, f"run-{number}")
    assert aws.incidents[0]["phase"] == "closed"
    assert set(early) == {0}
    assert aws.name is Site.RECOVERY


def test_a_run_that_begins_meanwhile_says_the_word_again() -> None:
    aws = dead(promotion_takes=FOR_LONG)
    run(aws)
    published = len(aws.published)
    assert run(aws, "next", replace(SETTINGS, run_budget_seconds=2))["code"] == "to_be_continued"
    assert [value for _, value in aws.published[published:]] == [2]


def test_a_record_that_has_not_heard_that_the_name_moves_does_not_send_it_back() -> None:
    aws = dead(promotion_takes=FOR_LONG)
    run(aws)
    item = dict(aws.items["controller"])
    del item["switching_to"]
    for lost in (item, None):
        aws.items.pop("controller")
        if lost is not None:
            aws.items["controller"] = lost
        run(aws, "next", replace(SETTINGS, run_budget_seconds=2))
        assert on_record(aws) == ("primary", "recovery")
        assert aws.latch[-1] == 2


def test_while_the_name_moves_the_guard_keeps_the_old_writer_shut() -> None:
    aws = dead(promotion_takes=FOR_LONG)
    aws.writer.refuses_changes = True
    run(aws)
    assert on_record(aws) == ("primary", "recovery")
    aws.writer.refuses_changes = False
    aws.writer.comes_back(aws.now)
    assert guard(aws).code in ("fenced", "rebooting")
    assert aws.writer.groups == {aws.writer.quarantine_group: "active"}


# Writes


def test_the_clock_stops_and_people_hear_of_writes_at_the_first_committed_heartbeat() -> None:
    aws = dead(promotion_takes=timedelta(seconds=20))
    run(aws)
    assert steps(aws)["writes"]["outcome"] == "commits"
    (found,) = aws.incidents
    assert aws.standby.promoted_at is not None
    first = aws.standby.promoted_at + timedelta(seconds=20)
    since = datetime.fromisoformat(found["trouble_since"])
    assert timedelta(0) <= since + timedelta(seconds=float(found["rto_seconds"])) - first <= timedelta(seconds=1)
    told = subjects(aws).splitlines()
    (accepted,) = (subject for subject in told if "writes are accepted" in subject)
    assert told.index(accepted) < told.index(next(subject for subject in told if "Failover done" in subject))


def test_a_session_that_reads_on_a_replica_is_no_write() -> None:
    aws = dead(promotion_takes=FOR_LONG)
    run(aws)
    assert aws.incidents[0]["phase"] == "shown", "the probe's sessions work all the time"
    assert on_record(aws)[0] == "primary"


@pytest.mark.parametrize(
    "standby",
    [{"backs_up_for": FOR_LONG}, {"shows_writer_after": timedelta(seconds=25)}],
    ids=["backing up after it", "modifying still"],
)
def test_clients_do_not_wait_for_what_rds_calls_the_new_writer(standby: dict[str, timedelta]) -> None:
    aws = dead(**standby)
    run(aws)
    assert seconds_to(aws, Phase.WRITES) <= aws.standby.promotion_takes.total_seconds() + 2
    assert aws.incidents[0]["phase"] == "closed"
    assert_one_writer(aws, Site.RECOVERY)


def test_the_incident_waits_for_rds_to_show_the_end_but_not_for_ever() -> None:
    aws = dead(shows_writer_after=FOR_LONG)
    for number in range(30):
        run(aws, f"run-{number}")
        aws.sleep(2)
        if aws.incidents[0]["phase"] == "closed":
            break
    assert steps(aws)["promoted"]["outcome"] == "not_shown"
    to_writes = datetime.fromisoformat(steps(aws)["writes"]["finished_at"]) - START
    assert aws.incidents[0]["rto_seconds"] <= to_writes.total_seconds(), "the clock stops at the write, not at the end"
    assert SETTINGS.step_patience_seconds <= seconds_to(aws, Phase.PROMOTED) <= SETTINGS.step_patience_seconds + 60
    assert {value for _, value in sorted(aws.published)[-5:]} == {2}, "the word is said all the time"


def broken(aws: Aws) -> Aws:
    aws.broken_probes.add(Site.RECOVERY)
    return aws


def cannot_commit(aws: Aws) -> Aws:
    aws.standby.refuses_sessions = SessionOutcome.READ_ONLY
    return aws


@pytest.mark.parametrize(
    ("spoil", "outcome"),
    [(unprepared, "reachable"), (broken, "not_confirmed"), (cannot_commit, "not_confirmed")],
)
def test_a_probe_that_cannot_commit_does_not_keep_clients_from_a_writer_that_rds_shows(
    spoil: Any, outcome: str
) -> None:
    aws = dead(promotion_takes=timedelta(seconds=20))
    killed_once(aws, lambda call: call.operation == "rds.promote_read_replica")
    spoil(aws)
    # Shorter than the wait: the next run goes on with it, and does not begin it anew.
    short = replace(SETTINGS, run_budget_seconds=6)
    for number in range(12):
        run(aws, f"run-{number}", short)
    assert steps(aws)["writes"]["outcome"] == outcome
    assert not aws.standby.source
    assert on_record(aws) == ("recovery", None)
    assert f"no write was confirmed ({outcome})" in subjects(aws)
    assert "No probe has committed" in "".join(aws.texts)
    assert aws.incidents[0]["rto_seconds"] > 20


def test_a_hung_new_writer_is_not_taken_for_one_that_takes_writes() -> None:
    aws = dead()
    aws.standby.hung.append(Outage(START))
    run(aws)
    writes = steps(aws)["writes"]
    assert writes["outcome"] == "not_confirmed"
    waited = datetime.fromisoformat(writes["finished_at"]) - datetime.fromisoformat(writes["shows_since"])
    assert 0 <= waited.total_seconds() - SETTINGS.verify_timeout_seconds <= SETTINGS.poll_interval_seconds


# Dropped


DROPS = {"at once": timedelta(), "after it was shown": timedelta(seconds=10)}


def carried_on(aws: Aws, until: Any, seconds: float = 900) -> None:
    ends_at = aws.now + timedelta(seconds=seconds)
    running = Running(aws)
    while aws.now < ends_at and not until():
        running.tick(1, seconds=5)
    assert until(), (aws.incidents, aws.messages)


def is_closed(aws: Aws) -> bool:
    return [item["phase"] for item in aws.incidents] == ["closed"] and "incident_id" not in aws.controller


@pytest.mark.parametrize("drops_after", DROPS.values(), ids=DROPS)
@pytest.mark.parametrize(("story", "drops"), [(AUTOMATIC, 2), (PLANNED, 1)], ids=["automatic", "planned"])
def test_a_promotion_that_rds_drops_is_asked_for_again_and_people_are_told(
    story: Any, drops: int, drops_after: timedelta
) -> None:
    aws = begun(story)
    aws.standby.promotion_takes = timedelta(seconds=20)
    # Of a planned failover, within the time that it has.
    aws.standby.drops_promotions = [drops_after] * drops
    carried_on(aws, lambda: is_closed(aws))
    assert aws.events.count("promoted") == drops + 1
    assert aws.incidents[0]["asked_again"] == drops
    told = [subject for _, subject in aws.messages if "DROPPED THE PROMOTION" in subject]
    assert [subject[-3:] for subject in told] == [f"({number + 1})" for number in range(drops)]
    assert aws.latch == sorted(aws.latch), "the name stays where it has moved to"
    assert_one_writer(aws, Site.RECOVERY)


# Of a planned failover


@pytest.mark.parametrize("drops_after", DROPS.values(), ids=DROPS)
def test_a_planned_failover_whose_promotions_rds_drops_is_given_up_when_its_time_is_over(
    drops_after: timedelta,
) -> None:
    aws = begun(PLANNED)
    aws.standby.promotion_takes = timedelta(seconds=20)
    aws.standby.drops_promotions = [drops_after] * 50
    carried_on(aws, lambda: is_closed(aws), seconds=300)
    assert steps(aws)["shown"]["outcome"] == "abandoned"
    last_asked_at = datetime.fromisoformat(steps(aws)["promoting"]["called_at"])
    given_up_at = datetime.fromisoformat(steps(aws)["shown"]["finished_at"])
    begun_at = datetime.fromisoformat(steps(aws)["promoting"]["started_at"])
    assert given_up_at - last_asked_at >= SHOWN_WITHIN, "RDS may still carry it out"
    assert given_up_at - begun_at >= timedelta(seconds=SETTINGS.planned_promotion_timeout_seconds)
    assert "Failover abandoned: primary stays the writer" in subjects(aws)
    Running(aws).tick(5)
    assert len(aws.incidents) == 1, "its order is not carried out again"
    assert_one_writer(aws, Site.PRIMARY)


def test_a_planned_failover_whose_replica_fails_gives_the_writer_its_clients_back_at_once() -> None:
    aws = begun(PLANNED)
    aws.standby.drops_promotions = [timedelta()] * 50
    carried_on(aws, lambda: "promoted" in aws.events)
    aws.standby.status = "failed"
    failed_at = aws.now
    carried_on(aws, lambda: is_closed(aws))
    assert aws.now - failed_at < timedelta(seconds=120)
    assert "RDS has accepted the promotion and calls it failed since" in steps(aws)["shown"]["detail"]
    assert_one_writer(aws, Site.PRIMARY)


@pytest.mark.parametrize("is_abandoned", [False, True])
@pytest.mark.parametrize("status", ["storage-full", "incompatible-network"])
def test_and_not_where_it_may_recover_and_be_promoted_after_all_not_even_by_a_person(
    status: str, is_abandoned: bool
) -> None:
    aws = begun(PLANNED)
    aws.standby.promotion_takes = timedelta(seconds=400)
    carried_on(aws, lambda: "promoted" in aws.events)
    aws.standby.status = status
    Running(aws).tick(3)
    assert "STUCK" in subjects(aws)
    if is_abandoned:
        instruct(aws, InstructionKind.ABANDON, aws.incidents[0]["incident_id"])
        Running(aws).tick(3)
        assert "NOT GIVEN UP YET" in subjects(aws)
    aws.standby.status = "available"
    carried_on(aws, lambda: is_closed(aws))
    assert_one_writer(aws, Site.RECOVERY)


def test_and_not_where_it_has_failed_after_it_was_promoted() -> None:
    aws = begun(PLANNED)
    aws.standby.drops_promotions = [timedelta()] * 50
    carried_on(aws, lambda: "promoted" in aws.events)
    aws.standby.status, aws.standby.source = "failed", None
    Running(aws).tick(3)
    assert not is_closed(aws)
    assert "STUCK" in subjects(aws)


def backed_up_after(aws: Aws, seconds: float) -> None:
    """RDS accepts a planned failover's promotion, drops it, and backs the replica up for so long."""
    aws.standby.drops_promotions = [timedelta()] * 50
    carried_on(aws, lambda: "promoted" in aws.events)
    aws.standby.status = "backing-up"
    running, until = Running(aws), aws.now + timedelta(seconds=seconds)
    while aws.now < until:
        running.tick(1, seconds=10)


def test_a_planned_failover_whose_replica_is_backed_up_waits_and_people_hear_of_it_once() -> None:
    aws = begun(PLANNED)
    backed_up_after(aws, 1200)
    assert aws.incidents[0]["phase"] == "promoting"
    assert subjects(aws).count("NOT GIVEN UP YET") == 1
    assert aws.events.count("promoted") == 1
    aws.standby.status = "available"
    carried_on(aws, lambda: is_closed(aws), seconds=200)
    assert aws.events.count("promoted") == 1, "it is not asked for again"
    assert_one_writer(aws, Site.PRIMARY)


def test_a_planned_failover_is_given_up_only_a_minute_after_the_backup() -> None:
    aws = begun(PLANNED)
    backed_up_after(aws, 300)
    aws.standby.status = "available"
    available_since = aws.now
    carried_on(aws, lambda: steps(aws)["shown"]["finished_at"] is not None, seconds=120)
    assert datetime.fromisoformat(steps(aws)["shown"]["finished_at"]) - available_since >= SHOWN_WITHIN


def test_a_planned_failover_whose_promotion_only_takes_long_is_not_given_up() -> None:
    aws = begun(PLANNED)
    aws.standby.promotion_takes = timedelta(seconds=500)
    carried_on(aws, lambda: is_closed(aws))
    assert "NOT GIVEN UP" not in subjects(aws)
    assert_one_writer(aws, Site.RECOVERY)


def test_a_planned_failover_is_not_given_up_against_a_write_that_rds_does_not_show() -> None:
    aws = begun(PLANNED)
    aws.standby.promotion_takes = timedelta(seconds=270)
    # What RDS shows meanwhile is the replica, as before it was asked.
    aws.standby.shows_promotion_after = aws.standby.shows_writer_after = FOR_LONG
    aws.fault = lambda call, take_effect: None if call.operation == "rds.promote_read_replica" else take_effect()
    Running(aws).tick(1, seconds=5)
    assert steps(aws)["promoting"]["outcome"] == "asked"
    aws.fault = no_fault
    aws.sleep(130)
    aws.standby.promote(7, aws.now - timedelta(seconds=300))
    carried_on(aws, lambda: on_record(aws) == ("recovery", None), seconds=60)
    assert steps(aws)["shown"]["outcome"] == "shown"


# Before it is asked for again


@pytest.mark.parametrize("drops_after", DROPS.values(), ids=DROPS)
def test_a_dropped_promotion_is_not_asked_for_again_where_the_old_writer_commits(drops_after: timedelta) -> None:
    aws = dead(promotion_takes=timedelta(seconds=20), drops_promotions=[drops_after] * 50)
    # Nobody could shut it.
    aws.writer.refuses_changes = True
    carried_on(aws, lambda: "promoted" in aws.events)
    aws.writer.comes_back(aws.now)
    aws.writer.refuses_changes = False
    carried_on(aws, lambda: is_closed(aws))
    assert aws.events.count("promoted") == 1
    assert steps(aws)["writes" if drops_after else "shown"]["outcome"] == "abandoned"
    Running(aws).tick(3)
    assert_one_writer(aws, Site.PRIMARY)


def test_but_it_is_where_a_person_has_forced_the_failover() -> None:
    aws = healthy()
    aws.validates = False
    run(aws)
    give(aws, OrderKind.FORCED, accepts_unknown_loss=True)
    aws.writer.dies(aws.now)
    aws.writer.refuses_changes = True
    aws.standby.drops_promotions = [timedelta()]
    carried_on(aws, lambda: "promoted" in aws.events)
    aws.writer.comes_back(aws.now)
    carried_on(aws, lambda: aws.events.count("promoted") == 2)
    assert aws.incidents[0]["kind"] == "forced"


def test_it_is_asked_for_again_without_a_look_where_rds_does_not_call_the_replica_available() -> None:
    aws = dead(status="storage-optimization", drops_promotions=[timedelta()])
    looks: list[int] = []

    def watch(call: Call, take_effect: TakeEffect) -> Any:
        if call.operation == "lambda.invoke":
            looks.append(aws.events.count("promoted"))
        return take_effect()

    aws.fault = watch
    carried_on(aws, lambda: aws.events.count("promoted") == 2)
    assert 1 not in looks


def test_a_promotion_is_not_asked_for_again_before_a_minute_as_a_replica() -> None:
    aws = dead(drops_promotions=[timedelta()])
    carried_on(aws, lambda: aws.events.count("promoted") == 2)
    first = next(step for step in aws.incidents[0]["steps"] if step["phase"] == "promoting")
    waited = datetime.fromisoformat(first["called_at"]) - datetime.fromisoformat(first["finished_at"])
    assert SHOWN_WITHIN <= waited <= SHOWN_WITHIN + timedelta(seconds=30)


def test_people_hear_a_bounded_number_of_times_that_promotions_are_dropped_and_each_is_counted() -> None:
    aws = dead(drops_promotions=[timedelta()] * 12)
    carried_on(aws, lambda: is_closed(aws), seconds=3600)
    assert aws.incidents[0]["asked_again"] == 12
    assert subjects(aws).count("DROPPED THE PROMOTION") == 5


@pytest.mark.parametrize("drops_after", DROPS.values(), ids=DROPS)
def test_a_person_gives_a_dropped_promotion_up_and_name_and_clients_go_back(drops_after: timedelta) -> None:
    aws = dead(promotion_takes=timedelta(seconds=20), drops_promotions=[drops_after] * 50)
    carried_on(aws, lambda: aws.incidents != [] and aws.incidents[0].get("asked_again", 0) == 1)
    moved = aws.name
    aws.writer.comes_back(aws.now)
    instruct(aws, InstructionKind.ABANDON, aws.incidents[0]["incident_id"])
    carried_on(aws, lambda: is_closed(aws))
    assert moved is (Site.RECOVERY if drops_after else Site.PRIMARY)
    assert "Failover abandoned: primary stays the writer" in subjects(aws)
    Running(aws).tick(3)
    assert_one_writer(aws, Site.PRIMARY)
    assert on_record(aws) == ("primary", None)


@pytest.mark.parametrize("since_seconds", [0, 50])
def test_a_promotion_under_way_or_just_accepted_cannot_be_given_up(since_seconds: int) -> None:
    aws = dead(promotion_takes=timedelta(seconds=200), shows_promotion_after=timedelta(seconds=since_seconds))
    killed_once(aws, lambda call: call.operation == "rds.promote_read_replica")
    running = Running(aws)
    running.tick(1)
    instruct(aws, InstructionKind.ABANDON, aws.incidents[0]["incident_id"])
    for _ in range(20):
        running.tick(1, seconds=5)
        assert not writers(aws) or writers(aws) == {Site.RECOVERY}
    assert_one_writer(aws, Site.RECOVERY)
    assert aws.events.count("let in") == 0
    assert subjects(aws).count("NOT GIVEN UP YET") == 1, "a person must hear that an abandonment is passed over"
    assert "abandoned it, and RDS" in "".join(aws.texts)


def calls_of_dropped() -> Iterator[Call]:
    aws = begun(AUTOMATIC)
    aws.standby.drops_promotions = [timedelta(seconds=3)]
    made: list[Call] = []
    aws.fault = before(made.append)
    running = Running(aws, guards=False)
    for _ in range(40):
        running.controller()
        aws.sleep(5)
    asked = [number for number, call in enumerate(made) if call.operation == "rds.promote_read_replica"]
    assert len(asked) == 2
    yield from (call for call in made[asked[0] - 5 : asked[1] + 30])


@pytest.mark.exhaustive
def test_a_run_that_is_killed_after_any_call_around_a_dropped_promotion_ends_in_the_same_place() -> None:
    for where in calls_of_dropped():
        aws = begun(AUTOMATIC)
        aws.standby.drops_promotions = [timedelta(seconds=3)]
        aws.fault = at = At(where.__eq__, killed_after)
        running = Running(aws, guards=False)
        for _ in range(60):
            running.controller()
            if at.struck:
                aws.fault = no_fault
                if is_closed(aws):
                    break
            aws.sleep(5)
        assert at.struck == [where]
        assert_one_writer(aws, Site.RECOVERY)
        assert aws.latch == sorted(aws.latch)
        assert aws.events.count("promoted") == 2, where
        # Where the answer to the first request was lost with the run, nobody knows that it was accepted.
        counted = aws.incidents[0]["asked_again"]
        assert ("DROPPED THE PROMOTION" in subjects(aws)) is (counted >= 1), where


# Older versions


OLD = (Phase.FENCED, Phase.PROMOTING, Phase.PROMOTED, Phase.VERIFIED, Phase.SWITCHED)


@pytest.mark.parametrize("done", range(2, 6))
@pytest.mark.parametrize("kind", [Kind.AUTOMATIC, Kind.PLANNED])
def test_a_failover_that_an_older_version_has_begun_is_carried_through(done: int, kind: Kind) -> None:
    aws = healthy()
    aws.validates = False
    aws.writer.dies(START)
    aws.standby.promotion_takes = timedelta(seconds=5)
    aws.standby.promote(7, aws.now)
    aws.events.append("promoted")
    if done > 2:
        aws.sleep(5)
    phases = OLD[:done] if kind is Kind.AUTOMATIC else (OLD[0], Phase.DRAINED, *OLD[1:done])
    begun = incident(Site.RECOVERY, *phases, fenced="fenced", kind=kind)
    site = Site.RECOVERY if done == 5 else Site.PRIMARY
    remember(aws, Controller(epoch=1, writer_site=site, incident_id=begun.incident_id), begun)
    for each in ("steps", "asked_again"):
        item = aws.plain(f"incident#{begun.incident_id}")
        if each == "asked_again":
            del item[each]
        else:
            item[each] = [{k: v for k, v in step.items() if not k.startswith("shows")} for step in item[each]]
        aws.put(item)
    running = Running(aws, guards=False)
    running.tick(5)
    assert aws.incidents[0]["phase"] == "closed"
    assert on_record(aws) == ("recovery", None)
    assert aws.latch == sorted(aws.latch)
    assert aws.latch[-1] == 2
    assert "Failover done" in subjects(aws)


def test_a_closed_failover_of_an_older_version_has_made_its_new_writer() -> None:
    old = incident(Site.RECOVERY, *OLD, Phase.CLOSED)
    assert old.has_new_writer
    assert Incident.from_item(old.as_item()) == old
