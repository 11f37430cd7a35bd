"""What RDS offers: engine versions, instance classes, and the hosted zones of its endpoints."""

from __future__ import annotations

from collections.abc import Mapping

ENGINE = "postgres"

# https://docs.aws.amazon.com/AmazonRDS/latest/PostgreSQLReleaseNotes/postgresql-release-calendar.html
_MINORS: Mapping[str, tuple[str, ...]] = {
    "14": ("14.18", "14.19", "14.20", "14.21"),
    "15": ("15.13", "15.14", "15.15", "15.16"),
    "16": ("16.9", "16.10", "16.11", "16.12"),
    "17": ("17.5", "17.6", "17.7", "17.8"),
}

_SIZES = ("large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge", "24xlarge")
# https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Concepts.DBInstanceClass.Support.html
_CLASSES: Mapping[str, tuple[str, ...]] = {
    "t3": ("micro", "small", "medium", "large", "xlarge", "2xlarge"),
    "t4g": ("micro", "small", "medium", "large", "xlarge", "2xlarge"),
    "m5": _SIZES,
    "m6i": (*_SIZES, "32xlarge"),
    "m7i": (*_SIZES, "48xlarge"),
    "m6g": _SIZES[:-1],
    "m7g": _SIZES[:-1],
    "r5": _SIZES,
    "r6i": (*_SIZES, "32xlarge"),
    "r7i": (*_SIZES, "48xlarge"),
    "r6g": _SIZES[:-1],
    "r7g": _SIZES[:-1],
}

# https://docs.aws.amazon.com/general/latest/gr/rds-service.html
_HOSTED_ZONES: Mapping[str, str] = {
    "ap-northeast-1": "Z24O6O9L7SGTNB",
    "ap-southeast-1": "Z2G0U3KFCY8NZ5",
    "ap-southeast-2": "Z32T0VRHXEXS0V",
    "eu-west-1": "Z29XKXDKYMONMX",
    "us-east-1": "Z2R2ITUGPM61AM",
    "us-west-2": "Z1PVIF0B656C1W",
}


def resolve_engine_version(asked: str | None) -> str | None:
    """The minor version RDS would run.

    Args:
        asked: a major ("14": its newest minor), a minor, or None for the default.

    Returns:
        The full version, None where RDS offers no such version.
    """
    if asked is None:
        return _MINORS["17"][-1]
    if asked in _MINORS:
        return _MINORS[asked][-1]
    return asked if asked in engine_versions() else None


def engine_versions() -> tuple[str, ...]:
    """Every version on offer, oldest first."""
    return tuple(version for minors in _MINORS.values() for version in minors)


def family_of(version: str) -> str:
    """The parameter group family of a version: 14.20 has postgres14."""
    return f"{ENGINE}{version.partition('.')[0]}"


def families() -> frozenset[str]:
    """Every parameter group family on offer."""
    return frozenset(f"{ENGINE}{major}" for major in _MINORS)


def is_instance_class(name: str) -> bool:
    """Whether RDS for PostgreSQL has an instance class of this name."""
    prefix, _, rest = name.partition(".")
    family, _, size = rest.partition(".")
    return prefix == "db" and size in _CLASSES.get(family, ())


def hosted_zone(region: str) -> str:
    """The hosted zone of a region's endpoints, for alias records. Regions the lab knows nothing of share one."""
    return _HOSTED_ZONES.get(region, "Z1LABRDSENDPOINT")
