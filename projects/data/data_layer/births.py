"""How an instance comes into being: an argument of its creation, which never changes afterwards. Pure.

A site's birth is configured as text: ``original``, ``replica``, ``replica ARN``, ``snapshot NAME``,
``point-in-time ARN TIME``, ``adopted``, or ``none`` where the site has no instance.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from shared.errors import SettingsError

LATEST = "latest"
"""The newest moment that can be restored."""

# https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_Tagging.ARN.html and, for names,
# https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/CHAP_Limits.html#RDS_Limits.Constraints
_NAME = r"[A-Za-z](?:-?[A-Za-z0-9])*"
_ARN = re.compile(
    r"arn:aws:rds:(?P<region>[a-z0-9-]+):(?P<account>\d{12}):(?P<kind>db|snapshot|auto-backup):(?P<name>\S+)"
)
_INSTANCE = re.compile(_NAME)
# Snapshots that RDS took itself are called rds:..., those of AWS Backup awsbackup:...
_SNAPSHOT = re.compile(rf"(?:rds:|awsbackup:)?{_NAME}")
_AUTO_BACKUP = re.compile(r"ab-[a-z0-9]+")
# As Terraform takes it: https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/db_instance
_TIME = re.compile(r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:[0-5]\dZ")


@dataclass(frozen=True)
class Arn:
    """The ARN of something of RDS.

    Attributes:
        region: its region.
        account_id: its account.
        kind: `db`, `snapshot` or `auto-backup`.
        name: what follows in the ARN.
    """

    region: str
    account_id: str
    kind: str
    name: str

    def __str__(self) -> str:
        return f"arn:aws:rds:{self.region}:{self.account_id}:{self.kind}:{self.name}"


@dataclass(frozen=True)
class Original:
    """A new, empty database."""

    def __str__(self) -> str:
        return "original"


@dataclass(frozen=True)
class Replica:
    """A replica across regions.

    Attributes:
        source: the instance it follows; None for the other site's.
    """

    source: Arn | None = None

    def __str__(self) -> str:
        return "replica" if self.source is None else f"replica {self.source}"


@dataclass(frozen=True)
class FromSnapshot:
    """Restored from a snapshot of the site's region.

    Attributes:
        snapshot: its name, or its ARN where it is another account's.
    """

    snapshot: str | Arn

    def __str__(self) -> str:
        return f"snapshot {self.snapshot}"


@dataclass(frozen=True)
class FromPointInTime:
    """Restored from automated backups in the site's region: an instance's there, retained ones, or replicated ones.

    Attributes:
        source: the instance or the automated backup.
        moment: as ``2026-05-04T03:02:01Z``; None for the latest.
    """

    source: Arn
    moment: str | None

    def __str__(self) -> str:
        return f"point-in-time {self.source} {self.moment or LATEST}"


@dataclass(frozen=True)
class Adopted:
    """Nobody's here: an instance that was there already, and stays as it is until a setting says otherwise."""

    def __str__(self) -> str:
        return "adopted"


@dataclass(frozen=True)
class NoInstance:
    """The site has no instance now."""

    def __str__(self) -> str:
        return "none"


Birth = Original | Replica | FromSnapshot | FromPointInTime | Adopted | NoInstance

FORMS = (
    "original, replica, replica <ARN of an instance>, snapshot <name or ARN>, "
    "point-in-time <ARN of an instance or an automated backup> <latest or such as 2026-05-04T03:02:01Z>, adopted, none"
)


def parse_birth(key: str, text: str) -> Birth:
    """Read a birth; its text is read back as the same birth.

    Args:
        key: the setting it comes from, for the errors.
        text: as it is configured.

    Raises:
        SettingsError: it is no birth, or one of its parts cannot be used.
    """
    word, *parts = text.split() or [""]
    form = _FORMS.get((word, len(parts)))
    if form is None:
        raise SettingsError(key, text, f"give one of: {FORMS}")
    return form(key, text, *parts)


def _replica(key: str, text: str, source: str) -> Birth:
    return Replica(_arn(key, text, source, "db"))


def _from_snapshot(key: str, text: str, snapshot: str) -> Birth:
    if snapshot.startswith("arn:"):
        return FromSnapshot(_arn(key, text, snapshot, "snapshot"))
    if not _SNAPSHOT.fullmatch(snapshot):
        raise SettingsError(key, text, "give the name of a snapshot as RDS lists it, or its ARN")
    return FromSnapshot(snapshot)


def _from_point_in_time(key: str, text: str, source: str, moment: str) -> Birth:
    found = _arn(key, text, source, "db", "auto-backup")
    if moment != LATEST and not _TIME.fullmatch(moment):
        raise SettingsError(key, text, f"end it with {LATEST} or a time in UTC such as 2026-05-04T03:02:01Z")
    return FromPointInTime(found, None if moment == LATEST else moment)


_FORMS: Mapping[tuple[str, int], Callable[..., Birth]] = {
    ("original", 0): lambda *_: Original(),
    ("replica", 0): lambda *_: Replica(),
    ("replica", 1): _replica,
    ("snapshot", 1): _from_snapshot,
    ("point-in-time", 2): _from_point_in_time,
    ("adopted", 0): lambda *_: Adopted(),
    ("none", 0): lambda *_: NoInstance(),
}
_NAMES = {"db": _INSTANCE, "snapshot": _SNAPSHOT, "auto-backup": _AUTO_BACKUP}


def _arn(key: str, text: str, arn: str, *kinds: str) -> Arn:
    match = _ARN.fullmatch(arn)
    if match is None or match["kind"] not in kinds or not _NAMES[match["kind"]].fullmatch(match["name"]):
        wanted = " or ".join(f"arn:aws:rds:<region>:<account>:{kind}:<name>" for kind in kinds)
        raise SettingsError(key, text, f"{arn} is no ARN as it is needed here: give {wanted}")
    return Arn(match["region"], match["account"], match["kind"], match["name"])
