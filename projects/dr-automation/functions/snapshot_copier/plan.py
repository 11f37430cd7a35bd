"""What is to be copied, what may go, and what is wrong. Pure: from what both regions list to a plan.

Level-triggered: the plan follows from what is there now, so a run that was lost or killed changes nothing.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from function_runtime.readings import Unanswered
from snapshot_copier.snapshots import AVAILABLE, ExportTask, Snapshot, age_order

COPIED_BY_TAG = "DR-CopiedBy"
BEGUN_TAG = "DR-CopyBegun"
# Its own identifier: whoever copies a copy by hand, tags and all, makes one that is not ours.
NAME_TAG = "DR-CopyName"
PREFIX = "copy-"
# https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_CopySnapshot.html; RDS says `creating` of a copy, too.
IN_FLIGHT = frozenset({"copying", "creating", "pending"})
# Any other word may pass, such as one for maintenance.
FAILED = frozenset({"error", "failed", "incompatible-restore"})
# https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/CHAP_Limits.html
MOST_TAGS = 50
# https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/CHAP_Limits.html
COPIES_IN_FLIGHT_QUOTA = 20
EXPORTS_UNDER_WAY = frozenset({"STARTING", "IN_PROGRESS", "CANCELING"})
EXPORT_FAILED = "FAILED"
# A failed export is tried again, but not at every run: each is a full copy, and is paid for.
EXPORT_TIME = "%Y-%m-%d-%H-%M-%S"
EXPORT_RETRY = timedelta(days=1)
# The same of a copy that failed or got stuck.
COPY_RETRY = timedelta(hours=1)


@dataclass(frozen=True)
class Tried:
    """What earlier runs have seen of a copy.

    Attributes:
        percent: how much of it was done; None where it was given up.
        since: since when it has been so.
    """

    percent: int | None
    since: datetime


@dataclass(frozen=True)
class Rules:
    """What a plan goes by.

    Attributes:
        copied_by: the value of our own tag: what does not bear it is not ours.
        key_arn: the KMS key of this site; a copy under another key is none to rely on.
        retention: how long copies are kept.
        stuck_after: a copy that makes no progress for so long is given up and made again.
        export_every: how often the newest snapshot is exported, None for never.
        export_prefix: how the names of our export tasks begin.
    """

    copied_by: str
    key_arn: str
    retention: timedelta
    stuck_after: timedelta
    export_every: timedelta | None
    export_prefix: str


@dataclass(frozen=True)
class Seen:
    """What one run has listed.

    Attributes:
        at: when.
        source: the automated snapshots of the writer, where it is in the other site; empty where it is in this one.
        here: all manual snapshots of this region.
        own: the automated snapshots of the writer, where it is in this site.
        exports: the export tasks of this region.
        tried: what earlier runs have seen of copies, by their identifiers.
        writer_is_known: whether it is on record who the writer is; without that nothing expires.
    """

    at: datetime
    source: Sequence[Snapshot] | Unanswered
    here: Sequence[Snapshot]
    own: Sequence[Snapshot] = ()
    exports: Sequence[ExportTask] = ()
    tried: Mapping[str, Tried] = field(default_factory=dict)
    writer_is_known: bool = True


@dataclass(frozen=True)
class Deletion:
    """A copy of ours that is to go, and why."""

    snapshot: Snapshot
    why: str


@dataclass(frozen=True)
class Problem:
    """Something people must know.

    Attributes:
        code: one word; the runbook has a section of it.
        what: the snapshot or task that it is about; with the code it tells one problem from another.
        text: for people.
    """

    code: str
    what: str
    text: str


@dataclass(frozen=True)
class Plan:
    """What to do, and what there is.

    Attributes:
        to_copy: the snapshots that could be copied now, of which one is, in this order.
        delete: copies to delete.
        export: the snapshot to export now, None where none is due.
        problems: what people must know.
        newest: the newest good copy, None where there is none.
        in_flight: the identifiers of our copies that are under way.
        good_bytes: the allocated storage of all good copies.
        tried: what this run has seen of copies, for the next one.
    """

    to_copy: tuple[Snapshot, ...]
    delete: tuple[Deletion, ...]
    export: Snapshot | None
    problems: tuple[Problem, ...]
    newest: Snapshot | None
    in_flight: frozenset[str]
    good_bytes: int
    tried: Mapping[str, Tried]


def plan(seen: Seen, rules: Rules) -> Plan:
    """Plan one run.

    Args:
        seen: what both regions list.
        rules: retention, keys and names.
    """
    ours = [each for each in seen.here if is_ours(each, rules)]
    good = [each for each in ours if is_good(each, rules)]
    problems: list[Problem] = []
    tried = _tried(ours, seen)
    broken = list(_broken(ours, seen.at, rules, tried, problems))
    tried |= {each.snapshot.identifier: Tried(None, seen.at) for each in broken}
    # What cannot be replaced now is kept: nothing expires while the other region does not answer.
    may_expire = seen.writer_is_known and not isinstance(seen.source, Unanswered)
    expired = list(_expired(ours, seen.at, rules)) if may_expire else []
    _report_other_keys(ours, rules, problems)
    return Plan(
        to_copy=_to_copy(seen, ours, rules, tried, problems),
        delete=(*broken, *expired),
        export=_to_export(seen, rules, problems),
        problems=tuple(problems),
        newest=max(good, key=age_order, default=None),
        in_flight=frozenset(each.identifier for each in ours if each.status in IN_FLIGHT),
        good_bytes=sum(each.storage_bytes for each in good),
        tried=tried,
    )


def is_ours(snapshot: Snapshot, rules: Rules) -> bool:
    """Whether this copier made it; nothing else is ever deleted."""
    name = snapshot.identifier
    tags = (snapshot.tags.get(COPIED_BY_TAG), snapshot.tags.get(NAME_TAG))
    return name.startswith(PREFIX) and tags == (rules.copied_by, name)


def is_good(snapshot: Snapshot, rules: Rules) -> bool:
    """Whether it could be restored: complete, and under this site's key."""
    return snapshot.status == AVAILABLE and snapshot.taken_at is not None and snapshot.key_arn == rules.key_arn


