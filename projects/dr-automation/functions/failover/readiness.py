"""What would keep a healthy writer from being replaced by itself, or is about to make it unhealthy. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from failover.answer import Answer
from failover.policy import Policy
from failover.readings import Readings
from failover.recognise import is_silent
from failover.sessions import newest
from function_runtime.readings import Instance, Unanswered, series_of
from function_runtime.session_outcome import SessionOutcome

# Of all probes; a burst of losses that lasts for a minute is less.
MOST_PROBES_LOST = 0.3
PROBES_LOST = "probes_lost"
OTHER_PROBE_SILENT = "other_probe_silent"
SECRET_MISSING = "secret_missing"  # noqa: S105 - a code
CODES = (
    "rds_says_failed",
    PROBES_LOST,
    "standby_not_ready",
    "replica_behind",
    "probe_silent",
    OTHER_PROBE_SILENT,
    "witness_silent",
    SECRET_MISSING,
    "sessions_do_not_end",
    "not_verified",
    "evidence_weak",
)
"""Of every concern, the most urgent first."""
WEAK = "evidence_weak"
WEAKER = {
    SessionOutcome.NOT_PREPARED: (WEAK, "find it not prepared (nox -s prepare-database)"),
    SessionOutcome.NOT_ADMITTED: (WEAK, "are not let in: look at IAM authentication and the grants of dr_probe"),
    SessionOutcome.NOT_VERIFIED: ("not_verified", "do not trust its certificate"),
    SessionOutcome.NO_ROOM: (WEAK, "find no room: look at the sessions of dr_probe, and at the number of all"),
    SessionOutcome.NOT_ENDED: ("sessions_do_not_end", "break, or take too long to log in"),
}


@dataclass(frozen=True)
class Concern:
    """One of them.

    Attributes:
        code: one word for machines.
        reason: the same for people.
    """

    code: str
    reason: str


def concerns(
    readings: Readings,
    policy: Policy,
    *,
    probe_works: Answer,
    answers_there: Answer,
    standby_ready: Answer,
    lag: float | None,
) -> tuple[Concern, ...]:
    """What there is, the most urgent first.

    Args:
        readings: what was read.
        policy: the rules of evidence.
        probe_works: this site's probe reaches this site's own database.
        answers_there: the writer answers its own site's probes.
        standby_ready: this site's instance is an available replica.
        lag: how far the replica is behind, in seconds; None where nothing says so.
    """
    found = [*_of_the_writer(readings, policy), *_of_the_standby(readings, policy, standby_ready, lag)]
    if probe_works is not Answer.YES:
        found.append(Concern("probe_silent", "this site's probe is not known to reach this site's own database"))
    if answers_there is Answer.UNKNOWN:
        found.append(Concern(OTHER_PROBE_SILENT, "nothing is known of the writer's own site's probe"))
    if readings.witness is not None and is_silent(series_of(readings.witness), readings.at, policy):
        found.append(Concern("witness_silent", "the witness has said nothing"))
    return (*found, *_of_the_secret(readings), *_weak_evidence(readings, policy))


def probes_lost(readings: Readings, policy: Policy) -> tuple[Concern, ...]:
    """Whether many of this site's probes of the writer are lost, though not all."""
    recently = readings.at - timedelta(seconds=2 * policy.outage_seconds)
    seen = [point for point in series_of(readings.active_seen_from_here) if point.start >= recently]
    lost = sum(point.maximum < 1 for point in seen)
    if not seen or lost / len(seen) < MOST_PROBES_LOST:
        return ()
    return (Concern(PROBES_LOST, f"{lost} of this site's last {len(seen)} probes of the writer were lost"),)


def _of_the_writer(readings: Readings, policy: Policy) -> list[Concern]:
    found, instance = [], readings.active_instance
    if isinstance(instance, Instance) and instance.is_failed:
        found.append(Concern("rds_says_failed", f"RDS calls the writer {instance.status}, although it answers"))
    return [*found, *probes_lost(readings, policy)]


def _of_the_standby(readings: Readings, policy: Policy, standby_ready: Answer, lag: float | None) -> list[Concern]:
    if standby_ready is not Answer.YES:
        return [Concern("standby_not_ready", f"whether the standby is an available replica: {standby_ready}")]
    # Without heartbeats an idle writer's replica looks as far behind as a planned failover would wait.
    most = policy.max_data_loss_seconds if series_of(readings.heartbeat) else policy.drain_seconds
    if lag is None or lag > most:
        behind = "an unknown time" if lag is None else f"{lag:.0f} s"
        return [Concern("replica_behind", f"the replica is {behind} behind: a failover would wait for people")]
    return []


def _of_the_secret(readings: Readings) -> list[Concern]:
    """A failover needs no secret. Those who log in as the master user after it do."""
    secret, unasked = readings.master_secret, None
    if secret is True or secret is unasked:
        return []
    why = f": {secret.why}" if isinstance(secret, Unanswered) else ""
    known = "is not known to be" if isinstance(secret, Unanswered) else "is not"
    return [Concern(SECRET_MISSING, f"the master user's secret {known} in the {readings.here} site's region{why}")]


def _weak_evidence(readings: Readings, policy: Policy) -> list[Concern]:
    """Sessions that say nothing of commits, each by itself: of two, the better one may be the one that goes dark."""
    seen = {
        "this site's probe on the writer": readings.active_sessions_from_here,
        "the writer's own site's probe on it": readings.active_sessions_from_there,
        "this site's probe on the replica": readings.standby_sessions,
    }
    found: dict[str, list[str]] = {}
    for whose, sessions in seen.items():
        outcome = newest(series_of(sessions), readings.at, policy)
        if outcome in WEAKER:
            code, what = WEAKER[outcome]
            found.setdefault(code, []).append(f"the sessions of {whose} {what}")
    return [Concern(code, "; ".join(reasons)) for code, reasons in sorted(found.items(), key=_urgency)]


def _urgency(found: tuple[str, list[str]]) -> int:
    return CODES.index(found[0])


def is_due(since: datetime, at: datetime, policy: Policy) -> bool:
    """Whether it has lasted so long that people are told."""
    return at - since >= policy.readiness_patience
