"""The incident that a decision to fail over opens. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from failover.last_look import LastLook
from failover.look import Look
from failover.settings import Settings
from function_runtime.control import OrderKind
from function_runtime.incident import Incident, Kind, Phase, Step

KINDS = {OrderKind.APPROVE: Kind.APPROVED, OrderKind.PLANNED: Kind.PLANNED, OrderKind.FORCED: Kind.FORCED}


def opened(settings: Settings, seen: Look, looked: LastLook | None, run_id: str, now: datetime) -> Incident:
    """The incident, as its first step has left it; this run's for the time of a lease.

    Args:
        settings: the settings.
        seen: what was seen and decided.
        looked: the last look at the writer, None where there was none.
        run_id: the run that opens it.
        now: the time.
    """
    signals, order = seen.signals, seen.order
    trouble = signals.trouble
    loss = signals.lag_before_seconds if trouble is None else signals.loss_bound_seconds
    kind = Kind.AUTOMATIC if order is None else KINDS[order.kind]
    return Incident(
        incident_id=seen.incident_id,
        kind=kind,
        new_writer=settings.here,
        epoch=seen.epoch,
        phase=Phase.OPENED,
        opened_at=now,
        trouble_since=now if trouble is None else trouble.since,
        decision=seen.decision.as_item(),
        signals=signals.as_item(),
        lag_before_seconds=signals.lag_before_seconds,
        # A planned one loses nothing, or is taken back.
        data_loss_seconds=0.0 if kind is Kind.PLANNED else loss,
        owner=run_id,
        lease_until=now + timedelta(seconds=settings.lease_seconds),
        ordered_by=None if order is None else order.by,
        steps=(Step(Phase.OPENED, now, now, "opened", _why_opened(seen, looked)),),
    )


def _why_opened(seen: Look, looked: LastLook | None) -> str:
    return seen.decision.reason if looked is None else f"{seen.decision.reason}; {looked.in_words}"
