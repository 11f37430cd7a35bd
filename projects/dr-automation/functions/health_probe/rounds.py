"""Probes every database over and over for one run, each at its own pace."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from function_runtime.sites import Site
from health_probe.probe import ProbeResult, probe
from health_probe.session import Login

Prober = Callable[[Login, float], ProbeResult]


@dataclass(frozen=True)
class Reading:
    """One probe of one database."""

    database: Site
    result: ProbeResult


def readings(
    databases: Mapping[Site, Login],
    *,
    count: int,
    interval_seconds: float,
    timeout_seconds: float,
    prober: Prober = probe,
) -> Iterator[Reading]:
    """Probe each database ``count`` times and yield each reading as soon as it is there.

    One thread a database: a dead host, whose probes last as long as the timeout, does not slow the other's.

    Args:
        databases: where each site's database listens, and who logs in there.
        count: probes of each database.
        interval_seconds: from the start of one probe to the start of the next; a longer probe delays the next.
        timeout_seconds: handed to each probe.
        prober: asks one server once; never raises for a dead one.
    """
    done: queue.SimpleQueue[Reading | None] = queue.SimpleQueue()

    def watch(site: Site, login: Login) -> None:
        started = time.monotonic()
        try:
            for number in range(count):
                time.sleep(max(0.0, started + number * interval_seconds - time.monotonic()))
                done.put(Reading(site, prober(login, timeout_seconds)))
        finally:
            done.put(None)

    with ThreadPoolExecutor(max_workers=len(databases), thread_name_prefix="probe") as pool:
        watches = [pool.submit(watch, site, login) for site, login in databases.items()]
        running = len(watches)
        while running:
            reading = done.get()
            if reading is None:
                running -= 1
            else:
                yield reading
        for finished in watches:
            finished.result()
