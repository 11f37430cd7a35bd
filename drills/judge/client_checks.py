"""Checks on how soon clients with documented settings write again once there is a writer, and that none hangs."""

from __future__ import annotations

from drills.clients.history import ClientHistory
from drills.evidence import Evidence
from drills.judge.check import Check
from drills.scenario import Scenario

# What is documented takes no longer than pgjdbc over TLS: twice its socketTimeout.
HUNG_SECONDS = 25.0


def client_checks(scenario: Scenario, evidence: Evidence) -> list[Check]:
    """The checks; none where the scenario does not ask for them."""
    limit = scenario.back_within_seconds
    if limit is None:
        return []
    late = {client.name: back_after_seconds(evidence, client) for client in evidence.clients}
    waits = {client.name: client.longest_wait_seconds for client in evidence.clients}
    return [
        Check(
            f"Every client writes again within {limit:g} s of the promotion, or with the name of its move",
            all(seconds is not None and seconds <= limit for seconds in late.values()),
            ", ".join(f"{name}: {'never' if s is None else f'{s:.1f} s'}" for name, s in late.items()),
        ),
        Check(
            f"No client hung: none waited more than {HUNG_SECONDS:g} s for an attempt to end",
            all(seconds <= HUNG_SECONDS for seconds in waits.values()),
            ", ".join(f"{name}: at most {seconds:.1f} s" for name, seconds in waits.items()),
        ),
    ]


def back_after_seconds(evidence: Evidence, client: ClientHistory) -> float | None:
    """From when a client could find the new writer to its first write that this one acknowledged.

    Returns:
        Seconds; None where it never wrote to it, or the name's move was not seen though it goes by name.
    """
    first, promoted_at = evidence.first_acknowledged_by_new(client), evidence.promoted_at
    if first is None or promoted_at is None:
        return None
    found_at = evidence.at(promoted_at)
    if client.name == evidence.by_name.name:
        if evidence.name_moved is None:
            return None
        found_at = max(found_at, evidence.at(evidence.name_moved.at))
    return evidence.at(first.finished_at) - found_at
