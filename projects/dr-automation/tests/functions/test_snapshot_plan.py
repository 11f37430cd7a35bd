"""What a snapshot copier plans, for whatever both regions list (R7)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from function_runtime.readings import Unanswered
from snapshot_copier.plan import (
    BEGUN_TAG,
    COPIED_BY_TAG,
    NAME_TAG,
    Plan,
    Rules,
    Seen,
    Tried,
    copy_identifier,
    is_good,
    is_ours,
    plan,
    tags_of_copy,
)
from snapshot_copier.snapshots import ExportTask, Snapshot

NOW = datetime(2026, 1, 20, 12, tzinfo=UTC)
KEY = "arn:aws:kms:ap-southeast-1:111122223333:key/here"
RULES = Rules("snapshot-copier-test", KEY, timedelta(days=7), timedelta(hours=12), None, "export-test-")
DAY = timedelta(days=1)


def automated(age_days: float, status: str = "available", database: str = "database-primary") -> Snapshot:
    taken_at = NOW - age_days * DAY
    identifier = f"rds:{database}-{taken_at:%Y-%m-%d-%H-%M}"
    tags = {"Owner": "database-team", "aws:rds:trail": "system"}
    return Snapshot(identifier, f"arn:{identifier}", database, status, taken_at, "arn:there", 100, 2**30, tags)


def copied(source: Snapshot, status: str = "available", begun_hours_ago: float = 1, key: str = KEY) -> Snapshot:
    """The copy of a snapshot, as the copier makes it."""
    name = copy_identifier(source)
    tags = tags_of_copy(source, RULES, NOW - timedelta(hours=begun_hours_ago))
    percent = 100 if status == "available" else 30
    return replace(source, identifier=name, arn=f"arn:{name}", status=status, key_arn=key, percent=percent, tags=tags)


def planned(source: Sequence[Snapshot] | Unanswered, *here: Snapshot, rules: Rules = RULES) -> Plan:
    return plan(Seen(NOW, source, here), rules)


def codes(found: Plan) -> list[str]:
    return [each.code for each in found.problems]


def deleted(found: Plan) -> dict[str, str]:
    return {each.snapshot.identifier: each.why for each in found.delete}


def test_the_newest_missing_snapshot_is_copied_first() -> None:
    old, new = automated(2), automated(1)
    assert planned([old, new]).to_copy[0] == new
    assert planned([old, new], copied(new)).to_copy[0] == old
    assert planned([old, new], copied(new), copied(old)).to_copy == ()


def test_only_complete_snapshots_within_the_retention_are_copied() -> None:
    assert planned([automated(0.1, status="creating"), automated(8)]).to_copy == ()


def test_one_copy_at_a_time() -> None:
    assert planned([automated(1), automated(2)], copied(automated(2), status="copying")).to_copy == ()


def test_a_copy_carries_the_tags_that_can_be_carried() -> None:
    tags = tags_of_copy(automated(1), RULES, NOW)
    ours = {
        COPIED_BY_TAG: "snapshot-copier-test",
        BEGUN_TAG: NOW.isoformat(),
        NAME_TAG: copy_identifier(automated(1)),
    }
    assert tags == {"Owner": "database-team", **ours}
    many = replace(automated(1), tags={f"tag-{number:02}": "x" for number in range(50)})
    assert len(tags_of_copy(many, RULES, NOW)) == 50
    assert tags_of_copy(many, RULES, NOW).items() >= ours.items()


def test_a_copy_of_a_copy_that_a_person_made_is_not_ours() -> None:
    kept = replace(copied(automated(20)), identifier="copy-database-primary-keep-for-audit")
    assert deleted(planned([], copied(automated(1)), kept)) == {}


def test_where_no_copy_is_under_this_sites_key_the_newest_is_kept_and_people_hear_of_it() -> None:
    copies = [copied(automated(days), key="arn:old-key") for days in (10, 9, 8)]
    found = planned([], *copies)
    assert deleted(found) == {each.identifier: "expired" for each in copies[:2]}
    assert codes(found) == ["other_key"]


def test_a_status_that_may_pass_is_no_failure() -> None:
    assert deleted(planned([], copied(automated(1), status="upgrading"))) == {}


def test_a_failed_copy_goes_and_is_made_again() -> None:
    source = automated(1)
    found = planned([source], copied(source, status="failed"))
    assert (deleted(found), codes(found)) == ({copy_identifier(source): "failed"}, ["copy_failed"])
    assert planned([source]).to_copy[0] == source


def test_a_copy_that_stays_at_thirty_percent_is_given_up_after_a_while_and_not_before() -> None:
    source = automated(1)
    assert deleted(planned([source], copied(source, "copying", begun_hours_ago=11))) == {}
    found = planned([source], copied(source, "copying", begun_hours_ago=13))
    assert (deleted(found), codes(found)) == ({copy_identifier(source): "stuck"}, ["copy_stuck"])
    assert "at 30 % for 13 h" in found.problems[0].text
    assert deleted(planned([source], copied(source, "copying", begun_hours_ago=12))) == {}, "not at the limit itself"
    assert deleted(planned([source], copied(source, "copying", begun_hours_ago=12.001))) != {}


def test_a_copy_whose_beginning_cannot_be_read_counts_from_the_time_of_its_snapshot() -> None:
    copying = copied(automated(1), "copying")
    for written in ("yesterday", f"{NOW:%Y-%m-%dT%H:%M:%S}"):
        unreadable = replace(copying, tags={**copying.tags, BEGUN_TAG: written})
        assert deleted(planned([], unreadable)) == {copying.identifier: "stuck"}


def test_an_export_that_failed_is_told_with_its_cause() -> None:
    weekly = replace(RULES, export_every=timedelta(days=7))
    for cause, told in (("no permission", "no permission"), (None, "RDS does not say why")):
        failed = replace(export(2, "FAILED"), cause=cause)
        (problem,) = plan(Seen(NOW, (), (), exports=[failed]), weekly).problems
        assert problem.text == f"the export {failed.identifier} has failed: {told}"


def test_only_a_complete_snapshot_whose_time_is_known_is_exported() -> None:
    weekly = replace(RULES, export_every=timedelta(days=7))
    unusable = [automated(1, status="creating"), replace(automated(1), taken_at=None)]
    assert plan(Seen(NOW, (), (), own=unusable), weekly).export is None


@pytest.mark.parametrize(("ago", "is_free"), [(timedelta(minutes=59), False), (timedelta(hours=1), True)])
def test_what_was_given_up_is_copied_again_after_a_while_and_others_meanwhile(ago: timedelta, is_free: bool) -> None:
    given_up, other = automated(1), automated(2)
    seen = Seen(NOW, [given_up, other], (), tried={copy_identifier(given_up): Tried(None, NOW - ago)})
    assert plan(seen, RULES).to_copy == ((given_up, other) if is_free else (other,))


def test_a_snapshot_is_copied_and_kept_to_the_last_moment_of_its_retention() -> None:
    assert planned([automated(7)]).to_copy == (automated(7),)
    assert planned([automated(7.001)]).to_copy == ()
    assert deleted(planned([], copied(automated(7)), copied(automated(1)))) == {}
    assert deleted(planned([], copied(automated(7.001)), copied(automated(1)))) != {}


def test_copies_expire_but_never_the_newest_good_one() -> None:
    copies = [copied(automated(days)) for days in (9, 8, 6)]
    assert list(deleted(planned([], *copies)).values()) == ["expired", "expired"]
    assert deleted(planned([], *copies[:2])) == {copies[0].identifier: "expired"}
    # One under another key is none to rely on, be it newer.
    assert deleted(planned([], copies[1], copied(automated(7.5), key="arn:old-key"))) == {
        copied(automated(7.5)).identifier: "expired"
    }


def test_nothing_expires_while_the_other_region_does_not_answer() -> None:
    dark = Unanswered("timed out", service_answered=False)
    found = planned(dark, copied(automated(20)), copied(automated(9)))
    assert (found.to_copy, found.delete, found.problems) == ((), (), ())
    assert found.newest == copied(automated(9))


def test_a_region_that_refuses_is_a_problem_and_a_dark_one_is_not() -> None:
    assert codes(planned(Unanswered("AccessDenied", service_answered=True))) == ["source_refused"]


def test_a_snapshot_that_is_not_ours_is_neither_replaced_nor_deleted() -> None:
    source = automated(1)
    foreign = replace(copied(source), tags={})
    found = planned([source], foreign)
    assert (found.to_copy, found.delete, codes(found), found.newest) == ((), (), ["name_taken"], None)


def test_twenty_copies_in_flight_are_waited_for() -> None:
    others = [replace(automated(1), identifier=f"other-{number}", tags={}, status="copying") for number in range(20)]
    found = planned([automated(1)], *others)
    assert (found.to_copy, codes(found)) == ((), [])
    assert planned([automated(1)], *others[1:]).to_copy == (automated(1),)


def export(hours_ago: float, status: str = "COMPLETE", prefix: str = "export-test-") -> ExportTask:
    asked_at = NOW - timedelta(hours=hours_ago)
    return ExportTask(f"{prefix}{asked_at:%Y-%m-%d-%H-%M-%S}", status, "no permission" if status == "FAILED" else None)


@pytest.mark.parametrize(
    ("tasks", "is_due"),
    [
        ([], True),
        ([export(6 * 24)], False),
        ([export(7 * 24)], True),
        ([export(7 * 24 - 1)], False),
        ([export(8 * 24, "IN_PROGRESS")], False),
        ([export(2, "FAILED")], False),
        ([export(24, "FAILED")], True),
        ([export(23, "FAILED")], False),
        ([export(1, prefix="of-somebody-else-")], True),
        ([export(1, "IN_PROGRESS", prefix="export-test-eu-")], True),
    ],
)
def test_an_export_is_due_once_in_its_time_and_one_at_a_time(tasks: list[ExportTask], is_due: bool) -> None:
    seen = Seen(NOW, (), (), own=[automated(2), automated(1)], exports=tasks)
    assert plan(seen, RULES).export is None, "never, if nobody asks for it"
    found = plan(seen, replace(RULES, export_every=timedelta(days=7)))
    assert found.export == (automated(1) if is_due else None)
    assert codes(found) == (["export_failed"] if any(each.status == "FAILED" for each in tasks) else [])


AGES = st.integers(0, 80).map(lambda quarters: quarters / 4)
SOURCES = st.lists(
    st.builds(automated, AGES, st.sampled_from(["available", "available", "creating"])),
    max_size=8,
    unique_by=lambda each: each.identifier,
)
STATUSES = st.sampled_from(["available", "available", "copying", "failed", "deleting", "word-of-later"])
COPIES = st.builds(
    copied, st.builds(automated, AGES), STATUSES, st.integers(0, 40), st.sampled_from([KEY, KEY, "arn:old-key"])
)
FOREIGN = st.builds(
    lambda source, name: replace(source, identifier=name), st.builds(automated, AGES), st.uuids().map(str)
)
HERE = st.lists(COPIES | FOREIGN, max_size=12, unique_by=lambda each: each.identifier)
SILENT = st.just(Unanswered("timed out", service_answered=False))


@given(SOURCES | SILENT, HERE)
def test_only_our_own_goes_and_never_the_newest_good_copy(
    source: list[Snapshot] | Unanswered, here: list[Snapshot]
) -> None:
    found = planned(source, *here)
    gone = [each.snapshot for each in found.delete]
    assert all(is_ours(each, RULES) for each in gone)
    assert found.newest not in gone
    assert len(set(deleted(found))) == len(found.delete), "each once"
    if found.to_copy:
        assert copy_identifier(found.to_copy[0]) not in {each.identifier for each in here}


@given(SOURCES, HERE)
def test_runs_that_follow_each_other_come_to_rest_with_everything_copied(
    source: list[Snapshot], here: list[Snapshot]
) -> None:
    here = [each for each in here if each.status != "copying"]
    for _ in range(30):
        found = planned(source, *here)
        gone = {each.snapshot.identifier for each in found.delete}
        after = [each for each in here if each.identifier not in gone and each.status != "deleting"]
        if found.to_copy:
            after.append(copied(found.to_copy[0]))
        if after == here:
            break
        here = after
    else:
        pytest.fail("it never comes to rest")
    kept = {each.identifier for each in here}
    wanted = {copy_identifier(each) for each in source if each.status == "available" and NOW - each.taken_at <= 7 * DAY}  # type: ignore[operator]
    assert wanted <= kept
    ours = [each for each in here if is_ours(each, RULES) and each.status == "available"]
    old = [each for each in ours if NOW - each.taken_at > 7 * DAY]  # type: ignore[operator]
    assert len(old) <= 1
    assert all(is_good(each, RULES) for each in old) or not any(is_good(each, RULES) for each in ours)
