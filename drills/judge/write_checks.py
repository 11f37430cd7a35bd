"""Checks on the writes of the clients, whatever the system did."""

from __future__ import annotations

from drills.clients.history import ClientHistory
from drills.evidence import Evidence
from drills.judge.check import Check, by_client, numbers
from drills.judge.client_checks import HUNG_SECONDS
from drills.judge.lost_rows import Judgement

MIN_STEADY_WRITES = 20


def write_checks(evidence: Evidence, judgement: Judgement) -> list[Check]:
    """The checks; each is about all clients."""
    final = evidence.final_writer
    return [
        wrote_steadily(evidence),
        _ran_to_the_end(evidence),
        Check(
            "The final writer was read back",
            final.rows is not None,
            f"{final.address} holds {len(final.rows)} rows" if final.rows is not None else final.why_not,
        ),
        Check(
            "No acknowledged row is lost beyond the data loss that the system reported",
            not judgement.lost_beyond_reported_rpo,
            f"lost: {by_client(evidence, judgement.lost)}; beyond {_reported_words(evidence)}: "
            + by_client(evidence, judgement.lost_beyond_reported_rpo),
        ),
        Check(
            "The old writer accepted nothing after the switch",
            not judgement.accepted_by_old_writer_after_switch,
            _accepted_words(evidence, judgement),
        ),
        Check(
            "No row is stored that was never attempted, or stored twice, or stored although it had failed",
            not (judgement.unexpected or judgement.duplicates or judgement.failed_but_found),
            f"{len(judgement.unexpected)} unexpected, {len(judgement.duplicates)} twice, "
            f"{len(judgement.failed_but_found)} failed but found"
            + numbers({*judgement.unexpected, *judgement.duplicates, *judgement.failed_but_found}),
        ),
    ]


def wrote_steadily(evidence: Evidence) -> Check:
    """Every client wrote before the fault."""
    before = {client.name: len(client.acknowledged_before(evidence.fault.at)) for client in evidence.clients}
    return Check(
        "Every client was writing steadily before the fault",
        min(before.values()) >= MIN_STEADY_WRITES,
        ", ".join(f"{name}: {rows} rows" for name, rows in before.items())
        + f" acknowledged before it; each needs at least {MIN_STEADY_WRITES}",
    )


def _ran_to_the_end(evidence: Evidence) -> Check:
    """One that wrote to the new writer once, and then hung or ended, has not come through."""
    words = {client.name: client.trouble or _silent_words(client) for client in evidence.clients}
    return Check(
        "Every client ran to the end of the drill, and was still acknowledged there",
        not any(words.values()),
        "; ".join(f"{name}: {what or 'it did'}" for name, what in words.items()),
    )


def _silent_words(client: ClientHistory) -> str:
    acknowledged = client.acknowledged
    if not acknowledged:
        return ""  # It did not write before the fault either, which is another check's.
    silent_seconds = client.attempts[-1].finished_at.seconds_since(acknowledged[-1].finished_at)
    return "" if silent_seconds <= HUNG_SECONDS else f"nothing was acknowledged in its last {silent_seconds:.1f} s"


def _reported_words(evidence: Evidence) -> str:
    reported = evidence.reported_loss
    if reported.rpo_seconds is not None:
        return f"the {reported.rpo_seconds:.3g} s reported"
    if reported.any_loss_accepted:
        return f"a loss without a known bound, which {evidence.unknown_loss_accepted_by} accepted"
    if evidence.incident is not None:
        return "a loss without a known bound, which nobody accepted"
    return "a loss that was never reported"


def _accepted_words(evidence: Evidence, judgement: Judgement) -> str:
    """What the old writer accepted, and how many attempts came after the switch, on how many new connections."""
    old = evidence.old_writer
    answers = (
        "it did not answer at the end" if old.rows is None else f"it answered at the end, with {len(old.rows)} rows"
    )
    accepted = judgement.accepted_by_old_writer_after_switch
    words = f"accepted: {by_client(evidence, accepted)}; {answers}"
    others = set(accepted) - {attempt.n for attempt in evidence.attempts}
    if others:
        words += f"; written by no client{numbers(others)}"
    switch = evidence.switch
    if switch is None:
        return f"there was no switch; {answers}"
    words += "; attempts after the switch: "
    return words + "; ".join(_tries_after(client, switch.at) for client in evidence.clients)


def _tries_after(client: ClientHistory, moment: float) -> str:
    after = [attempt for attempt in client.attempts if attempt.invoked_at.wall > moment]
    return f"{client.name}: {len(after)} writes, {sum(attempt.fresh for attempt in after)} of them on new connections"
