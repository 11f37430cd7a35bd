"""Checks on a failover."""

from __future__ import annotations

from drills.evidence import Evidence
from drills.judge.check import Check
from drills.judge.client_checks import client_checks
from drills.scenario import Scenario

FENCED = "fenced"


def failover_checks(scenario: Scenario, evidence: Evidence) -> list[Check]:
    """The checks where the system failed over, or should have."""
    incident = evidence.incident
    final = evidence.final_writer
    checks = [
        _writes_again_in_time(scenario, evidence),
        *client_checks(scenario, evidence),
        Check(
            "The database that the writer's name points to takes writes",
            final.takes_writes is True and final.address != evidence.old_address,
            f"{final.address}: "
            + {True: "takes writes", False: "is still a replica", None: final.why_not}[final.takes_writes],
        ),
        _name_moved_once(evidence),
        Check(
            "There was one incident, and it is closed",
            len(evidence.incidents) == 1 and incident is not None and incident.phase == "closed",
            ", ".join(f"{one.incident_id} is {one.phase}" for one in evidence.incidents) or "no incident was recorded",
        ),
        _epoch_grew_by_one(evidence),
        _fence_tried(evidence),
        *([_fenced(evidence)] if scenario.demands_fence else []),
        _loss_reported(evidence),
    ]
    for topic, about in (("failures", "the failure"), ("recovery", "the recovery")):
        told = [message for message in evidence.messages if message.topic == topic and evidence.at(message.sent_at) > 0]
        checks.append(Check(f"People were told of {about}", bool(told), f"messages on the {topic} topic: {len(told)}"))
    return checks


def _writes_again_in_time(scenario: Scenario, evidence: Evidence) -> Check:
    limit = scenario.rto_limit_seconds
    taken = {client.name: evidence.rto_seconds(client) for client in evidence.clients}
    return Check(
        f"Writes of every client are accepted again within {limit:g} s",
        all(seconds is not None and seconds <= limit for seconds in taken.values()),
        ", ".join(
            f"{name}: " + ("no write was acknowledged by another database" if seconds is None else f"{seconds:.1f} s")
            for name, seconds in taken.items()
        ),
    )


def _name_moved_once(evidence: Evidence) -> Check:
    after = [answer for answer in evidence.name_changes if evidence.at(answer.at) > 0]
    moves = ", ".join(f"{answer.address} at {evidence.at(answer.at):.1f} s" for answer in after)
    return Check(
        "The writer's name moved to the other database, once, and stayed there",
        len(after) == 1 and after[0].address != evidence.old_address,
        moves or "it never moved",
    )


def _epoch_grew_by_one(evidence: Evidence) -> Check:
    before, after = evidence.controller_before, evidence.controller_after
    first_epoch = 0 if before is None else before.epoch
    return Check(
        "The epoch grew by one",
        after is not None and after.epoch == first_epoch + 1,
        f"from {first_epoch} to {'(no state)' if after is None else after.epoch}",
    )


def _fence_tried(evidence: Evidence) -> Check:
    incident = evidence.incident
    steps = () if incident is None else incident.steps
    fences = [step for step in steps if step.phase == FENCED]
    done = [step for step in fences if step.finished_at is not None and step.outcome]
    promotions = [step for step in steps if step.phase == "promoting"]
    return Check(
        "The old writer was fenced before the promotion, or the attempt is recorded",
        bool(done and promotions) and done[0].started_at <= promotions[0].started_at,
        "; ".join(f"{step.outcome or 'unfinished'}: {step.detail}" for step in fences) or "no fence is recorded",
    )


def _fenced(evidence: Evidence) -> Check:
    """By the controller before the promotion, or afterwards by the fence-guard of the old writer's site."""
    incident, guard = evidence.incident, evidence.guard_fence
    words = []
    steps = () if incident is None else tuple(step for step in incident.steps if step.phase == FENCED)
    words.append("controller: " + (", ".join(step.outcome or "unfinished" for step in steps) or "no fence recorded"))
    if guard is None:
        words.append("fence-guard: nothing recorded")
    else:
        detail = f" ({guard.detail})" if guard.detail else ""
        words.append(f"fence-guard, for epoch {guard.epoch}: {guard.outcome}{detail}")
    by_guard = guard is not None and incident is not None and guard.epoch >= incident.epoch and guard.outcome == FENCED
    return Check(
        "The old writer is fenced", any(step.outcome == FENCED for step in steps) or by_guard, "; ".join(words)
    )


def _loss_reported(evidence: Evidence) -> Check:
    """Where the system knows no bound for the loss, an operator must have accepted that."""
    seconds = evidence.reported_loss.rpo_seconds
    if seconds is not None:
        return Check("The data loss is reported", passed=True, evidence=f"at most {seconds:.3g} s")
    name = "The data loss is reported, or an operator accepted a loss without a known bound"
    if evidence.incident is None:
        return Check(name, passed=False, evidence="no incident was recorded")
    by = evidence.unknown_loss_accepted_by
    accepted = "nobody accepted that" if by is None else f"{by} accepted that"
    return Check(name, by is not None, f"no bound known; {accepted}")
