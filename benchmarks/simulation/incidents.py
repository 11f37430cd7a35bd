"""How long until clients write again, over all the incidents that the recovery objective is about.

Half of them are crashes, in half of those the host is lost with the process; half are dark regions. Nobody is asked:
mode ``automatic``, a database that is prepared for the probes, no witness.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from benchmarks.measurement import Measurement
from benchmarks.simulation.carrying_through import Carried
from benchmarks.simulation.deaths import RTO_CASES
from benchmarks.simulation.tally import Tally, share

OBJECTIVE_SECONDS = 900.0  # O1


def measurements(tallies: Mapping[str, Tally], say: Callable[[str], None]) -> list[Measurement]:
    """The distribution of the RTO, by kind and by stage, and the share beyond the objective.

    Args:
        tallies: of all classes, by their names.
        say: is told the distribution as a text of several lines.
    """
    by_kind = {kind: [tallies[name] for name in names] for kind, names in RTO_CASES.items()}
    every = [tally for of_kind in by_kind.values() for tally in of_kind]
    rto = [seconds for tally in every for seconds in tally.rto]
    say(f"RTO of {len(rto)} simulated incidents, by the writer's name\n{histogram(rto)}")
    found = _distribution("RTO", every)
    for kind, of_kind in by_kind.items():
        found += _distribution(f"RTO, {kind}", of_kind)[:1]
    return [*found, *_stages([moved for tally in every for moved in tally.moved])]


def histogram(rto: Sequence[float], width: int = 50) -> str:
    """The RTO by the minute, as text."""
    minutes = Counter(int(seconds // 60) for seconds in rto)
    most = max(minutes.values(), default=1)
    return "\n".join(
        f"{minute:3d} min  {'#' * round(width * minutes[minute] / most)} {minutes[minute]}"
        for minute in range(min(minutes, default=0), max(minutes, default=-1) + 1)
    )


def _distribution(name: str, tallies: Sequence[Tally]) -> list[Measurement]:
    """Those that did not move the writer are counted as classes; here they are named."""
    rto, runs = [seconds for tally in tallies for seconds in tally.rto], sum(tally.runs for tally in tallies)
    over = sum(seconds > OBJECTIVE_SECONDS for seconds in rto) + runs - len(rto)
    detail = (
        f"p90 {share(rto, 0.9):.0f}, p99 {share(rto, 0.99):.0f}, max {max(rto):.0f} s; "
        f"{over / runs:.2%} over 15 min; {runs} incidents"
    )
    if len(rto) < runs:
        detail += f"; {runs - len(rto)} left to people"
    return [
        Measurement(f"{name}, p50", share(rto, 0.5), "s", OBJECTIVE_SECONDS, detail),
        Measurement(f"{name}, p99", share(rto, 0.99), "s", OBJECTIVE_SECONDS),
        Measurement(f"{name}, share over 15 min", 100 * over / runs, "%"),
    ]


def _stages(moved: Sequence[tuple[float, float, Carried]]) -> list[Measurement]:
    """What the time goes to."""
    stages = {
        "detection": [detected - fault for fault, detected, _ in moved],
        "fence": [carried.fenced - detected for _, detected, carried in moved],
        "own overhead, decision to latch": [carried.own_seconds for _, _, carried in moved],
        "last look before the promotion": [carried.looked_seconds for _, _, carried in moved],
        "promotion (AWS)": [carried.writable - carried.asked for _, _, carried in moved],
        "name's switch (AWS) and TTL, beside it": [carried.named - carried.latched for _, _, carried in moved],
        "clients wait for the name": [carried.by_name - carried.writable for _, _, carried in moved],
        "the controller knows": [carried.recorded - carried.writable for _, _, carried in moved],
    }
    found = []
    for name, seconds in stages.items():
        detail = f"p99 {share(seconds, 0.99):.0f}, max {max(seconds):.0f} s"
        found.append(Measurement(f"  {name}, p50", share(seconds, 0.5), "s", None, detail))
    by_uri = [carried.writable - fault for fault, _, carried in moved]
    over = sum(seconds > OBJECTIVE_SECONDS for seconds in by_uri) / len(by_uri)
    detail = f"p99 {share(by_uri, 0.99):.0f}, max {max(by_uri):.0f} s; {over:.2%} over 15 min; needs no switch"
    found.append(Measurement("RTO by the multi-host URI, p50", share(by_uri, 0.5), "s", OBJECTIVE_SECONDS, detail))
    return found