def copy_identifier(source: Snapshot) -> str:
    """The identifier of a snapshot's copy: always the same, so that two copiers at once make one copy."""
    return PREFIX + source.identifier.removeprefix("rds:")


def tags_of_copy(source: Snapshot, rules: Rules, at: datetime) -> dict[str, str]:
    """The source's tags without AWS's own, which cannot be set, and ours."""
    ours = {COPIED_BY_TAG: rules.copied_by, BEGUN_TAG: at.isoformat(), NAME_TAG: copy_identifier(source)}
    return {**dict(sorted(carried_tags(source).items())[: MOST_TAGS - len(ours)]), **ours}


def carried_tags(source: Snapshot) -> dict[str, str]:
    """The tags that go over to what is made of a snapshot: neither AWS's own, which cannot be set, nor a copy's."""
    return {
        name: value
        for name, value in source.tags.items()
        if not name.lower().startswith("aws:") and name not in (COPIED_BY_TAG, BEGUN_TAG, NAME_TAG)
    }


def _tried(ours: Iterable[Snapshot], seen: Seen) -> dict[str, Tried]:
    """What is known of copies: those under way, and those that were given up not long ago."""
    known = {
        name: each for name, each in seen.tried.items() if each.percent is None and seen.at - each.since < COPY_RETRY
    }
    for each in ours:
        if each.status in IN_FLIGHT:
            before = seen.tried.get(each.identifier, Tried(each.percent, _begun(each) or seen.at))
            known[each.identifier] = before if before.percent == each.percent else Tried(each.percent, seen.at)
    return known


def _broken(
    ours: Iterable[Snapshot], at: datetime, rules: Rules, tried: Mapping[str, Tried], problems: list[Problem]
) -> Iterable[Deletion]:
    """Copies that will never be good. Without them the snapshot counts as missing, and is copied again."""
    for each in ours:
        if each.status in IN_FLIGHT:
            since = tried[each.identifier].since
            if at - since > rules.stuck_after:
                hours = (at - since) // timedelta(hours=1)
                text = f"the copy {each.identifier} has been at {each.percent} % for {hours} h; it is made again"
                problems.append(Problem("copy_stuck", each.identifier, text))
                yield Deletion(each, "stuck")
        elif each.status in FAILED:
            text = (
                f"the copy {each.identifier} has failed (status {each.status}); it is made again if its snapshot is "
                "still there"
            )
            problems.append(Problem("copy_failed", each.identifier, text))
            yield Deletion(each, "failed")


