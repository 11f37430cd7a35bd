"""Ask both sites' regions and the own one, everything at the same time: a dark region costs its timeout once."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from function_runtime import metrics
from function_runtime.asking import asked, identified, region_answers
from function_runtime.clients import Clients
from function_runtime.readings import RegionAnswers, Series, Unanswered
from function_runtime.sites import Site
from witness.settings import WitnessSettings

PROBED = "probed"


@dataclass(frozen=True)
class SiteLook:
    """One site, seen from the third region.

    Attributes:
        probed: the site's probe's readings of the site's own database.
        region: which services of its region answered.
    """

    probed: Series | Unanswered
    region: RegionAnswers


@dataclass(frozen=True)
class Look:
    """What one run saw.

    Attributes:
        at: when.
        sites: each site.
        own_region_answers: whether the witness's own region answers: where it does not, silence is the witness's.
    """

    at: datetime
    sites: Mapping[Site, SiteLook]
    own_region_answers: bool


def look(clients: Clients, settings: WitnessSettings, at: datetime) -> Look:
    """Look at everything. A service that refuses or is silent is a reading, not an exception.

    Args:
        clients: AWS.
        settings: where things are.
        at: now.
    """
    with ThreadPoolExecutor(max_workers=7, thread_name_prefix="look") as pool:
        sites = {site: _asked_of(site, pool, clients, settings, at) for site in Site}
        own = pool.submit(asked, lambda: identified(clients, settings.region))
    return Look(
        at=at,
        sites={site: _site_look({name: each.result() for name, each in of.items()}) for site, of in sites.items()},
        own_region_answers=bool(region_answers({"sts": own.result()}).answered),
    )


def _asked_of(
    site: Site, pool: ThreadPoolExecutor, clients: Clients, settings: WitnessSettings, at: datetime
) -> dict[str, Future[Any]]:
    region = settings.regions[site]
    metric = metrics.answers(settings.metric_namespace, site, site, settings.metric_period_seconds)

    def probes() -> Series:
        cloudwatch = clients.of("cloudwatch", region)
        return metrics.read(cloudwatch, {PROBED: metric}, at - settings.lookback, at)[PROBED]

    def instance() -> None:
        clients.of("rds", region).describe_db_instances(DBInstanceIdentifier=settings.instance_ids[site])

    return {
        "cloudwatch": pool.submit(asked, probes),
        "rds": pool.submit(asked, instance),
        "sts": pool.submit(asked, lambda: identified(clients, region)),
    }


def _site_look(answers: Mapping[str, Any]) -> SiteLook:
    return SiteLook(probed=answers["cloudwatch"], region=region_answers(answers))
