"""Life after a failover: a new standby, the authority handed over to it, and what must hold all the time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from aws_in_memory.aws import Aws, Call, Fault, TakeEffect, no_fault
from aws_in_memory.deployed import healthy
from aws_in_memory.recorded import OVER, incident, remember
from aws_in_memory.running import Running, instruct
from function_runtime.control import Control, InstructionKind, Order, OrderKind
from function_runtime.sites import Site
from function_runtime.state import Controller

CHANGES = frozenset({"dynamodb.put_item", "cloudwatch.put_metric_data"})
"""The calls that change a record or the name."""


def running(writer: Site = Site.PRIMARY) -> Running:
    """A deployment in which all is well, and each function has run."""
    aws = healthy(writer=writer)
    aws.validates = False
    made = Running(aws)
    made.tick(2)
    return made


def record_of(aws: Aws, site: Site) -> Controller:
    """What a site's table says; before the first write, as at its birth."""
    if "controller" in aws.items_of(site):
        return Controller.from_item(aws.plain("controller", site))
    birth = aws.plain("birth", site)
    return Controller(writer_site=Site(birth["writer_site"]), authority=Site(birth["authority"]))


def acting(aws: Aws) -> list[Site]:
    """The sites whose controllers act."""
    return [site for site in Site if record_of(aws, site).authority is site]


def newest(aws: Aws) -> Controller:
    """The newest record."""
    return max((record_of(aws, site) for site in Site), key=lambda record: record.epoch)


def writer_of(aws: Aws) -> Site:
    """The writer on the newest record."""
    return newest(aws).writer_site


def order_failover(aws: Aws, site: Site, kind: OrderKind = OrderKind.PLANNED) -> None:
    """A person orders a failover from the controller of a site; with a forced one they accept whatever is lost."""
    epoch, until = record_of(aws, site).epoch + 1, aws.now + timedelta(hours=1)
    forced = kind is OrderKind.FORCED
    given = Order(kind, f"{epoch:06d}-ordered", epoch, "arn:person", aws.now, until, accepts_unknown_loss=forced)
    control = Control.from_item(aws.plain("control", site)) if "control" in aws.items_of(site) else Control()
    aws.put(replace(control.with_order(given), version=control.version + 1).as_item(), site)


def fail_over(running: Running, ticks: int = 12) -> None:
    """As planned, to the site of the standby.

    Raises:
        AssertionError: it does not come to that.
    """
    aws = running.aws
    to = writer_of(aws).other
    order_failover(aws, to)
    settle(running, lambda: writer_of(aws) is to and newest(aws).incident_id is None, ticks)


def reprotect(aws: Aws) -> None:
    """The old writer is deleted, and a replica of the new one gets its name."""
    writer = writer_of(aws)
    aws.instances[writer.other].gives_way_to_a_replica(f"arn:{aws.instances[writer].identifier}", aws.now)


def ask_for_handover(aws: Aws) -> None:
    """A person has the writer's site's controller hand the authority over."""
    writer = writer_of(aws)
    instruct(aws, InstructionKind.HAND_OVER, writer.other, writer)


def is_handed_over(aws: Aws) -> bool:
    """Whether the standby's controller acts, and the other one has nothing left to do."""
    return acting(aws) == [writer_of(aws).other] and all(record_of(aws, site).handover is None for site in Site)


def hand_over(running: Running, ticks: int = 30) -> None:
    """Hand the authority over to the standby's site.

    Raises:
        AssertionError: it does not come to that.
    """
    ask_for_handover(running.aws)
    settle(running, lambda: is_handed_over(running.aws), ticks)


def settle(running: Running, is_so: Callable[[], bool], ticks: int) -> None:
    """Let time pass until it is so.

    Raises:
        AssertionError: it is not in so many ticks.
    """
    for _ in range(ticks):
        if is_so():
            return
        running.tick(seconds=3)
    assert is_so(), ([record_of(running.aws, site) for site in Site], running.aws.messages)


def failed_over(writer: Site = Site.PRIMARY) -> Running:
    """After a planned failover and with a new standby, whose controller has no authority yet."""
    aws = healthy(slot_lag_bytes=0.0, writer=writer)
    aws.validates = False
    for instance in aws.instances.values():
        instance.slot_lag_bytes = 0.0
    running = Running(aws)
    running.tick(2, seconds=3)
    fail_over(running)
    reprotect(aws)
    running.tick(4, seconds=3)
    return running


def reprotected(writer: Site = Site.PRIMARY) -> Running:
    """The same without having played it: a failover away from a site is on record, and a new standby is there."""
    aws = healthy(writer=writer)
    aws.validates = False
    aws.standby.source = None
    over = incident(writer.other, *OVER, fenced="fenced")
    record = Controller(epoch=1, writer_site=writer.other, authority=writer.other, last_incident_id=over.incident_id)
    remember(aws, record, over)
    reprotect(aws)
    running = Running(aws, guards=False)
    running.tick(1, seconds=3)
    return running


def watched(aws: Aws, inner: Fault = no_fault) -> Fault:
    """Look after every call that changes something: two controllers never act, and epochs only grow.

    A handover never moves the name.

    Args:
        aws: where.
        inner: what else becomes of each call.
    """
    epochs = {site: record_of(aws, site).epoch for site in Site}

    def look() -> None:
        # Whom a person's word has overruled while its region was dark looks for that before it acts.
        overruled = any(record_of(aws, site).owes_telling for site in Site)
        assert overruled or len(acting(aws)) <= 1, "two controllers act"
        for site in Site:
            epoch = record_of(aws, site).epoch
            assert epoch >= epochs[site], "an epoch has gone back"
            epochs[site] = epoch
        handovers = [each for site in Site if (each := record_of(aws, site).handover) is not None]
        # Who has taken it may fail over before the giver has heard of that.
        handing_over = any(each.receiver not in acting(aws) for each in handovers)
        assert not handing_over or aws.name is writer_of(aws), "the handover moves the name"

    def fault(call: Call, take_effect: TakeEffect) -> Any:
        def take_effect_and_look() -> Any:
            answer = take_effect()
            if call.operation in CHANGES:
                look()
            return answer

        return inner(call, take_effect_and_look)

    return fault
