"""What could be restored now in both sites, and how old it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from function_runtime import words
from function_runtime.clients import AwsError, unanswered
from function_runtime.sites import Site
from operations.places import Places
from snapshot_copier.plan import PREFIX
from snapshot_copier.snapshots import (
    AVAILABLE,
    RETAINED,
    Snapshot,
    age_order,
    automated_backups,
    automated_snapshots,
    manual_snapshots,
)

SILENT = "its region does not answer; use the other site"
# Not a dark region: nobody is to fail over because of a role.
REFUSES = "its region answers and refuses; look at your role, and whether dr-automation is deployed in this version"


@dataclass(frozen=True)
class Backup:
    """Automated backups from which a point in time can be restored.

    Attributes:
        database: the instance they are of.
        arn: their ARN; a restore in another region than the instance's needs it.
        is_replicated: whether they are of an instance in the other region.
        is_retained: whether they are of an instance that is gone.
        earliest: the earliest moment that can be restored; None while there is none.
        latest: the latest one.
    """

    database: str
    arn: str | None
    is_replicated: bool
    is_retained: bool
    earliest: datetime | None
    latest: datetime | None


@dataclass(frozen=True)
class SiteList:
    """What one site has.

    Attributes:
        snapshots: complete snapshots of the site's own database and copies of the other one's, newest first.
        backups: automated backups, its own and replicated ones.
        silence: why nothing is known, and whether its region is silent or refuses; None if it answered.
    """

    snapshots: tuple[Snapshot, ...] = ()
    backups: tuple[Backup, ...] = ()
    silence: str | None = None

    def snapshot(self, identifier: str) -> Snapshot | None:
        """The snapshot of that name."""
        return next((each for each in self.snapshots if each.identifier == identifier), None)


def restorable(rds: Mapping[Site, Any], places: Places) -> Mapping[Site, SiteList]:
    """List both sites. If one region does not answer, the other is listed all the same.

    Args:
        rds: RDS's client of each site.
        places: where things are.
    """
    with ThreadPoolExecutor(max_workers=len(Site)) as pool:
        asked = {site: pool.submit(restorable_in, site, rds[site], places) for site in Site}
        return {site: each.result() for site, each in asked.items()}


def restorable_in(site: Site, rds: Any, places: Places) -> SiteList:
    """List one site.

    Args:
        site: the site.
        rds: RDS's client there.
        places: where things are.
    """
    place, other = places.at[site], places.at[site.other]
    try:
        # A copy keeps the identifier of the instance that it is of.
        copies = [each for each in manual_snapshots(rds) if each.database in (place.database_id, other.database_id)]
        found = [*automated_snapshots(rds, place.database_id), *copies]
        backups = automated_backups(rds)
    except AwsError as error:
        answered = unanswered(error).service_answered
        return SiteList(silence=f"{REFUSES if answered else SILENT} ({error})")
    complete = [each for each in found if each.status == AVAILABLE and each.taken_at is not None]
    return SiteList(
        snapshots=tuple(sorted(complete, key=age_order, reverse=True)),
        backups=tuple(
            backup
            for backup in (_backup(each, place.region) for each in backups)
            if backup.database in (place.database_id, other.database_id)
        ),
    )


def _backup(described: Mapping[str, Any], here: str) -> Backup:
    window = described.get("RestoreWindow", {})
    return Backup(
        database=described["DBInstanceIdentifier"],
        arn=described.get("DBInstanceAutomatedBackupsArn"),
        is_replicated=described.get("Region", here) != here,
        is_retained=described.get("Status") == RETAINED,
        earliest=window.get("EarliestTime"),
        latest=window.get("LatestTime"),
    )


def newest_backup(found: Mapping[Site, SiteList]) -> datetime | None:
    """The latest moment that anything listed could bring back; None where nothing is known of."""
    moments = [each.taken_at for listed in found.values() for each in listed.snapshots]
    moments += [each.latest for listed in found.values() for each in listed.backups]
    return max((each for each in moments if each is not None), default=None)


def summary(found: Mapping[Site, SiteList], now: datetime) -> list[str]:
    """For the status: the newest of each kind in each site."""
    return ["what could be restored", *_by_site(found, lambda listed: _newest(listed, now))]


def listing(found: Mapping[Site, SiteList], now: datetime) -> list[str]:
    """Everything, to choose from."""
    return _by_site(found, lambda listed: [_line(each, now) for each in listed.snapshots] + _backups(listed, now))


def _by_site(found: Mapping[Site, SiteList], tell: Callable[[SiteList], list[str]]) -> list[str]:
    lines: list[str] = []
    for site, listed in found.items():
        if listed.silence is not None:
            lines += words.indented([f"{site}: {listed.silence}"])
            continue
        told = tell(listed)
        lines += words.indented([f"{site}:" if told else f"{site}: nothing"])
        lines += words.indented(told, by=4)
    return lines


def _newest(listed: SiteList, now: datetime) -> list[str]:
    own = next((each for each in listed.snapshots if not each.identifier.startswith(PREFIX)), None)
    copied = next((each for each in listed.snapshots if each.identifier.startswith(PREFIX)), None)
    return [_line(each, now) for each in (own, copied) if each is not None] + _backups(listed, now)


def _line(snapshot: Snapshot, now: datetime) -> str:
    taken = "unknown" if snapshot.taken_at is None else words.ago(snapshot.taken_at, now)
    return f"{snapshot.identifier}, of {taken}"


def _backups(listed: SiteList, now: datetime) -> list[str]:
    lines = []
    for backup in listed.backups:
        kind = "replicated backups" if backup.is_replicated else "backups"
        if backup.is_retained:
            kind = f"{kind} of an instance that is gone,"
        if backup.latest is None or backup.earliest is None:
            lines.append(f"{kind} of {backup.database}: no point in time is offered yet")
        else:
            until = words.ago(backup.latest, now)
            lines.append(f"{kind} of {backup.database}: any moment from {words.moment(backup.earliest)} to {until}")
    return lines
