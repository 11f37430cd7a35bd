"""What the other site's record says against this site's: that this one is older than it was, or overruled. Pure.

A record that names a site's controller as the one with authority is never newer than that site's own table: only that
table can have made it. Where it is newer all the same, that table was lost: restored from an older time, or deployed
anew, with a birth that says what is configured now.
"""

from __future__ import annotations

from function_runtime.sites import Site
from function_runtime.state import Controller


def is_to_be_compared(here: Site, own: Controller) -> bool:
    """Whether the other site's record is looked at in every run: a controller that acts by a record waits for nobody.

    Args:
        here: this site.
        own: its record, of version 0 where it is the table's birth.
    """
    return own.handover is None and (own.version == 0 or own.authority is not here)


def older_than_it_was(here: Site, own: Controller, other: Controller) -> str | None:
    """What shows that this site's table is not what it was, None where nothing does.

    Args:
        here: this site.
        own: its record, one that is to be compared.
        other: the other site's.
    """
    if other.authority is not here or other.handover is not None:
        return None
    if other.epoch > own.epoch or (other.epoch == own.epoch and own.authority is not here):
        return (
            f"this table says that authority is with {own.authority} in epoch {own.epoch}, and the {here.other} site's "
            f"says with {here} in epoch {other.epoch}: this one is older than it was"
        )
    return None


def is_overruled(here: Site, own: Controller, other: Controller) -> bool:
    """Whether a person has given the authority to the other site's controller while this region was silent.

    Args:
        here: this site.
        own: its record, with the authority here. A birth is as old as what was configured then.
        other: the other site's.
    """
    is_newer = other.epoch > own.epoch or own.version == 0
    return is_newer and other.authority is not here
