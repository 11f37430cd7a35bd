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
NOT_READY = "The controller watches on and tells you when it is over. Until then a failover may not come by itself."
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
            ("Look at the log and the schedule of the health-probe function in the standby's site.", LOOK, FORCE),
        ),
        "probe_not_trusted": Advice(
            WATCHES_ON,
            (
                "Look at the health-probe functions: was one deployed just now?",
                "Look at the standby: if it is really down, nothing could take over.",
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
        "writer_commits": Advice(
            WATCHES_ON,
            (
                "No probe gets into a writer that lives: look at its security groups, its network's ACLs and its name.",
                "New clients may be kept out as the probes are.",
                LOOK,
            ),
        ),
        "process_lives": Advice(
            "No failover: the writer's process sends to its replica. It may be idle behind a shut door, or hang.",
            (
                "Look at the writer's security groups, its network's ACLs and its name, and whether a client gets in.",
                FORCE,
            ),
        ),
        "one_door": Advice(
            "The controller waits for an approval: a dead writer and a door that was shut look alike from here.",
            (
                "Look at the writer's security groups, and in RDS whether it lives.",
                "Prepare the database, so that replication can tell the two apart: nox -s prepare-database",
                "Approve only if it is dead: if it lives, its clients still write there, and the data splits.",
            ),
        ),
        "writer_hung": Advice(
            "The controller waits for an approval, or for a commit that succeeds.",
            (
                "Look at the writer's storage (queue depth, latency), its locks and its waits: commits do not end.",
                "If it does not recover by itself, approve: the writer is fenced and rebooted first.",
                "To have this done without you: setting writerHung: failover.",
            ),
        ),
        "storage_full": Advice(
            "No failover: the replica's storage is of the same size. You hear when a commit succeeds again.",
            ("Enlarge the writer's storage, or free some: look for a replication slot that holds the log back.", LOOK),
        ),
        "read_only": Advice(
            "No failover: somebody or something has made the writer read-only. You hear when a commit succeeds again.",
            ("Look at default_transaction_read_only of the writer, its database and role dr_probe.", LOOK),
        ),
        "commits_after_all": Advice(
            "The controller looks on: all other signs say that the writer is lost, and a probe that it asks commits.",
            ("Look whether clients can write, and what keeps the signs from being seen: a link, CloudWatch.", LOOK),
        ),
        "answers_after_all": Advice(
            "The controller looks on, and decides anew each time: by an approval, or by what it sees then.",
            (
                "Look whether clients can write: the writer takes connections again, and no probe has committed in it.",
                "If it recovers, nothing is needed. If its commits hang, approve: it is fenced first.",
                LOOK,
            ),
        ),
        "rds_says_failed": Advice(
            NOT_READY,
            ("Look at the writer's status and events in RDS: it answers still, and may soon not.", LOOK),
        ),
        "probes_lost": Advice(
            NOT_READY,
            (
                "Look at the writer's load and connections, and at the peering between the sites.",
                "Clients in the other site may see the same.",
                LOOK,
            ),
        ),
        "replica_behind": Advice(
            NOT_READY,
            (
                "Look at ReplicaLag and OldestReplicationSlotLag on the dashboard, and at the replica's log and load.",
                "A long query or a vacuum on the replica may hold replay back.",
                "A lost slot needs a new replica: nox -s reprotect",
            ),
        ),
        "probe_silent": Advice(
            NOT_READY,
            ("Look at the log and the schedule of the health-probe function in the standby's site.", LOOK),
        ),
        "other_probe_silent": Advice(
            NOT_READY,
            ("Look at the log and the schedule of the health-probe function in the writer's site.", LOOK),
        ),
        "witness_silent": Advice(
            NOT_READY,
            ("Look at the log and the schedule of the witness function in its region.", LOOK),
        ),
        "secret_missing": Advice(
            "A failover comes as ever. After the loss of the writer's region nobody could log in as the master user.",
            (
                "See where it is missing, and the command with which its owners replicate it: nox -s status",
                "If it may not be looked at: a deploy of dr-automation grants secretsmanager:DescribeSecret.",
            ),
        ),
        "hung_unseen": Advice(
            "No failover: what the probes' sessions see says nothing of commits any more.",
            ("Look at the log of the health-probe functions for what their sessions meet, and at the writer.", LOOK),
        ),
        "sessions_do_not_end": Advice(
            NOT_READY,
            (
                "Look at the writer's storage and load first: logging in reads from it, and may hang where commits do.",
                "If the network is slow (ProbeLatency), probeTimeoutSeconds gives the session more time.",
                LOOK,
            ),
        ),
        "not_verified": Advice(
            NOT_READY,
            (
                "Look at the instance's certificate authority in RDS, and when it was changed.",
                "If RDS has new authorities, renew those in the health-probe (docs/deploying.md).",
            ),
        ),
        "evidence_weak": Advice(
            "A failover on weak evidence is a question to people where stronger evidence would settle it.",
            (
                "Prepare the database for the probes, as its master user: nox -s prepare-database",
                "Where it is prepared: look at the log of the health-probe function for what its session met.",
            ),
        ),
        "writer_is_shut": Advice(
            "The controller does not open what a person may have shut. If it falls silent, it may be replaced.",
            (
                "Find out who shut it: a person, or a failover whose record was lost or replaced by an older one.",
                "If it (primary or recovery) is to be the writer, this opens it: nox -s failover -- --adopt primary",
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
                "Look at the standby in RDS: it must be an available replica to take over.",
                "One that is gone, has failed or replicates no more never will be: nox -s reprotect makes a new one.",
            ),
        ),
        "cool_down": Advice(
            "The controller waits for the cool-down's end, or for an approval.",
            ("Two failovers in a row are unusual: find out why before you approve one.",),
        ),
        "loss_unknown": Advice(
            "The controller waits for an approval that accepts an unknown loss.",
            ("Find out what the business loses with the last minutes; look at ReplicaLag on the dashboard.",),
        ),
        "loss_above_limit": Advice(
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
