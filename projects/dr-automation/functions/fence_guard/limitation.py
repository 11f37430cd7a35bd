"""Why a database is left alone. Pure: from what is recorded and what RDS says to the reason, or None: fence it.

A database may take writes while the record says that it is the writer. It must not from the moment another one may be
the writer, which is when that one's promotion has been asked for, and not only when the record names it.
"""

from __future__ import annotations

from dataclasses import dataclass

from function_runtime.incident import Incident, Phase
from function_runtime.readings import Instance
from function_runtime.sites import Site
from function_runtime.state import Controller


@dataclass(frozen=True)
class Reason:
    """Why nothing is to be done.

    Attributes:
        code: one word.
        text: the same for people.
    """

    code: str
    text: str


def fence_limitation(
    site: Site, instance: Instance, controller: Controller, under_way: Incident | None
) -> Reason | None:
    """Why the site's database is not to be fenced; None: it must be.

    The instance must have been looked at before the record was read. Then a database that is seen promoted has its
    incident in the record, and is not taken for an old writer.

    Args:
        site: whose database.
        instance: what RDS says of it.
        controller: the recorded state.
        under_way: the incident it points to, None where it points to none.
    """
    if instance.replica_of is not None:
        return Reason("replica", f"the {site} site's database is a replica and takes no writes")
    if controller.epoch < 1:
        return Reason("no_failover_yet", "no failover is recorded: the writer is the first one")
    if under_way is None:
        if controller.writer_site is site:
            return Reason("writer", f"the {site} site's database is the writer, epoch {controller.epoch}")
        return None
    if under_way.new_writer is site:
        return Reason("becomes_writer", f"incident {under_way.incident_id} makes it the writer")
    if under_way.step(Phase.PROMOTING) is None:
        return Reason(
            "promotion_not_begun",
            f"incident {under_way.incident_id} has not asked for the other site's promotion yet",
        )
    return None
