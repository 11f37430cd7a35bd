"""``nox -s restore -- --inspect`` and ``--close``: let operators look at an instance that clients do not use."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from deployment.state_tables import Tables, newest
from function_runtime.clients import AwsError, unanswered
from function_runtime.database import Database, NotInThisStateError
from function_runtime.readings import Instance
from function_runtime.sites import Site
from operations.authority import authority_by
from operations.console import Console
from operations.errors import RefusedError
from operations.exit_codes import DONE
from operations.places import Place, Places
from operations.requests import InspectRequest
from shared.errors import SettingsError
from snapshot_copier.snapshots import PAGE_SIZE, pages

Answer = TypeVar("Answer")

# The role can create no other names, so no instance in use can be named by mistake.
NAME = re.compile(r"restored-[a-z0-9](-?[a-z0-9])*")
READ_ONLY = "PGOPTIONS='-c default_transaction_read_only=on'"


@dataclass(frozen=True)
class RestoreAccess:
    """What the command works with.

    Attributes:
        by: ARN of the person's own identity.
        rds: RDS in each site's region, under the role for restoring.
        tables: reads both state tables, which say who the writer is.
    """

    by: str
    rds: Mapping[Site, Any]
    tables: Callable[[], Tables]


def inspect(request: InspectRequest, places: Places, access: RestoreAccess, console: Console) -> int:
    """Open a restored or fenced instance to the operators' network, or close it again.

    Returns:
        0.

    Raises:
        SettingsError: there is no such instance, or it is one that clients use.
        RefusedError: RDS refuses; nothing was done.
    """
    site, name = request.site, request.name
    place = places.at[site]
    database = Database(access.rds[site], name, place.quarantine_group_id)
    instance = _asked(database.find, f"look at {name}")
    if instance is None:
        raise SettingsError("instance", name, f"there is none in the {site} site; see nox -s restore")
    _refuse_in_use(name, site, place, instance, access)
    opens_a_writer = name == place.database_id and not request.close
    if opens_a_writer and places.operators_are_clients:
        raise RefusedError(
            "operatorCidrs",
            "(overlaps clientCidrs)",
            f"nothing was done: clients would write to {name} again; give the operators a network of their own in the "
            "network layer, or restore its latest snapshot or backup and look at that",
        )
    group = place.quarantine_group_id if request.close else place.inspection_group_id
    if request.dry_run:
        console.say([f"Dry run: {name} would get the security group {group} alone. Nothing was done."])
        return DONE
    if opens_a_writer and not request.yes:
        console.say([f"{name} was the writer and still takes writes. What is written to it is lost: only read."])
        if console.ask(f"Type {name} to open it to the operators' network: ") != name:
            raise RefusedError("instance", "(not confirmed)", f"nothing was done; type {name} to do it")
    try:
        database.put_into_group(group)
    except AwsError as error:
        if unanswered(error).service_answered:
            raise RefusedError("AWS", f"({error})", f"the security group of {name} is as it was") from error
        raise RefusedError(
            "AWS", f"({error})", f"whether {name} has its new security group is not known: give the command again"
        ) from error
    except NotInThisStateError as error:
        raise RefusedError("instance", f"{name} ({instance.status})", f"try again in a while: {error}") from error
    if request.close:
        console.say([f"{name} is closed to new connections. Open ones end when it is rebooted or deleted."])
        return DONE
    console.say(
        [
            f"{name} is open to the operators' network (setting operatorCidrs of the network layer).",
            *how_to_look(name, access.rds[site], places, reads_only=opens_a_writer),
            f"Close it again: nox -s restore -- --close {name} --site {site}",
        ]
    )
    return DONE


def open_instances(rds: Mapping[Site, Any], places: Places) -> list[str]:
    """The restored and fenced instances that there are, and which of them operators can reach."""
    lines = []
    for site, place in places.at.items():
        try:
            instances = pages(rds[site].describe_db_instances, "DBInstances", MaxRecords=PAGE_SIZE)
        except AwsError:
            continue
        for each in instances:
            name = each["DBInstanceIdentifier"]
            if place.inspection_group_id in {group["VpcSecurityGroupId"] for group in each["VpcSecurityGroups"]}:
                lines.append(
                    f"{name} in {site} is OPEN to the operators' network: --close {name} --site {site} closes it"
                )
            elif NAME.fullmatch(name):
                lines.append(f"{name} in {site} is restored and closed; delete it in RDS when nobody needs it")
    return [*lines, ""] if lines else []


def how_to_look(name: str, rds: Any, places: Places, *, reads_only: bool = False) -> list[str]:
    """How to connect to an instance; nothing while RDS does not say where it is."""
    try:
        instance = find_instance(rds, name)
    except AwsError:
        return []
    endpoint = {} if instance is None else instance.get("Endpoint", {})
    if "Address" not in endpoint:
        return []
    address = f"host={endpoint['Address']} port={endpoint['Port']} dbname={places.database_name}"
    psql = f"psql '{address} user={places.master_username} sslmode=require'"
    if reads_only:
        psql = f"{READ_ONLY} {psql}"
    return ["Connect with the password that the master user had at the time of the snapshot:", f"  {psql}"]


def find_instance(rds: Any, name: str) -> Mapping[str, Any] | None:
    """RDS's description of an instance, None where there is none."""
    try:
        found: Mapping[str, Any] = rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0]
    except rds.exceptions.DBInstanceNotFoundFault:
        return None
    return found


def _refuse_in_use(name: str, site: Site, place: Place, instance: Instance, access: RestoreAccess) -> None:
    """Allow only a restored instance, or the site's own database while it is fenced and not the writer."""
    closed = [{place.quarantine_group_id}, {place.inspection_group_id}]
    if set(instance.security_groups) not in closed:
        raise SettingsError(
            "instance", name, f"it is neither restored nor fenced: its groups are {sorted(instance.security_groups)}"
        )
    if name == place.database_id:
        _refuse_writer(name, site, _asked(access.tables, "read who the writer is"))
    elif not NAME.fullmatch(name):
        raise SettingsError(
            "instance", name, "it is neither a restored instance (restored-...) nor the site's database"
        )


def _refuse_writer(name: str, site: Site, tables: Tables) -> None:
    """Refuse the writer's instance, also where it may be that of a record that was not read."""
    for table in tables.values():
        if table.controller is not None and table.controller.incident_id is not None:
            incident = table.controller.incident_id
            raise RefusedError("instance", name, f"incident {incident} is under way: wait for its end")
    authority_by(tables).required()
    record = newest(tables)
    if record is not None and record.controller is not None and record.controller.writer_site is site:
        raise SettingsError("instance", name, f"the {site} site is the writer: its clients are in it")


def _asked(call: Callable[[], Answer], what: str) -> Answer:
    """Ask a question: nothing is changed by it."""
    try:
        return call()
    except AwsError as error:
        raise RefusedError("AWS", f"({error})", f"could not {what}; nothing was done by it") from error