def _expired(ours: Iterable[Snapshot], at: datetime, rules: Rules) -> Iterable[Deletion]:
    by_database: dict[str, list[Snapshot]] = defaultdict(list)
    for each in ours:
        if each.status == AVAILABLE and each.taken_at is not None:
            by_database[each.database].append(each)
    for copies in by_database.values():
        good = [each for each in copies if is_good(each, rules)]
        # Where none is under this site's key, an old one may still be restored while its own key is there.
        newest = max(good or copies, key=age_order)
        for each in copies:
            if each is not newest and each.taken_at is not None and at - each.taken_at > rules.retention:
                yield Deletion(each, "expired")


def _report_other_keys(ours: Iterable[Snapshot], rules: Rules, problems: list[Problem]) -> None:
    others = [each.identifier for each in ours if each.status == AVAILABLE and each.key_arn != rules.key_arn]
    if others:
        text = (
            f"{len(others)} copies are not encrypted with this site's key, the newest {max(others)}: they can be "
            "restored as long as their own key is there"
        )
        problems.append(Problem("other_key", "key", text))


def _to_copy(
    seen: Seen, ours: Sequence[Snapshot], rules: Rules, tried: Mapping[str, Tried], problems: list[Problem]
) -> tuple[Snapshot, ...]:
    if isinstance(seen.source, Unanswered):
        if seen.source.service_answered:
            text = f"the other region refuses to list its snapshots: {seen.source.why}"
            problems.append(Problem("source_refused", "source", text))
        return ()
    taken = {each.identifier: each for each in seen.here}
    missing = [
        each
        for each in seen.source
        if each.status == AVAILABLE and each.taken_at is not None and seen.at - each.taken_at <= rules.retention
        if copy_identifier(each) not in taken or not is_ours(taken[copy_identifier(each)], rules)
    ]
    for each in missing:
        if copy_identifier(each) in taken:
            text = f"a snapshot that is not ours bears the name {copy_identifier(each)}: rename or delete it"
            problems.append(Problem("name_taken", copy_identifier(each), text))
    free = [each for each in missing if copy_identifier(each) not in taken and copy_identifier(each) not in tried]
    if not free:
        return ()
    # RDS queues the copies of one database, and makes each of them longer.
    if any(each.status in IN_FLIGHT for each in ours):
        return ()
    if sum(each.status in IN_FLIGHT for each in seen.here) >= COPIES_IN_FLIGHT_QUOTA:
        return ()
    return tuple(sorted(free, key=age_order, reverse=True))


def _to_export(seen: Seen, rules: Rules, problems: list[Problem]) -> Snapshot | None:
    if rules.export_every is None:
        return None
    # Another environment's prefix may begin with ours.
    own_name = re.compile(re.escape(rules.export_prefix) + r"\d{4}(-\d\d){5}")
    ours = [each for each in seen.exports if own_name.fullmatch(each.identifier)]
    if any(each.status in EXPORTS_UNDER_WAY for each in ours):
        return None
    # The name begins with the time; RDS leaves the start out of some tasks that failed.
    last = max(ours, key=lambda task: task.identifier, default=None)
    if last is not None:
        if last.status == EXPORT_FAILED:
            text = f"the export {last.identifier} has failed: {last.cause or 'RDS does not say why'}"
            problems.append(Problem("export_failed", last.identifier, text))
        wait = EXPORT_RETRY if last.status == EXPORT_FAILED else rules.export_every
        if seen.at - _asked_at(last, rules) < wait:
            return None
    available = [each for each in seen.own if each.status == AVAILABLE and each.taken_at is not None]
    return max(available, key=age_order, default=None)


def _begun(copy: Snapshot) -> datetime | None:
    try:
        begun = datetime.fromisoformat(copy.tags.get(BEGUN_TAG, ""))
    except ValueError:
        return copy.taken_at
    return begun if begun.tzinfo is not None else copy.taken_at


def _asked_at(task: ExportTask, rules: Rules) -> datetime:
    named = task.identifier.removeprefix(rules.export_prefix)
    return datetime.strptime(f"{named} +0000", f"{EXPORT_TIME} %z")
