"""Ask both sites' regions and the own one, everything at the same time: a dark region costs its timeout once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from failover import metrics
from failover.clients import AwsError, Clients, unanswered
from failover.readings import Series, Unanswered
from function_runtime.sites import Site
from witness.settings import WitnessSettings

Reading = TypeVar("Reading")
PROBED = "probed"


@dataclass(frozen=True)
class SiteLook:
    """One site, seen from the third region.

    Attributes:
        probed: the site's probe's readings of the site's own database.
        silent: services of its region that did not answer.
        answered: services that did, be it with a refusal.
    """

    probed: Series | Unanswered
    silent: tuple[str, ...]
    answered: tuple[str, ...]


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
        own = pool.submit(_asked, lambda: _identity(clients, settings.region))
    return Look(
        at=at,
        sites={
            site: _site_look({name: each.result() for name, each in asked.items()}) for site, asked in sites.items()
        },
        own_region_answers=_did_answer(own.result()),
    )


def _asked_of(
    site: Site, pool: ThreadPoolExecutor, clients: Clients, settings: WitnessSettings, at: datetime
) -> dict[str, Future[Any]]:
    region = settings.regions[site]
    metric = metrics.reachable(settings.metric_namespace, site, site, settings.metric_period_seconds)

    def probes() -> Series:
        cloudwatch = clients.of("cloudwatch", region)
        return metrics.read(cloudwatch, {PROBED: metric}, at - settings.lookback, at)[PROBED]

    def instance() -> None:
        clients.of("rds", region).describe_db_instances(DBInstanceIdentifier=settings.instance_ids[site])

    return {
        "cloudwatch": pool.submit(_asked, probes),
        "rds": pool.submit(_asked, instance),
        "sts": pool.submit(_asked, lambda: _identity(clients, region)),
    }


def _identity(clients: Clients, region: str) -> None:
    # Needs no permission, and is a service that neither the database nor the metrics depend on.
    clients.of("sts", region).get_caller_identity()


def _site_look(answers: Mapping[str, Any]) -> SiteLook:
    silent = tuple(service for service, answer in answers.items() if not _did_answer(answer))
    return SiteLook(
        probed=answers["cloudwatch"],
        silent=silent,
        answered=tuple(service for service in answers if service not in silent),
    )


def _asked(question: Callable[[], Reading]) -> Reading | Unanswered:
    try:
        return question()
    except AwsError as error:
        return unanswered(error)


def _did_answer(answer: object) -> bool:
    return not isinstance(answer, Unanswered) or answer.service_answered
