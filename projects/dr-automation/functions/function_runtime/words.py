"""Moments, spans, losses and incidents in words, and rows under each other: for messages, status and plan. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from textwrap import wrap

from function_runtime.control import Order, OrderKind, Pause
from function_runtime.fence import Outcome
from function_runtime.fence_record import FenceRecord
from function_runtime.incident import Incident, Phase, Step

WIDTH = 120
UNKNOWN = "unknown"
NONE = "none"
NOT_FENCED = (
    "The old writer is NOT known to be fenced. The fence-guard of its site fences it as soon as it answers. Until then "
    "keep clients off its address, and do not restart it by hand."
)


def moment(at: datetime) -> str:
    """A moment of these days."""
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"


def span(seconds: float) -> str:
    """A time in seconds, in the units people think in."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.0f} h" if seconds < 172800 else f"{seconds / 86400:.0f} days"


def ago(then: datetime, now: datetime) -> str:
    """A moment and how long it is past."""
    return f"{moment(then)} ({span(max(0.0, (now - then).total_seconds()))} ago)"


def seconds_or_unknown(seconds: float | None) -> str:
    """Seconds; unknown stays unknown."""
    return UNKNOWN if seconds is None else f"{seconds:.1f} s"


def loss(seconds: float | None) -> str:
    """An upper bound of what is lost."""
    if seconds == 0:
        return NONE
    return "unknown: nobody can say" if seconds is None else f"at most {seconds:.1f} s of writes"


def pause(pause: Pause, now: datetime) -> str:
    """Who paused, when and why."""
    return f"paused by {pause.by} at {ago(pause.at, now)}: {pause.reason}"


def order(order: Order, now: datetime, next_epoch: int | None = None) -> list[str]:
    """An order on record.

    Args:
        order: the order.
        now: the time.
        next_epoch: the epoch that the next failover begins; None where that is not known.
    """
    left = (order.expires_at - now).total_seconds()
    good = f"good for {span(left)} more" if left > 0 else "expired"
    if next_epoch is not None and order.epoch < next_epoch:
        good = "that epoch has begun: the order was used, or no longer counts"
    return [
        f"{order.kind}, for incident {order.incident_id} and epoch {order.epoch}; {good}",
        f"given by {order.by} at {moment(order.at)}",
        f"accepts {accepted(order)}",
    ]


def accepted(order: Order) -> str:
    """The loss that an order accepts."""
    if order.accepts_unknown_loss:
        return "a loss without a known bound"
    if order.accepted_loss_seconds is None:
        return "no loss beyond the configured bound" if order.kind is OrderKind.APPROVE else "no loss at all"
    return f"the loss of {order.accepted_loss_seconds:g} s of writes"


def step(step: Step) -> str:
    """One line for a step of an incident, with the time of its end; of one under way, of its beginning."""
    at = step.started_at if step.finished_at is None else step.finished_at
    line = f"{at:%H:%M:%S} UTC  {step.phase:<12} "
    if step.finished_at is None:
        under_way = "under way" if not step.told else f"not done; people were told: {'; '.join(step.told)}"
        return f"{line}{under_way}"
    took = (step.finished_at - step.started_at).total_seconds()
    return f"{line}{step.outcome} ({took:.1f} s): {step.detail}"


def outcome(incident: Incident) -> list[str]:
    """How a closed incident ended."""
    if incident.is_taken_back:
        word = "abandoned" if incident.is_abandoned else "taken back"
        return [f"{word}: {incident.new_writer.other} stays the writer, and nothing is lost"]
    unfenced = [] if incident.is_fenced else [NOT_FENCED]
    return [*unfenced, f"{incident.new_writer} is the writer, epoch {incident.epoch}", *cost(incident)]


def is_shut(incident: Incident, guarded: FenceRecord | None) -> bool:
    """Whether the old writer is known to be shut, by the failover itself or by its guard."""
    return incident.is_fenced or (guarded is not None and guarded.outcome is Outcome.FENCED)


def cost(incident: Incident, guarded: FenceRecord | None = None) -> list[str]:
    """What a failover cost: time and data.

    Args:
        incident: the failover.
        guarded: what the old writer's guard has recorded of this epoch, None where that is nothing or not known.
    """
    took, since = seconds_or_unknown(incident.rto_seconds), moment(incident.trouble_since)
    lost = loss(incident.data_loss_seconds)
    if not incident.is_fenced:
        # What it takes when it comes back before it is shut, nobody else has.
        until = (
            "it is shut" if guarded is None or guarded.outcome is not Outcome.FENCED else f"{guarded.at:%H:%M:%S} UTC"
        )
        lost = f"{lost}, plus whatever the old writer took until {until}"
    return [
        f"Recovery time (RTO): {took}, from the trouble's beginning ({since}) to {_recovered(incident)}",
        f"Data loss: {lost}",
    ]


def _recovered(incident: Incident) -> str:
    """What a failover's recovery time ends with."""
    writes = incident.step(Phase.WRITES)
    if writes is None:
        return "the switch"  # of an older version
    if writes.outcome == "commits":
        return "the first write in the new writer"
    return "the new writer's being there; no write was confirmed"


def approve_command(incident_id: str, epoch: int, loss_seconds: float | None, bound_seconds: float) -> str:
    """The command that approves what the controller asks about.

    Args:
        incident_id: what the approval must name.
        epoch: what it must name too.
        loss_seconds: what may be lost; None where that is unknown. Within the bound nothing has to be accepted.
        bound_seconds: what is lost without asking a person.
    """
    accept = ""
    if loss_seconds is None or loss_seconds > bound_seconds:
        # The bound moves by fractions from run to run.
        accept = " --accept-unknown-loss" if loss_seconds is None else f" --accept-loss-seconds {int(loss_seconds) + 1}"
    return f"nox -s failover -- --approve {incident_id} --epoch {epoch}{accept}"


def rows(pairs: Iterable[tuple[str, Sequence[str]]]) -> list[str]:
    """Names on the left, what there is to say on the right, long lines wrapped under themselves."""
    listed = list(pairs)
    indent = max(len(name) for name, _ in listed) + 2
    lines = []
    for name, texts in listed:
        wrapped = [line for text in texts for line in wrap(text, WIDTH - indent, break_on_hyphens=False)]
        lines += [f"{name if index == 0 else '':<{indent}}{line}" for index, line in enumerate(wrapped)]
    return lines


def indented(lines: Iterable[str], by: int = 2) -> list[str]:
    """The lines, moved to the right; long ones wrapped."""
    space = " " * by
    return [
        line
        for text in lines
        for line in wrap(text, WIDTH, initial_indent=space, subsequent_indent=f"{space}  ", break_on_hyphens=False)
    ]
