"""Ask the outside world everything a decision needs, at the same time: a dark region costs its timeout once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from failover.readings import Readings
from failover.settings import Settings
from function_runtime import metrics
from function_runtime.asking import asked, identified, region_answers
from function_runtime.clients import Clients
from function_runtime.readings import Instance, RegionAnswers, Series, Unanswered
from function_runtime.sites import Site

SeriesByName = dict[str, Series]


def observe(clients: Clients, settings: Settings, active: Site, at: datetime, *, in_trouble: bool) -> Readings:
    """Read everything.

    Args:
        clients: AWS.
        settings: where things are.
        active: the recorded writer.
        at: now.
        in_trouble: whether the writer is known to be in trouble: then a second look at its region is not waited for
            until the first has failed.

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
    far = {
        "active_there": metrics.reachable(namespace, active, active, period),
        "slot_lag": metrics.slot_lag(settings.instance_ids[active], policy.lag_period_seconds),
    }
    outside = {"witness": metrics.witness_sees(namespace, active, period)}
    databases = settings.databases(clients)

    def read(wanted: Mapping[str, metrics.Metric], region: str) -> SeriesByName | Unanswered:
        return asked(lambda: metrics.read(clients.of("cloudwatch", region), wanted, at - policy.lookback, at))

    def describe(site: Site) -> Instance | Unanswered:
        return asked(databases[site].describe)

    with ThreadPoolExecutor(max_workers=7, thread_name_prefix="observe") as pool:
        looked_again = _look_again(pool, clients, settings, active) if in_trouble else None
        near_asked = pool.submit(read, near, settings.regions[here])
        far_asked = pool.submit(read, far, settings.regions[active])
        active_asked = pool.submit(describe, active)
        standby_asked = pool.submit(describe, here)
        witness_asked = None if settings.witness_region is None else pool.submit(read, outside, settings.witness_region)
        near_read, far_read, active_instance = near_asked.result(), far_asked.result(), active_asked.result()
        active_region = region_answers({"rds": active_instance, "cloudwatch": far_read})
        reference_region = None
        if not active_region.answered:
            also, reference_region = (looked_again or _look_again(pool, clients, settings, active))()
            active_region = RegionAnswers(
                (*active_region.answered, *also.answered), (*active_region.silent, *also.silent)
            )
    return Readings(
        at=at,
        active=active,
        here=here,
        active_seen_from_here=_series(near_read, "active_here"),
        active_seen_from_there=_series(far_read, "active_there"),
        standby_seen_from_here=_series(near_read, "standby_here"),
        lag=_series(near_read, "lag"),
        slot_lag=_series(far_read, "slot_lag"),
        witness=None if witness_asked is None else _series(witness_asked.result(), "witness"),
        active_instance=active_instance,
        standby_instance=standby_asked.result(),
        active_region=active_region,
        reference_region=reference_region,
        active_is_shut=None
        if isinstance(active_instance, Unanswered)
        else databases[active].is_quarantined(active_instance),
    )


def _look_again(
    pool: ThreadPoolExecutor, clients: Clients, settings: Settings, active: Site
) -> Callable[[], tuple[RegionAnswers, RegionAnswers]]:
    """A service that the function has no part in, and a third region: a dark region is silent in all, and alone.

    Returns:
        Waits for the answers: of the active region, and of the reference region.
    """

    there = pool.submit(asked, lambda: identified(clients, settings.regions[active]))
    elsewhere = pool.submit(asked, lambda: identified(clients, settings.reference_region))
    return lambda: (region_answers({"sts": there.result()}), region_answers({"sts": elsewhere.result()}))


def _series(answer: SeriesByName | Unanswered, name: str) -> Series | Unanswered:
    return answer if isinstance(answer, Unanswered) else answer[name]
