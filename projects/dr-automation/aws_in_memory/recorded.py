"""What a failover leaves on record, for those who read it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from aws_in_memory.aws import Aws
from aws_in_memory.clock import START
from aws_in_memory.deployed import ENVIRONMENT
from function_runtime.incident import Incident, Kind, Phase, Step
from function_runtime.sites import Site
from function_runtime.state import Controller

SHOWN = (Phase.FENCED, Phase.PROMOTING, Phase.SHOWN)
OVER = (*SHOWN, Phase.WRITES, Phase.PROMOTED, Phase.CLOSED)


def incident(
    new_writer: Site = Site.RECOVERY, *phases: Phase, fenced: str = "unreachable", kind: Kind = Kind.AUTOMATIC
) -> Incident:
    """An incident of epoch 1 whose steps to these phases are done."""
    outcomes = {
        Phase.FENCED: fenced,
        Phase.DRAINED: "drained",
        Phase.PROMOTING: "asked",
        Phase.WRITES: "commits",
        # Of an older version.
        Phase.SWITCHED: "switched",
        Phase.OPENED_AGAIN: "opened_again",
    }
    return Incident(
        incident_id="000001-20260101T115900Z",
        kind=kind,
        new_writer=new_writer,
        epoch=1,
        phase=phases[-1] if phases else Phase.OPENED,
        opened_at=START,
        trouble_since=START,
        decision={"action": "fail_over", "code": "dark", "reason": "the region is dark"},
        signals={},
        lag_before_seconds=0.0,
        data_loss_seconds=1.0,
        owner="run",
        lease_until=START,
        steps=tuple(
            Step(phase, START, START, outcomes.get(phase, "done"), "as it went") for phase in (Phase.OPENED, *phases)
        ),
    )


def remember(aws: Aws, controller: Controller, *incidents: Incident) -> None:
    """Record a state as the failover function does."""
    for each in incidents:
        aws.put(each.as_item())
    aws.put(replace(controller, version=1).as_item())


def both_can_write(old_writer: Site = Site.PRIMARY) -> Aws:
    """The replica was promoted, and the old writer is back and open; nothing of it is on record yet."""
    aws = Aws(ENVIRONMENT, writer=old_writer)
    aws.standby.source = None
    aws.writer.group_change_takes = timedelta(seconds=6)
    return aws


def after_failover(fenced: str = "unreachable", site: Site = Site.PRIMARY, **changes: Any) -> Aws:
    """After a failover away from a site, whose database is back and open.

    Args:
        fenced: the outcome of the failover's own fence.
        site: the site.
        changes: what else is so of its database.
    """
    aws = both_can_write(site)
    for name, value in changes.items():
        setattr(aws.writer, name, value)
    over = incident(site.other, *OVER, fenced=fenced)
    record = Controller(epoch=1, writer_site=site.other, authority=site.other, last_incident_id=over.incident_id)
    remember(aws, record, over)
    return aws
