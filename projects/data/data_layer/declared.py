"""Which instance each site has: its generation, how it came into being, and what it does now. Pure.

Birth and generation are arguments of an instance and never change. Its role is what it does now, and follows the
configuration.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from data_layer.births import Adopted, Arn, Birth, FromPointInTime, FromSnapshot, NoInstance, Original, Replica
from shared.environment import NOT_SET, Environment
from shared.errors import SettingsError
from shared.sites import Site

FIRST_GENERATION = 1


class Role(StrEnum):
    """What an instance does now.

    Whatever is neither active nor retiring is a standby: also an old writer that nobody has retired yet.
    """

    ACTIVE = "active"
    STANDBY = "standby"
    RETIRING = "retiring"


@dataclass(frozen=True)
class DeclaredInstance:
    """The instance of a site.

    Attributes:
        site: where.
        generation: how often the site's database has come into being, this time included; from 1.
        birth: how it does; `NoInstance` where the site has none now.
        role: what it does.
    """

    site: Site
    generation: int
    birth: Birth
    role: Role

    @property
    def exists(self) -> bool:
        """Whether the site has an instance."""
        return not isinstance(self.birth, NoInstance)

    def numbered(self, name: str) -> str:
        """A logical name for this generation; the first has none of its own."""
        return name if self.generation == FIRST_GENERATION else f"{name}-{self.generation}"


def database_arn(environment: Environment, site: Site) -> Arn:
    """The ARN of a site's instance: its identifier is the same in every generation, so it is known beforehand."""
    return Arn(environment.regions[site], environment.account_id, "db", environment.database_id(site))


def declared_instances(
    environment: Environment,
    active_site: Site,
    retiring: Site | None,
    generations: Mapping[Site, int],
    births: Mapping[Site, Birth],
) -> Mapping[Site, DeclaredInstance]:
    """The instances of a configuration that does not contradict itself.

    Args:
        environment: what all layers share.
        active_site: whose database takes writes.
        retiring: whose database is about to be deleted.
        generations: by site.
        births: by site.

    Raises:
        SettingsError: two settings contradict each other, or RDS could not do what they say.
    """
    if retiring == active_site:
        raise SettingsError(
            "retiring",
            retiring,
            f"its database takes writes: retire {active_site.other}, or fail over and set activeSite first",
        )
    active_birth = births[active_site]
    if isinstance(active_birth, NoInstance):
        raise SettingsError(
            f"{active_site}Birth", active_birth, "activeSite is this site, so it needs an instance: say how it began"
        )
    if all(isinstance(birth, Original | Adopted) for birth in births.values()):
        other_birth = births[active_site.other]
        alike = " too" if other_birth == active_birth else ""
        raise SettingsError(
            f"{active_site.other}Birth",
            other_birth,
            f"{active_site}Birth is {active_birth}{alike}, and two originals share no data: give replica",
        )
    for site, birth in births.items():
        _refuse_impossible(environment, site, birth)
    roles = {active_site: Role.ACTIVE, active_site.other: Role.STANDBY if retiring is None else Role.RETIRING}
    return {site: DeclaredInstance(site, generations[site], births[site], roles[site]) for site in Site}


def _refuse_impossible(environment: Environment, site: Site, birth: Birth) -> None:
    """Refuse a birth from another region or account than RDS can take it from.

    Raises:
        SettingsError: RDS would refuse it, or it would be no protection.
    """
    key, region, itself = f"{site}Birth", environment.regions[site], database_arn(environment, site)
    match birth:
        case Adopted() if site not in environment.given_database_ids:
            raise SettingsError(
                f"{site}DatabaseId",
                NOT_SET,
                f"{key} is adopted: set the identifier of the instance that is there in "
                f"environments/{environment.stack}.yaml",
            )
        case Replica(Arn() as source) if source == itself:
            raise SettingsError(
                key, birth, f"it would be a replica of itself: give replica, of the {site.other} site's"
            )
        case Replica(Arn() as source) if source.region == region:
            raise SettingsError(key, birth, f"its source lies in {region} too and is lost with it: name one elsewhere")
        case Replica(Arn() as source) if source.account_id != environment.account_id:
            raise SettingsError(key, birth, f"RDS replicates within an account only: name one of {itself.account_id}")
        case FromSnapshot(Arn() as source) | FromPointInTime(source=source) if source.region != region:
            raise SettingsError(
                key, birth, f"RDS restores within a region only: name the copy in {region} that ./dr restore lists"
            )
        case FromPointInTime(source=source) if source == itself:
            raise SettingsError(
                key,
                birth,
                "its source would have to be there while it is made, and both would have one name: retire the source "
                "and name its retained backup (arn:aws:rds:...:auto-backup:ab-...)",
            )
