"""``nox -s restore``: list what can be restored, and restore it to a new instance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from function_runtime import words
from function_runtime.clients import AwsError, code_of, may_pass, unanswered
from function_runtime.sites import Site
from operations.console import Console
from operations.errors import RefusedError
from operations.exit_codes import DONE, INTERRUPTED, REFUSED
from operations.inspect_command import NAME, RestoreAccess, find_instance, how_to_look, open_instances
from operations.places import Place, Places
from operations.requests import RestoreRequest
from operations.restorable import Backup, SiteList, listing, restorable, restorable_in
from shared.errors import SettingsError
from snapshot_copier.plan import carried_tags

LONGEST_NAME = 63
POLL_SECONDS = 5.0
SAYS_AGAIN_SECONDS = 300.0
FAILED_STATUSES = frozenset({"failed", "insufficient-capacity", "restore-error", "storage-full"})
# Whatever follows: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/accessing-monitoring.html
FAILED_PREFIXES = ("inaccessible-", "incompatible-")
RESTORED_BY = "RestoredBy"
LOOK_AGAIN = "Log in again, and look with: nox -s restore"
ALREADY_EXISTS = frozenset({"DBInstanceAlreadyExists", "DBInstanceAlreadyExistsFault"})


@dataclass(frozen=True)
class Plan:
    """A call to RDS that creates a new instance.

    Attributes:
        operation: the client's method.
        parameters: its parameters.
        source: what is restored, in words.
    """

    operation: str
    parameters: Mapping[str, Any]
    source: str


def restore(request: RestoreRequest, places: Places, access: RestoreAccess, console: Console) -> int:
    """List, or show the plan and carry it out.

    Returns:
        0 done, listed or a dry run; 1 the instance has failed; 130 interrupted while RDS goes on.

    Raises:
        SettingsError: the snapshot or backup does not exist, or the name is not one for a restored instance.
        RefusedError: RDS refuses, or the person does not confirm; nothing was done.
    """
    if request.name is None:
        found = restorable(access.rds, places)
        console.say(
            ["What can be restored now:", *listing(found, console.now()), "", *open_instances(access.rds, places)]
        )
        console.say(_how_to(places))
        return DONE
    site, name = request.site, _new_name(request.name)
    place, rds = places.at[site], access.rds[site]
    plan = _plan(request, name, places, restorable_in(site, rds, places), access.by)
    if find_instance(rds, name) is not None:
        raise SettingsError("--name", name, "an instance of that name exists and is not replaced: give another name")
    console.say(_told(plan, site, place))
    if request.dry_run:
        console.say(["Dry run: nothing was done."])
        return DONE
    if not request.yes and console.ask(f"Type {name} to make it: ") != name:
        raise RefusedError("name", "(not confirmed)", f"nothing was done; type {name} to do it")
    _begin(rds, plan, name, access.by)
    console.say([f"RDS creates {name}. This takes minutes, or hours for a large database."])
    if not request.wait:
        return DONE
    try:
        return _follow(rds, name, site, places, console)
    except KeyboardInterrupt:
        console.say(["", f"Interrupted. RDS goes on with {name}; look at it in RDS."])
        return INTERRUPTED


def _begin(rds: Any, plan: Plan, name: str, by: str) -> None:
    """Ask for the new instance. An answer that was lost may have been a yes, which a second try then meets."""
    try:
        getattr(rds, plan.operation)(**plan.parameters)
    except AwsError as error:
        exists = isinstance(error, ClientError) and code_of(error) in ALREADY_EXISTS
        if unanswered(error).service_answered and not exists:
            raise RefusedError("AWS", f"({error})", f"could not restore to {name}; nothing was done by it") from error
        try:
            made = find_instance(rds, name)
        except AwsError:
            made = None
        tags = {} if made is None else {tag["Key"]: tag["Value"] for tag in made.get("TagList", [])}
        if tags.get(RESTORED_BY) != _name_of(by):
            raise RefusedError(
                "AWS", f"({error})", f"whether RDS creates {name} is not known: look with nox -s restore, or in RDS"
            ) from error


def _plan(request: RestoreRequest, name: str, places: Places, listed: SiteList, by: str) -> Plan:
    place = places.at[request.site]
    if listed.silence is not None:
        raise RefusedError("--site", request.site, listed.silence)
    tags = {"Name": name, RESTORED_BY: _name_of(by)}
    common: dict[str, Any] = {
        "DBSubnetGroupName": place.subnet_group_name,
        "DBParameterGroupName": place.parameter_group_name,
        "VpcSecurityGroupIds": [place.quarantine_group_id],
        "PubliclyAccessible": False,
        "MultiAZ": False,
        "CopyTagsToSnapshot": True,
        "DeletionProtection": False,
        # RDS turns it off unless it is asked for, and a restored instance may become the writer.
        "EnableIAMDatabaseAuthentication": True,
    }
    if request.snapshot is not None:
        snapshot = listed.snapshot(request.snapshot)
        if snapshot is None:
            raise SettingsError(
                "--snapshot", request.snapshot, f"no complete snapshot of the {request.site} site; see nox -s restore"
            )
        if snapshot.key_arn is not None and snapshot.key_arn != place.data_key_arn:
            raise SettingsError(
                "--snapshot",
                request.snapshot,
                f"it is encrypted with {snapshot.key_arn}, and this role may use the site's key alone: restore it with "
                "another role, or copy it with aws rds copy-db-snapshot --kms-key-id first",
            )
        return Plan(
            "restore_db_instance_from_db_snapshot",
            {
                "DBInstanceIdentifier": name,
                "DBSnapshotIdentifier": snapshot.identifier,
                "Tags": _tags({**carried_tags(snapshot), **tags}),
                **common,
            },
            f"snapshot {snapshot.identifier}",
        )
    return _point_in_time(request, name, places, listed, {**common, "Tags": _tags(tags)})


def _point_in_time(
    request: RestoreRequest, name: str, places: Places, listed: SiteList, common: Mapping[str, Any]
) -> Plan:
    of = places.at[request.of if request.of is not None else request.site].database_id
    backup = max((each for each in listed.backups if each.database == of), key=_preference, default=None)
    if backup is None:
        raise SettingsError("--of", of, f"the {request.site} site has no automated backups of it; see nox -s restore")
    parameters: dict[str, Any] = {"TargetDBInstanceIdentifier": name, **common}
    if backup.is_replicated or backup.is_retained:
        parameters["SourceDBInstanceAutomatedBackupsArn"] = backup.arn
    else:
        parameters["SourceDBInstanceIdentifier"] = of
    moment = request.point_in_time
    gone = ", an instance that is gone," if backup.is_retained else ""
    if moment is None:
        return Plan(
            "restore_db_instance_to_point_in_time",
            {**parameters, "UseLatestRestorableTime": True},
            f"{of}{gone} as of the latest moment that its backups offer"
            + ("" if backup.latest is None else f", {words.moment(backup.latest)}"),
        )
    _refuse_outside(moment, backup.earliest, backup.latest)
    return Plan(
        "restore_db_instance_to_point_in_time",
        {**parameters, "RestoreTime": moment},
        f"{of}{gone} as of {words.moment(moment)}",
    )


def _preference(backup: Backup) -> tuple[bool, float]:
    """Those of the living instance come first: a retained one may be of an instance of long ago with the same name."""
    return not backup.is_retained, 0.0 if backup.latest is None else backup.latest.timestamp()


def _refuse_outside(moment: datetime, earliest: datetime | None, latest: datetime | None) -> None:
    if earliest is None or latest is None:
        raise SettingsError("--point-in-time", moment.isoformat(), "the backups offer no moment yet")
    if not earliest <= moment <= latest:
        raise SettingsError(
            "--point-in-time",
            moment.isoformat(),
            f"give a moment from {earliest.isoformat()} to {latest.isoformat()}",
        )


def _follow(rds: Any, name: str, site: Site, places: Places, console: Console) -> int:
    began = said_at = console.now()
    told = ""
    while True:
        try:
            instance = find_instance(rds, name)
        except AwsError as error:
            if may_pass(error):
                console.sleep(POLL_SECONDS)
                continue
            console.say([f"RDS goes on with {name}, but does not let you look any more ({error}).", LOOK_AGAIN])
            return INTERRUPTED
        now = console.now()
        status = "gone" if instance is None else str(instance["DBInstanceStatus"])
        if status != told or (now - said_at).total_seconds() >= SAYS_AGAIN_SECONDS:
            console.say(words.indented([f"{words.span((now - began).total_seconds())}: {status}"]))
            told, said_at = status, now
        if instance is not None and status == "available":
            took = words.span((now - began).total_seconds())
            console.say(
                [
                    f"{name} is available after {took}. Nobody can connect yet.",
                    f"Open it to the operators' network: nox -s restore -- --inspect {name} --site {site}",
                    *how_to_look(name, rds, places),
                ]
            )
            return DONE
        if instance is None or status in FAILED_STATUSES or status.startswith(FAILED_PREFIXES):
            console.say([f"{name} is {status}: see its events in RDS. Nothing else was touched."])
            return REFUSED
        console.sleep(POLL_SECONDS)


def _told(plan: Plan, site: Site, place: Place) -> list[str]:
    return [
        f"Plan: a new instance in the {site} site ({place.region})",
        "",
        *words.rows(
            [
                ("from", [plan.source]),
                ("subnets", [place.subnet_group_name]),
                ("parameters", [place.parameter_group_name]),
                ("security", [f"{place.quarantine_group_id} alone, no rules: nobody can connect until it is opened"]),
                ("encrypted", ["with the key of its source, which is this site's key"]),
                ("existing ones", ["are not changed, and clients notice nothing"]),
                ("costs", ["an instance and its storage, until you delete it"]),
            ]
        ),
        "",
    ]


def _how_to(places: Places) -> list[str]:
    example = "--name restored-NAME --dry-run"
    return [
        f"Restore one: nox -s restore -- --site recovery --snapshot ID {example}",
        f"A moment:    nox -s restore -- --site primary --point-in-time latest {example}",
        f"             (or 2026-01-31T12:00:00Z; --of primary: of {places.at[Site.PRIMARY].database_id})",
    ]


def _new_name(name: str) -> str:
    if not NAME.fullmatch(name) or len(name) > LONGEST_NAME:
        raise SettingsError(
            "--name",
            name,
            f"give a name such as restored-orders: restored-, small letters, digits, single hyphens, at "
            f"most {LONGEST_NAME} characters",
        )
    return name


def _name_of(by: str) -> str:
    return by.rpartition("/")[2] or by


def _tags(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": text} for key, text in tags.items()]
