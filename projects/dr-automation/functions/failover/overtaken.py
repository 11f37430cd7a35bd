"""What the other site's record says against this site's: that this one is older than it was, or overruled.

A record that names a site's controller as the one with authority is never newer than that site's own table: only that
table can have made it. Where it is newer all the same, that table was lost: restored from an older time, or deployed
anew, with a birth that says what is configured now.
"""

from __future__ import annotations

from dataclasses import replace

from aws_lambda_powertools import Logger

from failover.recorded import TO_DO, Recorded, StateLostError
from function_runtime.clients import AwsError
from function_runtime.sites import Site
from function_runtime.state import Controller, NoRecordError, State

logger = Logger(child=True)


def compared(here: Site, known: Recorded, state: State, other_state: State) -> Recorded:
    """The state, after a look at the other site's record where this one does not act by a record of its own.

    A region that is silent says nothing against it; but a table that was lost does not act by its new birth alone.

    Args:
        here: this site.
        known: what its table says.
        state: its table.
        other_state: the other site's.

    Raises:
        StateLostError: this table is older than it was.
        ClientError, BotoCoreError: this site's table refuses or is silent.
    """
    own = known.controller
    if known.incident is not None or not is_to_be_compared(here, own):
        return known
    try:
        other = other_state.controller()
    except NoRecordError:
        return known
    except AwsError as error:
        logger.info("The other site's record was not looked at", error=str(error))
        if own.authority is here and state.told_of_loss() is not None:
            text = f"this table was lost, and the other one is silent; {TO_DO}"
            raise StateLostError(own, own.epoch, text) from error
        return known
    if other.version == 0:
        # A record that is made anew from its history is no birth.
        if not known.found:
            _refuse_contradicting_births(own, other)
        return known
    why = older_than_it_was(here, own, other)
    # It may have been told since it was read.
    if why is not None and state.controller().version == own.version:
        raise StateLostError(own, max(own.epoch, other.epoch), f"{why}; {TO_DO}")
    if own.authority is here and is_overruled(here, own, other):
        # A table that was made when the other site's controller had the authority already.
        told = replace(own, epoch=other.epoch, writer_site=other.writer_site, authority=other.authority)
        return replace(known, controller=told, agrees=known.agrees and told.writer_site is own.writer_site)
    return known


def _refuse_contradicting_births(own: Controller, other: Controller) -> None:
    """Two tables that nobody has written to, made at times at which different things were configured."""
    if own.version > 0 or (own.writer_site, own.authority) == (other.writer_site, other.authority):
        return
    raise StateLostError(
        own,
        own.epoch,
        f"this table was made when {own.writer_site} was the writer and {own.authority} had the authority, the other "
        f"one when {other.writer_site} was and {other.authority} had, and neither has a record; {TO_DO}",
    )


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
