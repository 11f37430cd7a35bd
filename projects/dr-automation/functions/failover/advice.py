"""What comes next and what a person should do, for every decision that people are told of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class Advice:
    """For one decision.

    Attributes:
        next: what the controller does from now on by itself.
        to_do: what a person should do, as instructions.
    """

    next: str
    to_do: tuple[str, ...]


WATCHES_ON = (
    "The controller looks again every minute. It tells you when the writer answers again or the reason changes."
)
LOOK = "See what it sees now: nox -s status"
FORCE = "If you know that the writer is gone for good: nox -s failover -- --forced --dry-run"

ADVICE: Mapping[str, Advice] = MappingProxyType(
    {
        "flapping": Advice(
            "No failover while the writer answers again each time; one starts when it stays away for a whole outage.",
            (
                "Look at the writer's log, load and storage: it crashes, restarts or is overloaded.",
                LOOK,
                "A planned failover is refused meanwhile. If it must not stay: nox -s failover -- --forced --dry-run",
            ),
        ),
        "not_watched": Advice(
            "No failover: silence of this site's probe proves nothing about the writer.",
            ("Look at the log and the schedule of the health-probe function in the recovery site.", LOOK, FORCE),
        ),
        "probe_not_trusted": Advice(
            WATCHES_ON,
            (
                "Look at the health-probe functions: was one deployed just now?",
                "Look at the recovery site's database: if it is really down, nothing could take over.",
                FORCE,
            ),
        ),
        "answers_its_own_site": Advice(
            WATCHES_ON,
            ("Look at the peering between the sites, its routes and the security groups.", LOOK),
        ),
        "witness_sees_it": Advice(
            WATCHES_ON,
            ("The two regions do not reach each other: look at the AWS Health Dashboard of both.", LOOK),
        ),
        "replica_receives": Advice(
            WATCHES_ON,
            ("The writer lives and replicates: look at the probes and at the network between the sites.", LOOK),
        ),
        "writer_is_shut": Advice(
            "The controller does not open what a person may have shut. If it falls silent, it may be replaced.",
            (
                "Find out who shut it: a person, or a failover whose record was lost or replaced by an older one.",
                "If it is to be the writer, this opens it (or recovery): nox -s failover -- --adopt primary",
                "If it is not: nox -s failover -- --forced --dry-run",
            ),
        ),
        "maintenance_overdue": Advice(
            "The controller waits for the work on the writer to end, or for an approval.",
            (
                "Look at the writer's events in RDS: what is being done to it, and is it stuck?",
                "Work that goes on: wait. Work that is stuck: approve.",
            ),
        ),
        "one_signal_only": Advice(
            WATCHES_ON,
            ("Look at the writer in RDS and from a client of its own site: does it answer there?", FORCE),
        ),
        "dark_without_witness": Advice(
            "The controller waits for an approval: it cannot tell a lost region from one that only it cannot reach.",
            (
                "Ask somebody outside of both regions whether the writer's region is there.",
                "Approve only if it is lost: if it lives, its clients still write there, and the data splits.",
            ),
        ),
        "paused": Advice(
            "Nothing is done until failovers are resumed.",
            (
                "See who paused and why: nox -s status",
                "Let failovers happen again: nox -s resume",
                "Where it is paused by the layer's setting mode, change that and deploy dr-automation.",
            ),
        ),
        "standby_not_ready": Advice(
            WATCHES_ON,
            (
                "Look at the recovery site's database in RDS: it must be an available replica to take over.",
                "One that failed, or whose replication has ended, will not be: restore the replicated backups.",
            ),
        ),
        "cool_down": Advice(
            "The controller waits for the cool-down's end, or for an approval.",
            ("Two failovers in a row are unusual: find out why before you approve one.",),
        ),
        "lag_unknown": Advice(
            "The controller waits for an approval that accepts an unknown loss.",
            ("Find out what the business loses with the last minutes; look at ReplicaLag on the dashboard.",),
        ),
        "lag_above_bound": Advice(
            "The controller waits for an approval that accepts the loss.",
            ("Find out what the business loses with that much of the last writes.",),
        ),
        "loss_not_accepted": Advice(
            "The order is not carried out: it accepts less than may be lost.",
            (
                "See how much it is: nox -s failover -- --forced --dry-run",
                "Give the order again with the loss you accept.",
            ),
        ),
        "manual": Advice(
            "The controller waits for an approval (mode manual).",
            ("Look at the writer, then approve or leave it.",),
        ),
        "planned_not_healthy": Advice(
            "The order is not carried out: a planned failover needs two healthy databases and a replica that keeps up.",
            (LOOK, "Give the order again when both are healthy and the lag is small: it must be drained meanwhile."),
        ),
    }
)
"""By the decision's code. A code that people are told of and that is not here is a defect, which a test finds."""
