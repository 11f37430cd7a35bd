"""What the witness can say of each site's database. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from function_runtime.readings import MIN_FAILED_PROBES, Series, Unanswered
from function_runtime.sites import Site
from witness.look import Look
from witness.settings import WitnessSettings


@dataclass(frozen=True)
class Verdict:
    """What can be said of one site's database.

    Attributes:
        lives: whether the database lives; None where the witness cannot tell.
        why: for people.
    """

    lives: bool | None
    why: str


def verdict(site: Site, seen: Look, settings: WitnessSettings) -> Verdict:
    """What can be said of a site's database.

    A success counts only where no later reading has failed: the witness outweighs other signals, so what it says must
    be current.

    Args:
        site: whose database.
        seen: what was seen.
        settings: the rules of evidence.
    """
    at_site = seen.sites[site]
    if not at_site.region.answered:
        if not seen.own_region_answers:
            return Verdict(lives=None, why="neither its region nor the witness's own answers: the witness sees nothing")
        return Verdict(lives=False, why=f"its region is dark: {', '.join(at_site.region.silent)} are silent")
    if isinstance(at_site.probed, Unanswered):
        return Verdict(lives=None, why=f"its probe's readings cannot be read: {at_site.probed.why}")
    return _by_probes(at_site.probed, seen.at, settings)


def _by_probes(series: Series, at: datetime, settings: WitnessSettings) -> Verdict:
    period = timedelta(seconds=settings.metric_period_seconds)
    if not series or at - (series[-1].start + period) > settings.recent:
        return Verdict(lives=None, why="its own site's probe is silent")
    if series[-1].maximum >= 1:
        return Verdict(lives=True, why="its own site's probe reaches it")
    failed = 0.0
    since = at
    for point in reversed(series):
        if point.maximum >= 1 or since - (point.start + period) > settings.recent:
            break
        since = point.start
        failed += point.samples
    until = min(series[-1].start + period, at)
    seconds = (until - since).total_seconds()
    if failed >= MIN_FAILED_PROBES and seconds >= settings.outage_seconds:
        return Verdict(lives=False, why=f"its own site's probes have all failed for {seconds:.0f} s")
    return Verdict(lives=None, why=f"its own site's last probes failed, for {seconds:.0f} s: not long enough to tell")
