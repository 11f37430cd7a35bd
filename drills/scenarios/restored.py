"""Scenarios in which a replica is no help: what is lost comes back from a copy of a snapshot."""

from __future__ import annotations

from drills.clients.writes_table import run_sql
from drills.faults import OUTAGE_SECONDS, crash
from drills.restoring import bring_back, snapshot_and_copy
from drills.scenario import DrillOutcome, Scenario
from drills.stage import Stage

ORDERS = 1000
REPLICATED_SECONDS = 10.0
# Until an outage has been seen, and people have been told.
ALERT_SECONDS = 4 * OUTAGE_SECONDS


def _bad_delete(stage: Stage) -> None:
    """Empty a table by mistake; the replica repeats it at once; the rows come back beside the living writer."""
    target, writer = stage.system.target, stage.writer_database.address
    stage.do(
        f"a table with {ORDERS} orders is made",
        lambda: run_sql(
            target,
            writer,
            "drop table if exists orders",
            "create table orders as select generate_series(1, 1000) as id",
        ),
    )
    copied = snapshot_and_copy(stage)
    stage.keep_writing(REPLICATED_SECONDS / 2)
    stage.break_it("somebody empties the table by mistake", lambda: run_sql(target, writer, "delete from orders"))
    stage.keep_writing(REPLICATED_SECONDS / 2)
    stage.restoration = bring_back(stage, copied, "orders")
    stage.wait_for_writes()


def _both_lost(stage: Stage) -> None:
    """Lose both databases; what is left is the copy."""
    copied = snapshot_and_copy(stage)
    stage.keep_writing(REPLICATED_SECONDS / 2)
    stage.break_it("both databases are lost, the replica first", lambda: stage.replica_server.kill())
    stage.do(*crash(stage))
    stage.keep_writing(ALERT_SECONDS)
    stage.restoration = bring_back(stage, copied)


BAD_DELETE = Scenario(
    name="bad-delete",
    summary="A table is emptied by mistake and the replica follows at once; a copied snapshot brings the rows back.",
    expected=DrillOutcome.HELD,
    run=_bad_delete,
    restored_rows=ORDERS,
)

RESTORE_FROM_SNAPSHOT = Scenario(
    name="restore-from-snapshot",
    summary="Both databases are lost; the copied snapshot is restored in the standby's site.",
    expected=DrillOutcome.RESTORED,
    run=_both_lost,
)
