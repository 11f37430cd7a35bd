"""One look at the world and at the record, and the decision that follows: nothing is changed by it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from failover.decide import decide
from failover.decision import Decision, Situation
from failover.instructions import order_in_force
from failover.master_secret import has_secret
from failover.observe import observe
from failover.policy import Mode, Policy
from failover.recognise import recognise
from failover.settings import Settings
from failover.signals import Remembered, Signals, interpret
from function_runtime.asking import asked
from function_runtime.clients import Clients
from function_runtime.control import Control, Order
from function_runtime.state import Controller


@dataclass(frozen=True)
class Look:
    """What was seen and what follows.

    Attributes:
        at: when.
        signals: the answers; their trouble knows the incident it would become.
        policy: the bounds in force, a pause included.
        incident_id: the incident that an order must name now.
        epoch: the epoch that a failover would begin.
        order: the order that is for them, None where there is none.
        decision: what to do.
    """

    at: datetime
    signals: Signals
    policy: Policy
    incident_id: str
    epoch: int
    order: Order | None
    decision: Decision


OrderFor = Callable[[str, int, datetime], Order | None]
"""The order there is for an incident and an epoch at a moment."""


def order_on_record(control: Control, controller: Controller) -> OrderFor:
    """The order that a person has put on record, where it is for what is going on and still good."""

    def order_for(incident_id: str, epoch: int, at: datetime) -> Order | None:
        order = order_in_force(control, controller)
        return order if order is not None and order.is_for(incident_id, epoch, at) else None

    return order_for


def look(
    clients: Clients,
    settings: Settings,
    controller: Controller,
    control: Control,
    now: Callable[[], datetime],
    order_for: OrderFor,
) -> Look:
    """Look and decide.

    Args:
        clients: AWS.
        settings: where things are, and the bounds.
        controller: the recorded state.
        control: what people have told the controller.
        now: the time.
        order_for: which order to decide with.
    """
    in_trouble = controller.trouble is not None
    readings = observe(clients, settings, controller.writer_site, now(), in_trouble=in_trouble)
    # A dark region takes its time: what was read is judged when all of it is there.
    at = now()
    readings = replace(readings, at=at)
    policy = policy_in_force(settings, control)
    if recognise(readings, settings.policy, controller.trouble) is None:
        # A failover waits for nothing that it does not need.
        readings = replace(readings, master_secret=asked(lambda: has_secret(clients, settings)))
    signals = interpret(readings, policy, remembered_by(controller))
    epoch = controller.epoch + 1
    incident_id = f"{epoch:06d}-ordered"
    if signals.trouble is not None:
        named = signals.trouble.incident_id
        incident_id = f"{epoch:06d}-{signals.trouble.since:%Y%m%dT%H%M%SZ}" if named is None else named
        signals = replace(signals, trouble=replace(signals.trouble, incident_id=incident_id))
    order = order_for(incident_id, epoch, at)
    situation = Situation(at, settings.here, controller.writer_site, controller.last_closed_at, order)
    return Look(at, signals, policy, incident_id, epoch, order, decide(signals, situation, policy))


def remembered_by(controller: Controller) -> Remembered:
    """What earlier runs have kept of what they saw."""
    return Remembered(controller.trouble, controller.replicated_until, controller.unready, controller.let_in_at)


def policy_in_force(settings: Settings, control: Control) -> Policy:
    """The configured bounds; a person's pause outranks the configured mode."""
    return settings.policy if control.pause is None else replace(settings.policy, mode=Mode.PAUSED)
