"""Ask the outside world everything a decision needs, at the same time: a dark region costs its timeout once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from failover import metrics
from failover.clients import AwsError, Clients, unanswered
from failover.databases import Databases
from failover.readings import Instance, Readings, RegionAnswers, Series, Unanswered
from failover.settings import Settings
from function_runtime.sites import Site


def observe(clients: Clients, settings: Settings, active: Site, at: datetime) -> Readings:
    """Read everything.

    Args:
        clients: AWS.
        settings: where things are.
        active: the recorded writer.
        at: now.

    Returns:
        What was read. A service that refuses or is silent is a reading, not an exception.
    """
    here, policy, namespace = settings.here, settings.policy, settings.metric_namespace
    period = policy.metric_period_seconds
    near = {
        "active_here": metrics.reachable(namespace, active, here, period),
        "standby_here": metrics.reachable(namespace, here, here, period),
        "lag": metrics.replica_lag(settings.instance_ids[here], policy.lag_period_seconds),
    }
    far = {"active_there": metrics.reachable(namespace, active, active, period)}
    databases = Databases(clients, settings)

    def describe(site: Site) -> Instance | Unanswered:
        try:
            return databases.describe(site)
        except AwsError as error:
            return unanswered(error)

    def read(wanted: dict[str, metrics.Metric], region: str) -> dict[str, Series] | Unanswered:
        try:
            return metrics.read(clients.of("cloudwatch", region), wanted, at - policy.lookback, at)
        except AwsError as error:
            return unanswered(error)

    with ThreadPoolExecutor(max_workers=4, thread_name_prefix="observe") as pool:
        near_asked = pool.submit(read, near, settings.regions[here])
        far_asked = pool.submit(read, far, settings.regions[active])
        active_asked = pool.submit(describe, active)
        standby_asked = pool.submit(describe, here)
    near_read, far_read, active_instance = near_asked.result(), far_asked.result(), active_asked.result()

    def series(answer: dict[str, Series] | Unanswered, name: str) -> Series | Unanswered:
        return answer if isinstance(answer, Unanswered) else answer[name]

    active_region = _answers({"rds": active_instance, "cloudwatch": far_read})
    return Readings(
        at=at,
        active=active,
        here=here,
        active_seen_from_here=series(near_read, "active_here"),
        active_seen_from_there=series(far_read, "active_there"),
        standby_seen_from_here=series(near_read, "standby_here"),
        lag=series(near_read, "lag"),
        active_instance=active_instance,
        standby_instance=standby_asked.result(),
        active_region=active_region,
        reference_region=None if active_region.answered else _reference(clients, settings),
    )


def _reference(clients: Clients, settings: Settings) -> RegionAnswers:
    """Ask the reference region anything at all: a refusal, which is what the role gets there, is an answer."""
    rds = clients.of("rds", settings.reference_region)
    try:
        rds.describe_db_instances(DBInstanceIdentifier=settings.instance_ids[settings.here])
    except AwsError as error:
        return _answers({"rds": unanswered(error)})
    return RegionAnswers(answered=("rds",), silent=())


def _answers(by_service: dict[str, Instance | dict[str, Series] | Unanswered]) -> RegionAnswers:
    silent = tuple(
        service
        for service, answer in by_service.items()
        if isinstance(answer, Unanswered) and not answer.service_answered
    )
    return RegionAnswers(tuple(service for service in by_service if service not in silent), silent)
