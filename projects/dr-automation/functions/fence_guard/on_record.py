"""What is recorded of who the writer is, and which of two tables counts. Pure.

Only the controller with authority writes a new epoch, in its own site's table, and the other table is told later. So
the record with the higher epoch is the right one, whichever table it is in, and what the other one has of that time or
before counts for nothing. Equally new records say the same, unless two controllers were let act by people: then nobody
can say who the writer is.
"""

from __future__ import annotations

from dataclasses import dataclass

from function_runtime.incident import Incident
from function_runtime.sites import Site
from function_runtime.state import Controller


@dataclass(frozen=True)
class OnRecord:
    """What is recorded.

    Attributes:
        controller: who the writer is, as new as the incidents.
        under_way: the incident that is under way, None where there is none.
        last_promotion: the newest incident whose promotion RDS accepted, None where there is none.
        differs: whether another record is as new and says something else, or this one is of a time of which the table
            that made it knows nothing: that one was lost, and what it lacks may be newer than both.
        site: whose table it is in; None where that does not matter.
    """

    controller: Controller
    under_way: Incident | None = None
    last_promotion: Incident | None = None
    differs: bool = False
    site: Site | None = None


def newest(*known: OnRecord) -> OnRecord:
    """The newest of several records.

    Args:
        known: what each table has; of equal ones the first counts.
    """
    found = max(known, key=lambda each: each.controller.epoch)
    equal = [each for each in known if each.controller.epoch == found.controller.epoch]
    promotions = [each.last_promotion for each in known if each.last_promotion is not None]
    latest = [each for each in promotions if all(each.epoch >= other.epoch for other in promotions)]
    return OnRecord(
        found.controller,
        found.under_way,
        next(iter(latest), None),
        differs=len({_said(each) for each in equal}) > 1
        or len({each.new_writer for each in latest}) > 1
        or any(each.differs for each in equal)
        or any(each.site is found.controller.authority and each not in equal for each in known),
        site=found.site,
    )


def _said(known: OnRecord) -> tuple[str, str | None]:
    return known.controller.writer_site, None if known.under_way is None else known.under_way.incident_id
