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
from function_runtime.metric_names import ANSWERS, HEARTBEAT, RECEIVED_POSITION, SESSION, STREAM_MESSAGE
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
    here, policy = settings.here, settings.policy
    near, far, outside = _near(settings, active), _far(settings, active), _outside(settings, active)
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
        **{name: _series(near_read, name) for name in near},
        **{name: _series(far_read, name) for name in far},
        witness=None if witness_asked is None else _series(witness_asked.result(), "witness"),
        active_instance=active_instance,
        standby_instance=standby_asked.result(),
        active_region=active_region,
        reference_region=reference_region,
        active_is_shut=None
        if isinstance(active_instance, Unanswered)
        else databases[active].is_quarantined(active_instance),
        master_secret=None,
    )


def _near(settings: Settings, active: Site) -> dict[str, metrics.Metric]:
    """What is read in this region, by the name of the reading."""
    here, policy = settings.here, settings.policy

    def probed(name: str, database: Site) -> metrics.Metric:
        return metrics.probed(settings.metric_namespace, name, database, here, policy.fine_period_seconds)

    return {
        "active_seen_from_here": probed(ANSWERS, active),
        "active_sessions_from_here": probed(SESSION, active),
        "standby_seen_from_here": probed(ANSWERS, here),
        "standby_sessions": probed(SESSION, here),
        "heartbeat": probed(HEARTBEAT, here),
        "received": probed(RECEIVED_POSITION, here),
        "stream_message": probed(STREAM_MESSAGE, here),
        "lag": metrics.replica_lag(settings.instance_ids[here], policy.lag_period_seconds),
    }


def _far(settings: Settings, active: Site) -> dict[str, metrics.Metric]:
    """What is read in the writer's region."""
    policy, instance_id = settings.policy, settings.instance_ids[active]
    seen = {"active_seen_from_there": ANSWERS, "active_sessions_from_there": SESSION}
    return {
        **{
            reading: metrics.probed(settings.metric_namespace, name, active, active, policy.fine_period_seconds)
            for reading, name in seen.items()
        },
        "slot_lag": metrics.slot_lag(instance_id, policy.lag_period_seconds),
        "host_load": metrics.host_load(instance_id, policy.lag_period_seconds),
    }


def _outside(settings: Settings, active: Site) -> dict[str, metrics.Metric]:
    return {"witness": metrics.witness_sees(settings.metric_namespace, active, settings.policy.metric_period_seconds)}


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
