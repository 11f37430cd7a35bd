"""How many requests to AWS a failover makes, and a run that finds nothing to do."""

from __future__ import annotations

from collections import Counter

from benchmarks.measurement import Measurement
from benchmarks.own_time import run_alone

# Between these RDS's promotions are expected; it is polled for as long as it takes.
PROMOTIONS_SECONDS = (120.0, 600.0)


def measure() -> list[Measurement]:
    """Failovers with a quick and a slow promotion, and the idle run of every minute.

    Raises:
        subprocess.CalledProcessError: a failover did not come to its end.
    """
    found = []
    for promotion_seconds in PROMOTIONS_SECONDS:
        cold = run_alone(times=1, promotion_seconds=promotion_seconds).cold
        name = f"API calls, promotion of {promotion_seconds / 60:g} min"
        found.append(_counted(name, Counter(cold["calls"]), f"{cold['runs']} runs: "))
    idle = run_alone(times=3, promotion_seconds=0, primary_dies=False).warm[-1]
    return [*found, _counted("API calls, idle run", Counter(idle["calls"]), "")]


def _counted(name: str, calls: Counter[str], prefix: str) -> Measurement:
    by_operation = ", ".join(f"{count} {operation}" for operation, count in calls.most_common())
    return Measurement(name, calls.total(), "calls", None, prefix + by_operation)
