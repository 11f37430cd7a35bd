"""What of an instance cannot change after it was made. Holds the settings against what is deployed. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from data_layer.births import NoInstance, Replica
from data_layer.declared import FIRST_GENERATION, DeclaredInstance, Role
from shared.environment import Environment
from shared.errors import SettingsError
from shared.sites import Site

if TYPE_CHECKING:
    from data_layer.settings import DataSettings


def refuse_replacement(deployed: Mapping[str, object], settings: DataSettings, username: str) -> None:
    """Refuse settings that would need another instance under the name of the one that is there.

    An instance is never replaced: the old one is retired, then its successor made, in two deploys.

    Args:
        deployed: the outputs of this layer's stack, empty where it is not deployed. What is missing is not compared.
        settings: the layer's settings.
        username: the master user's name, as the secret says.

    Raises:
        SettingsError: the settings do not follow from what is deployed.
    """
    if not deployed:
        _refuse_replica_of_nothing(settings)
    for site in Site:
        _refuse_rename(deployed, settings.environment, site)
        _refuse_unretired(deployed, settings.instances[site])
    active = settings.instances[settings.active_site]
    if not isinstance(active.birth, Replica) and _deployed_generation(deployed, active.site) != active.generation:
        # A database that came from elsewhere may have other names. A replica has its source's.
        return
    for output, value, where in (
        ("databaseName", settings.database_name, "setting databaseName"),
        ("masterUsername", username, f"username of the secret {settings.secret_id}"),
    ):
        if output in deployed and deployed[output] != value:
            raise SettingsError(
                where,
                value,
                f"the database was made with {deployed[output]}, which RDS cannot change: put {deployed[output]} back",
            )


def _refuse_replica_of_nothing(settings: DataSettings) -> None:
    """In a new environment the active database cannot be a replica, and the other must be one or be absent.

    Raises:
        SettingsError: it is otherwise.
    """
    active, other = (settings.instances[site] for site in (settings.active_site, settings.active_site.other))
    if active.birth == Replica():
        raise SettingsError(
            f"{active.site}Birth",
            active.birth,
            "nothing is deployed that it could be a replica of: give original, or snapshot <name>",
        )
    if not isinstance(other.birth, Replica | NoInstance):
        raise SettingsError(
            f"{other.site}Birth", other.birth, f"it would share no data with the {active.site} site's: give replica"
        )


def _refuse_rename(deployed: Mapping[str, object], environment: Environment, site: Site) -> None:
    """Refuse another identifier than the site's database has.

    Raises:
        SettingsError: it is another one. RDS renames in place, with a reboot, and address, ARN and alarms follow.
    """
    key = f"{site}DatabaseId"
    if key in deployed and deployed[key] != environment.database_id(site):
        raise SettingsError(
            key,
            environment.database_id(site),
            f"the site's database is called {deployed[key]}, and another name would rename and reboot it: put "
            f"{deployed[key]} back into environments/{environment.stack}.yaml",
        )


def _refuse_unretired(deployed: Mapping[str, object], declared: DeclaredInstance) -> None:
    """Refuse a successor of an instance that is still there, and a second birth of one generation.

    Raises:
        SettingsError: the settings say so.
    """
    site, before = declared.site, _deployed_generation(deployed, declared.site)
    birth = deployed.get(f"{site}DatabaseBirth")
    key = f"{site}Generation"
    if birth is None:
        return
    is_there, same = birth != str(NoInstance()), declared.generation == before
    # A site that has had no instance yet has no address either.
    was_there = bool(deployed.get(f"{site}DatabaseAddress"))
    if is_there and not declared.exists and declared.role is not Role.RETIRING:
        raise SettingsError(
            f"{site}Birth", declared.birth, f"that deletes its instance: set retiring: {site} and deploy that first"
        )
    if same and declared.exists and str(declared.birth) != birth:
        if is_there:
            remedy = f"its instance began as {birth}, which never changes: put {birth} back"
        elif was_there:
            remedy = f"generation {before} was retired: set {key} to {before + 1}"
        else:
            return
        raise SettingsError(f"{site}Birth", declared.birth, remedy)
    if same:
        return
    if is_there:
        remedy = f"generation {before} is still there: put {before} back; ./dr reprotect retires it first"
    elif declared.generation != before + 1:
        remedy = f"generation {before} was the last: give {before + 1}"
    else:
        return
    raise SettingsError(key, declared.generation, remedy)


def _deployed_generation(deployed: Mapping[str, object], site: Site) -> int:
    """The generation of a site's instance; an environment of before there were generations has the first."""
    # A whole number crosses the engine's wire as a float.
    return int(float(str(deployed.get(f"{site}DatabaseGeneration", FIRST_GENERATION))))
