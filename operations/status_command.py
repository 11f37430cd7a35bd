"""``nox -s status``: first what matters, then everything that the controller sees and decides."""

from __future__ import annotations

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from deployment import flat_outputs
from deployment.state_tables import newest
from function_runtime import words
from function_runtime.sites import Site
from operations import protection_text, status_text
from operations.access import LISTING, Role
from operations.authority import Authority
from operations.console import Console
from operations.controller import Controller
from operations.deployment import Deployment
from operations.errors import NoReportError
from operations.exit_codes import DONE, REFUSED
from operations.master_secret import secret_in_both_regions
from operations.places import Places
from operations.recorded import Recorded
from operations.report import Report
from operations.requests import StatusRequest
from operations.restorable import SiteList, newest_backup, restorable, summary
from shared.errors import SettingsError

Found = Mapping[Site, SiteList] | SettingsError


def status(request: StatusRequest, deployment: Deployment, role: Role, authority: Authority, console: Console) -> int:
    """Show what the controller with authority sees; if it does not answer, what its state table says.

    Returns:
        0; 1 if only a state table could be shown.

    Raises:
        RefusedError: neither the controller nor a state table can be read.
    """
    record = newest(role.tables)
    site = authority.site
    if site is None and record is not None:
        site = record.site
    if site is None:
        raise authority.refusal()
    access = role.toward(site, deployment)
    if not request.as_json:
        console.say([deployment.headline(site)])
    try:
        report = Controller(access).report() if authority.site is not None else None
        why = "" if authority.problem is None else str(authority.refusal())
    except NoReportError as error:
        report, why = None, str(error)
    if report is None:
        recorded = Recorded.read(access.dynamodb[site], access.place.state_table_name, site)
        if request.as_json:
            console.say([_json(deployment, site, authority, recorded.as_json(why))])
        else:
            console.say([*protection_text.unknown(why), *_notes(authority), "", *recorded.text(why, console.now())])
        return REFUSED
    if request.as_json:
        console.say([_json(deployment, site, authority, report.content)])
        return DONE
    with ThreadPoolExecutor(max_workers=2) as pool:
        restoring = pool.submit(_restorable, request, role)
        secret = pool.submit(_secret_concerns, request, role)
        # It may take as long as a dark region's silence: it is waited for only where it matters most.
        found = restoring.result() if report.protection.code in protection_text.MEANS_A_RESTORE else None
        console.say([*_beginning(report, found, console), *_notes(authority), "", *status_text.status(report), ""])
        console.say([*words.rows([("master secret", secret.result())]), ""])
        console.say(_summary(restoring.result(), console))
    return DONE


def _beginning(report: Report, found: Found | None, console: Console) -> list[str]:
    listed = found if isinstance(found, Mapping) else {}
    return protection_text.beginning(report, newest_backup(listed), console.now())


def _notes(authority: Authority) -> list[str]:
    return words.indented((f"note: {note}" for note in authority.notes), by=0)


def _summary(found: Found, console: Console) -> list[str]:
    if isinstance(found, SettingsError):
        return words.indented([f"what could be restored: unknown ({found})"], by=0)
    return summary(found, console.now())


def _restorable(request: StatusRequest, role: Role) -> Found:
    try:
        places = Places.read(request.outputs)
    except SettingsError as error:
        return error
    rds = {site: role.session.client("rds", region_name=places.at[site].region, config=LISTING) for site in Site}
    return restorable(rds, places)


def _secret_concerns(request: StatusRequest, role: Role) -> list[str]:
    try:
        outputs = flat_outputs.read(request.outputs)
    except SettingsError as error:
        return [f"unknown ({error})"]
    return secret_in_both_regions(outputs, role.session)


def _json(deployment: Deployment, site: Site, authority: Authority, content: Mapping[str, Any]) -> str:
    known = {"notes": list(authority.notes), **deployment.identity(site)}
    return json.dumps({**content, **known}, indent=2, sort_keys=True)
