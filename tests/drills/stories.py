"""Evidence of drills as a lab would have produced it, to be judged and reported without one."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from drills.clients.dns import Answer
from drills.clients.history import Attempt, ClientHistory, Outcome
from drills.clients.routes import ByName, ByUri
from drills.clients.writes_table import StoredRow
from drills.evidence import Evidence, ReadBack
from drills.instants import Instant
from drills.records.cloudwatch import AlarmChange, LagSample
from drills.records.messages import Message
from drills.records.state_table import ControllerState
from drills.stage import Action
from function_runtime.incident import Incident, Kind, Phase, Step
from function_runtime.sites import Site as FunctionSite
from shared.sites import Site

FAULT_WALL = 1_760_000_000.0
OLD, NEW = "127.0.1.10", "127.1.1.10"
LOST = (119, 120)
LOST_OF_THE_URI = (620,)
URI_NUMBERS_FROM = 501
INCIDENT_ID = "20251009-0855-1"


def moment(at_seconds: float) -> Instant:
    return Instant(wall=FAULT_WALL + at_seconds, monotonic=5_000.0 + at_seconds)


def time(at_seconds: float) -> datetime:
    return datetime.fromtimestamp(FAULT_WALL + at_seconds, UTC)


def acknowledged(n: int, at_seconds: float, server: str = OLD, *, fresh: bool = False) -> Attempt:
    return Attempt(n, moment(at_seconds - 0.01), moment(at_seconds), Outcome.ACKNOWLEDGED, server, fresh=fresh)


def by_name() -> ClientHistory:
    """Six seconds of writes, one that broke, 18 seconds of refusals, and writes at the new writer."""
    before = [acknowledged(n, -6.0 + n * 0.05 - 0.02) for n in range(1, 121)]
    broken = Attempt(121, moment(-0.01), moment(0.05), Outcome.INDETERMINATE, OLD, "server closed the connection")
    refused = [
        Attempt(n, moment(at), moment(at + 0.01), Outcome.FAILED, OLD, "connection refused")
        for n, at in ((122 + i, 0.2 + i * 0.2) for i in range(90))
    ]
    after = [acknowledged(212 + i, 18.4 + i * 0.05, NEW) for i in range(100)]
    return ClientHistory(ByName.name, (*before, broken, *refused, *after))


def by_uri() -> ClientHistory:
    """The same, but the new writer is found as soon as it takes writes; each twentieth write is on a new connection."""
    first = URI_NUMBERS_FROM
    before = [acknowledged(first + i, -6.0 + i * 0.05 + 0.02, fresh=i % 20 == 19) for i in range(120)]
    refused = [
        Attempt(
            first + 120 + i, moment(at), moment(at + 0.02), Outcome.FAILED, None, f"{OLD}: refused; {NEW}: read-only"
        )
        for i, at in ((i, 0.1 + i * 0.15) for i in range(100))
    ]
    after = [acknowledged(first + 220 + i, 15.4 + i * 0.05, NEW, fresh=i % 20 == 19) for i in range(160)]
    return ClientHistory(ByUri.name, (*before, *refused, *after))


def incident() -> Incident:
    spans = (
        (Phase.OPENED, 5.2, 5.3, "done", "epoch 1"),
        (Phase.FENCED, 5.3, 7.1, "unconfirmed", "the instance does not answer; its security group was replaced"),
        (Phase.PROMOTING, 7.1, 8.0, "done", "promote-read-replica accepted"),
        (Phase.SHOWN, 8.0, 9.0, "done", "RDS is at the promotion, and the name moves"),
        (Phase.WRITES, 9.0, 15.0, "done", "a probe has committed in the new writer"),
        (Phase.PROMOTED, 15.0, 18.0, "done", "the instance is available and no replica"),
        (Phase.CLOSED, 18.0, 19.5, "done", "people were told"),
    )
    return Incident(
        incident_id=INCIDENT_ID,
        kind=Kind.AUTOMATIC,
        new_writer=FunctionSite.RECOVERY,
        epoch=1,
        phase=Phase.CLOSED,
        opened_at=time(5.2),
        trouble_since=time(0.4),
        decision={
            "action": "fail_over",
            "code": "primary_lost",
            "reason": "No observer has reached the primary for 4 s; the replica is healthy.",
        },
        signals={"primary_unreachable_from_recovery": "yes", "rds_reports_trouble": "unknown"},
        steps=tuple(
            Step(phase, time(start), time(end), outcome, detail) for phase, start, end, outcome, detail in spans
        ),
        lag_before_seconds=0.4,
        data_loss_seconds=1.4,
        rto_seconds=17.6,
        closed_at=time(19.5),
        owner="a run",
        lease_until=time(25.0),
    )


def recovered() -> Evidence:
    """A drill that went as it should: three rows lost, within the loss that was reported."""
    held = tuple(
        StoredRow(attempt.n, attempt.finished_at.wall)
        for client in (by_name(), by_uri())
        for attempt in client.acknowledged
        if attempt.n not in (*LOST, *LOST_OF_THE_URI)
    )
    fault = Action(moment(0.0), "SIGKILL to every process of the writer in the primary site")
    return Evidence(
        started_at=moment(-9.0),
        finished_at=moment(25.0),
        fault=fault,
        actions=(fault,),
        writer=Site.PRIMARY,
        addresses={Site.PRIMARY: OLD, Site.RECOVERY: NEW},
        by_name=by_name(),
        by_uri=by_uri(),
        final_writer=ReadBack(NEW, held, takes_writes=True),
        old_writer=ReadBack(OLD, None, None, f"{OLD} does not answer: connection refused"),
        name_changes=(Answer(moment(-6.2), OLD, 1), Answer(moment(17.9), NEW, 1)),
        controller_before=ControllerState(0),
        controller_after=ControllerState(1),
        incidents=(incident(),),
        order=None,
        guard_fence=None,
        alarm_changes=(
            AlarmChange(
                FAULT_WALL + 4.4, "primary-unreachable-recovery-lab", "Alarm updated from OK to ALARM", "missing"
            ),
            AlarmChange(FAULT_WALL + 16.4, "word-below-2-recovery-lab", "Alarm updated from OK to ALARM", "2 >= 2"),
        ),
        messages=(
            Message(FAULT_WALL + 5.4, "failures", "Failover began", "The primary is lost.\nNobody has to act."),
            Message(FAULT_WALL + 19.3, "recovery", "Failover done", "Writes go to <recovery> & are accepted."),
        ),
        lag_samples=tuple(LagSample(FAULT_WALL + at, 0.3 + 0.1 * (at % 3)) for at in range(-6, 1))
        + tuple(LagSample(FAULT_WALL + at, float(at)) for at in range(1, 8)),
        versions={"project": "0.1.0", "python": "3.11.7", "postgresql": "16.2", "ministack": "1.5.33"},
        unfinished=(),
    )


def never_recovered() -> Evidence:
    """A drill without a failover: no incident, no new writer, nothing to read back."""
    return replace(
        recovered(),
        by_name=_without_the_new_writer(by_name()),
        by_uri=_without_the_new_writer(by_uri()),
        final_writer=ReadBack(OLD, None, None, f"{OLD} does not answer: connection refused"),
        name_changes=(Answer(moment(-6.2), OLD, 1),),
        controller_after=ControllerState(0),
        incidents=(),
        alarm_changes=(),
        messages=(),
        lag_samples=(),
    )


def unfinished() -> Evidence:
    """A drill that stopped in the middle."""
    return replace(recovered(), unfinished=("the drill ended early: the system is not ready",))


def held() -> Evidence:
    """A drill in which the writer was away for a moment, and the system correctly did not fail over."""
    story = recovered()
    action = Action(moment(2.0), "SIGCONT to every process of the writer in the primary site")

    def steady(name: str, first: int) -> ClientHistory:
        moments = [at for at in (-6.0 + i * 0.05 for i in range(300)) if not 0 <= at < 2]
        return ClientHistory(name, tuple(acknowledged(first + i, at) for i, at in enumerate(moments)))

    clients = steady(ByName.name, 1), steady(ByUri.name, URI_NUMBERS_FROM)
    rows = tuple(StoredRow(attempt.n, attempt.finished_at.wall) for client in clients for attempt in client.attempts)
    read = ReadBack(OLD, rows, takes_writes=True)
    return replace(
        story,
        actions=(*story.actions, action),
        by_name=clients[0],
        by_uri=clients[1],
        final_writer=read,
        old_writer=read,
        name_changes=(Answer(moment(-6.2), OLD, 1),),
        controller_after=ControllerState(0),
        incidents=(),
        messages=(),
    )


def _without_the_new_writer(client: ClientHistory) -> ClientHistory:
    return replace(client, attempts=tuple(attempt for attempt in client.attempts if attempt.server_address != NEW))
