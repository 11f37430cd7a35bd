"""A snapshot copier's runs: what it copies, exports and tells, and where it ends when every call can fail (R7)."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from aws_in_memory.aws import Aws, Call, no_fault
from aws_in_memory.deployed import COPIER_ENVIRONMENT, ENVIRONMENT, REGIONS, copy
from aws_in_memory.faults import FAULTS, At, Killed, Kind, before
from aws_in_memory.recorded import OVER, incident, remember
from aws_in_memory.refusals import refusal
from function_runtime.environment import SettingError
from function_runtime.sites import Site
from function_runtime.state import Controller
from snapshot_copier.handler import NO_COPY_SECONDS, publish
from snapshot_copier.settings import CopierSettings

DAY = timedelta(days=1)
PRIMARY, RECOVERY = Site.PRIMARY, Site.RECOVERY


def world(days: int = 3) -> Aws:
    """A writer in the primary site with daily snapshots, the newest an hour old."""
    aws = Aws(ENVIRONMENT)
    end = aws.now
    for number in range(days):
        aws.now = end - number * DAY - timedelta(hours=1)
        aws.rds[PRIMARY].take("database-primary")
    aws.now = end
    remember(aws, Controller())
    return aws


def copies(aws: Aws, site: Site = RECOVERY) -> list[str]:
    aws.rds[site].describe_db_snapshots(SnapshotType="manual")
    return sorted(name for name, each in aws.rds[site].snapshots.items() if each["Status"] == "available")


def after_a_failover(aws: Aws) -> Aws:
    over = incident(RECOVERY, *OVER)
    remember(aws, Controller(epoch=1, writer_site=RECOVERY, last_incident_id=over.incident_id), over)
    return aws


def rest(aws: Aws, site: Site = RECOVERY, runs: int = 12) -> None:
    for number in range(runs):
        with suppress(Killed, ClientError, BotoCoreError):
            copy(aws, site)
        if getattr(aws.fault, "struck", None):
            aws.fault = no_fault
        del number
        aws.sleep(900)


def test_everything_within_the_retention_is_copied_the_newest_first_one_at_a_time() -> None:
    aws = world()
    first = copy(aws)
    assert len(first.done) == 2, "a copy, and the backups that nothing declares here"
    assert "copying rds:database-primary-2026-01-01-11-00" in first.done
    assert copy(aws).done == (), "one copy at a time"
    rest(aws)
    assert len(copies(aws)) == 3
    newest = aws.rds[RECOVERY].snapshots["copy-database-primary-2026-01-01-11-00"]
    tags = {tag["Key"] for tag in newest["TagList"]}
    assert tags == {"Owner", "DR-CopiedBy", "DR-CopyBegun", "DR-CopyName"}
    assert newest["KmsKeyId"] == COPIER_ENVIRONMENT[RECOVERY]["DATA_KEY_ARN"]
    assert aws.messages == [], "no message on success"


def test_the_writers_own_site_copies_nothing_and_exports_weekly() -> None:
    aws = world()
    (done,) = copy(aws, PRIMARY).done
    assert done == "exporting rds:database-primary-2026-01-01-11-00 as export-test-2026-01-01-12-00-00"
    assert copy(aws, PRIMARY).done == ()
    aws.now += 8 * DAY
    assert len(copy(aws, PRIMARY).done) == 1
    assert copies(aws, PRIMARY) == sorted(aws.rds[PRIMARY].snapshots)


def test_after_a_failover_the_direction_turns_around_by_itself() -> None:
    aws = after_a_failover(world())
    aws.rds[RECOVERY].take("database-recovery")
    rest(aws, PRIMARY)
    assert copies(aws, PRIMARY)[0] == "copy-database-recovery-2026-01-01-12-00"
    assert aws.rds[PRIMARY].replicated == ["arn:database-recovery"], "and so do the automated backups, once"
    assert copy(aws, RECOVERY).done[0].startswith("exporting rds:database-recovery")


def test_a_fenced_old_writers_snapshots_are_not_copied() -> None:
    aws = after_a_failover(world())
    rest(aws, RECOVERY)
    assert not any(name.startswith("copy-") for name in aws.rds[RECOVERY].snapshots)


def test_without_knowing_who_the_writer_is_nothing_is_copied_and_nothing_deleted() -> None:
    aws = world()
    rest(aws)
    aws.now += 30 * DAY
    before = dict(aws.rds[RECOVERY].snapshots)

    def broken(call: Call, take_effect: Any) -> Any:
        if call.operation == "dynamodb.get_item":
            raise refusal("AccessDenied", 403)
        return take_effect()

    aws.fault = broken
    with pytest.raises(ClientError):
        copy(aws)
    assert aws.rds[RECOVERY].snapshots == before


def test_a_dark_source_is_a_normal_condition_and_loses_nothing() -> None:
    aws = world()
    rest(aws)
    aws.dark = {aws.regions[PRIMARY]}
    aws.now += 30 * DAY
    found = copy(aws)
    assert (found.done, found.problems, found.source_answers) == ((), (), False)
    assert len(copies(aws)) == 3


def test_copies_expire_and_the_newest_stays_whatever_its_age() -> None:
    aws = world()
    rest(aws)
    aws.rds[PRIMARY].snapshots.clear()
    aws.now += 30 * DAY
    rest(aws, runs=2)
    assert copies(aws) == ["copy-database-primary-2026-01-01-11-00"]


def test_a_missing_key_permission_is_told_once_and_again_when_it_comes_back() -> None:
    aws = world()

    def no_key(call: Call, take_effect: Any) -> Any:
        if call.operation == "rds.copy_db_snapshot":
            raise refusal("KMSKeyNotAccessibleFault")
        return take_effect()

    aws.fault = no_key
    rest(aws, runs=4)
    assert [subject for _, subject in aws.messages] == ["[test] Snapshot copies in recovery: copy_refused"]
    assert "key" in aws.texts[0]
    aws.fault = no_fault
    rest(aws)
    assert len(aws.messages) == 1
    aws.fault = no_key
    aws.now += DAY
    aws.rds[PRIMARY].take("database-primary")
    rest(aws, runs=2)
    assert len(aws.messages) == 2


def test_a_copy_that_stays_at_thirty_percent_is_given_up_told_of_and_made_again() -> None:
    aws = world(days=1)
    aws.rds[RECOVERY].stuck = True
    copy(aws)
    aws.now += timedelta(hours=13)
    assert [each.code for each in copy(aws).problems] == ["copy_stuck"]
    aws.rds[RECOVERY].stuck = False
    rest(aws)
    assert len(copies(aws)) == 1
    assert len(aws.messages) == 1


def test_a_copy_that_fails_each_time_is_told_of_once() -> None:
    aws = world(days=1)
    for _ in range(6):
        copy(aws)
        for snapshot in aws.rds[RECOVERY].snapshots.values():
            snapshot["Status"] = "failed"
        aws.now += timedelta(minutes=15)
    assert len(aws.messages) == 1
    rest(aws)
    assert len(copies(aws)) == 1


def test_a_snapshot_that_is_deleted_while_it_is_copied_is_told_once_and_holds_up_no_other() -> None:
    aws = world(days=2)
    copy(aws)
    (underway,) = aws.rds[RECOVERY].snapshots
    del aws.rds[PRIMARY].snapshots[f"rds:{underway.removeprefix('copy-')}"]
    rest(aws)
    assert list(aws.rds[RECOVERY].snapshots) == ["copy-database-primary-2025-12-31-11-00"]
    assert [subject for _, subject in aws.messages] == ["[test] Snapshot copies in recovery: copy_failed"]
    assert "made again if its snapshot is still there" in aws.texts[0]


@pytest.mark.parametrize("status", ["creating", "available"])
def test_a_copy_that_somebody_deleted_is_made_again(status: str) -> None:
    aws = world(days=1)
    copy(aws)
    if status == "available":
        rest(aws)
    ((name, vanished),) = aws.rds[RECOVERY].snapshots.items()
    assert vanished["Status"] == status
    del aws.rds[RECOVERY].snapshots[name]
    rest(aws)
    assert copies(aws) == [name]
    assert aws.messages == []


def test_a_hundred_and_fifty_snapshots_of_others_are_neither_counted_wrong_nor_touched() -> None:
    aws = world(days=1)
    for number in range(150):
        aws.rds[RECOVERY].take("somebody-elses", "manual", f"by-hand-{number}")
    assert [each.code for each in copy(aws).problems] == ["snapshot_quota"]
    assert len(aws.rds[RECOVERY].snapshots) == 150
    assert aws.counted["rds.describe_db_snapshots", aws.regions[RECOVERY]] == 2, "a call a page"


def test_a_copy_that_is_slow_and_makes_progress_is_left_alone() -> None:
    aws = world(days=1)
    aws.rds[RECOVERY].stuck = True
    copy(aws)
    for percent in range(31, 91):
        aws.now += timedelta(hours=1)
        (made,) = aws.rds[RECOVERY].snapshots.values()
        made["PercentProgress"] = percent
        assert copy(aws).problems == ()
    assert aws.called.count("rds.copy_db_snapshot") == 1


def test_a_copy_that_fails_each_time_is_not_paid_for_at_each_run() -> None:
    aws = world(days=1)
    for _ in range(96):
        copy(aws)
        for snapshot in aws.rds[RECOVERY].snapshots.values():
            snapshot["Status"] = "failed"
        aws.now += timedelta(minutes=15)
    assert aws.called.count("rds.copy_db_snapshot") <= 24
    assert len(aws.messages) == 1


def test_a_snapshot_that_is_refused_for_good_does_not_hold_up_the_others() -> None:
    aws = world(days=3)
    real = aws.rds[RECOVERY].copy_db_snapshot

    def only_older(**asked: Any) -> Any:
        if "2026-01-01" in asked["TargetDBSnapshotIdentifier"]:
            raise refusal("AccessDenied", 403)
        return real(**asked)

    aws.rds[RECOVERY].copy_db_snapshot = only_older  # type: ignore[method-assign]
    rest(aws)
    assert copies(aws) == ["copy-database-primary-2025-12-30-11-00", "copy-database-primary-2025-12-31-11-00"]
    assert len(aws.messages) == 1


def told(aws: Aws, epoch: int, writer: Site, site: Site) -> None:
    aws.put(Controller(version=1, epoch=epoch, writer_site=writer).as_item(), site)


@pytest.mark.parametrize("newer", list(Site))
def test_the_newer_of_both_tables_says_which_way_copies_go(newer: Site) -> None:
    aws = world()
    aws.rds[RECOVERY].take("database-recovery")
    told(aws, 10, RECOVERY, newer)
    told(aws, 9, PRIMARY, newer.other)
    assert copy(aws, RECOVERY).source_answers is None
    assert "copying rds:database-recovery-2026-01-01-12-00" in copy(aws, PRIMARY).done


def test_the_backups_are_left_alone_while_a_standby_is_being_made() -> None:
    aws = after_a_failover(world())
    started = {"id": "reprotect", "version": 1, "started_at": "2026-01-01T12:00:00+00:00"}
    aws.put(started, RECOVERY)
    rest(aws, PRIMARY, 2)
    assert aws.rds[PRIMARY].replicated == []
    aws.put({**started, "finished_at": "2026-01-01T13:00:00+00:00"}, RECOVERY)
    rest(aws, PRIMARY, 2)
    assert aws.rds[PRIMARY].replicated == ["arn:database-recovery"]


def test_of_two_equally_new_tables_either_says_that_a_standby_is_being_made() -> None:
    for site in Site:
        aws = after_a_failover(world())
        told(aws, 1, RECOVERY, PRIMARY)
        aws.put({"id": "reprotect", "version": 1, "finished_at": None}, site)
        rest(aws, PRIMARY, 2)
        assert aws.rds[PRIMARY].replicated == []


@pytest.mark.parametrize("occurrence", [1, 2], ids=["controller", "reprotection"])
@pytest.mark.parametrize("site", list(Site), ids=lambda site: f"of {site}")
def test_a_run_fails_whose_own_table_does_not_answer_and_leaves_backups_alone_where_the_other_ones_does_not(
    site: Site, occurrence: int
) -> None:
    aws = after_a_failover(world())
    told(aws, 1, RECOVERY, PRIMARY)

    def refuse(call: Call) -> None:
        if (call.operation, call.region, call.occurrence) == ("dynamodb.get_item", REGIONS[site], occurrence):
            raise refusal("Throttling")

    aws.fault = before(refuse)
    if site is PRIMARY:
        with pytest.raises(ClientError):
            copy(aws, PRIMARY)
    else:
        copy(aws, PRIMARY)
    assert aws.rds[PRIMARY].replicated == []


def test_an_older_tables_reprotection_counts_for_nothing() -> None:
    aws = after_a_failover(world())
    aws.put({"id": "reprotect", "version": 1}, PRIMARY)
    rest(aws, PRIMARY, 2)
    assert aws.rds[PRIMARY].replicated == ["arn:database-recovery"]


def test_while_the_other_region_is_dark_the_own_record_decides_and_nothing_expires() -> None:
    aws = after_a_failover(world(days=3))
    for _ in range(3):
        aws.rds[RECOVERY].take("database-recovery")
        rest(aws, PRIMARY)
        aws.now += DAY
    told(aws, 1, RECOVERY, PRIMARY)
    kept = copies(aws, PRIMARY)
    aws.dark = {REGIONS[RECOVERY]}
    aws.now += 30 * DAY
    finding = copy(aws, PRIMARY)
    assert (finding.source_answers, finding.done) == (False, ())
    assert copies(aws, PRIMARY) == kept


def test_an_empty_table_names_no_writer_so_nothing_expires_and_nothing_is_exported() -> None:
    aws = after_a_failover(world(days=3))
    for _ in range(3):
        aws.rds[RECOVERY].take("database-recovery")
        rest(aws, PRIMARY)
        aws.now += DAY
    kept = [name for name in copies(aws, PRIMARY) if name.startswith("copy-")]
    assert len(kept) == 3
    del aws.items["controller"], aws.items["birth"]
    for _ in range(10):
        aws.now += DAY
        aws.rds[RECOVERY].take("database-recovery")
        rest(aws, PRIMARY)
    assert set(kept) < set(copies(aws, PRIMARY))
    assert len([name for name in copies(aws, PRIMARY) if name.startswith("copy-")]) == 13
    assert aws.rds[PRIMARY].exports == []


def test_backups_of_an_instance_that_is_gone_do_not_count_as_those_of_its_successor() -> None:
    aws = world(days=1)
    listing = aws.rds[RECOVERY].describe_db_instance_automated_backups
    old = {"DBInstanceArn": "arn:database-primary", "Status": "retained"}
    aws.rds[RECOVERY].describe_db_instance_automated_backups = lambda **asked: {  # type: ignore[method-assign]
        "DBInstanceAutomatedBackups": [old, *listing(**asked)["DBInstanceAutomatedBackups"]]
    }
    rest(aws, runs=3)
    assert aws.rds[RECOVERY].replicated == ["arn:database-primary"]


def test_throttling_by_the_other_region_is_nothing_for_people() -> None:
    aws = world(days=1)
    for number in range(6):
        aws.fault = before(throttle_the_listing) if number % 2 else no_fault
        copy(aws)
        aws.sleep(900)
    assert aws.messages == []


def throttle_the_listing(call: Call) -> None:
    if (call.operation, call.region) == ("rds.describe_db_snapshots", "ap-southeast-2"):
        raise refusal("Throttling")


def test_a_record_that_cannot_be_written_does_not_tell_people_at_each_run() -> None:
    aws = world(days=1)
    aws.rds[RECOVERY].take("somebody-elses", "manual", "copy-database-primary-2026-01-01-11-00")

    def refuse(call: Call) -> None:
        if call.operation == "dynamodb.put_item":
            raise refusal("AccessDenied", 403)

    aws.fault = before(refuse)
    rest(aws, runs=5)
    assert aws.messages == []
    aws.fault = no_fault
    rest(aws, runs=2)
    assert len(aws.messages) == 1


def test_what_people_could_not_be_told_is_told_by_the_next_run() -> None:
    aws = world(days=1)
    aws.rds[RECOVERY].take("somebody-elses", "manual", "copy-database-primary-2026-01-01-11-00")
    aws.gone_topics = {"arn:failures"}
    rest(aws, runs=2)
    aws.gone_topics = set()
    rest(aws, runs=2)
    assert len(aws.messages) == 1


def test_a_record_that_was_written_by_hand_is_made_whole() -> None:
    aws = world(days=1)
    aws.put({"id": "copies#recovery", "version": 3, "problems": 7})
    rest(aws, runs=2)
    aws.rds[RECOVERY].take("somebody-elses", "manual", "copy-database-primary-2026-01-02-11-00")
    aws.now += DAY
    aws.rds[PRIMARY].take("database-primary", name="rds:database-primary-2026-01-02-11-00")
    rest(aws, runs=2)
    assert len(aws.messages) == 1


def test_of_two_copiers_at_once_one_copies_and_none_complains() -> None:
    aws = world(days=1)
    aws.fault = At(lambda call: call.operation == "rds.copy_db_snapshot", no_effect_twice, meet=lambda: drop(copy(aws)))
    found = copy(aws)
    assert (found.problems, len(aws.rds[RECOVERY].snapshots)) == ((), 1)


def drop(found: object) -> None:
    del found


def no_effect_twice(take_effect: Any) -> Any:
    return take_effect()


def calls_of_a_run() -> list[Call]:
    aws, made = world(days=1), []

    def note(call: Call, take_effect: Any) -> Any:
        made.append(call)
        return take_effect()

    aws.fault = note
    copy(aws)
    return made


@pytest.mark.parametrize("kind", FAULTS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("call", calls_of_a_run(), ids=str)
def test_wherever_a_run_is_disturbed_the_next_ones_finish_it(call: Call, kind: Kind) -> None:
    aws = world(days=1)
    aws.fault = At(lambda made: made == call, kind)
    rest(aws)
    assert len(copies(aws)) == 1
    assert aws.rds[RECOVERY].replicated.count("arn:database-primary") >= 1


def test_the_age_is_published_where_copies_are_due_and_is_endless_where_there_is_none(
    capsys: pytest.CaptureFixture[str],
) -> None:
    aws = world(days=1)
    settings = {site: CopierSettings.from_environment(COPIER_ENVIRONMENT[site]) for site in Site}
    found = copy(aws)
    capsys.readouterr()
    publish(found, settings[RECOVERY], aws.now)
    assert json.loads(capsys.readouterr().out)["NewestCopyAge"] == [NO_COPY_SECONDS]
    rest(aws)
    found = copy(aws)
    capsys.readouterr()
    publish(found, settings[RECOVERY], aws.now)
    printed = json.loads(capsys.readouterr().out)
    assert printed["NewestCopyAge"] == [3600 + 12 * 900]
    assert (printed["CopyFailures"], printed["CopyBytes"]) == ([0], [20 * 2**30])
    found = copy(aws, PRIMARY)
    capsys.readouterr()
    publish(found, settings[PRIMARY], aws.now)
    assert "NewestCopyAge" not in json.loads(capsys.readouterr().out)


@pytest.mark.parametrize(
    ("variable", "value"), [("RETENTION_DAYS", "0"), ("RETENTION_DAYS", "36"), ("STUCK_HOURS", "-1")]
)
def test_a_setting_that_cannot_be_used_is_named(variable: str, value: str) -> None:
    with pytest.raises(SettingError) as raised:
        CopierSettings.from_environment({**COPIER_ENVIRONMENT[RECOVERY], variable: value})
    assert raised.value.variable == variable
