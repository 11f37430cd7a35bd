"""The deployment that the drills of these tests run on."""

from __future__ import annotations

from lab.target import Credentials, DeployedDatabase, Target
from shared.sites import Site

PASSWORD = "secret"


def drill_target(primary_address: str, recovery_address: str, *, port: int = 5432, password: str = PASSWORD) -> Target:
    """Instances ``p`` (primary) and ``r`` (recovery) at these addresses, and plain names for everything else."""
    return Target(
        databases={
            Site.PRIMARY: DeployedDatabase("ap-southeast-2", "p", primary_address),
            Site.RECOVERY: DeployedDatabase("ap-southeast-1", "r", recovery_address),
        },
        database_name="app",
        database_port=port,
        credentials=Credentials("admin", password),
        writer_name="writer.db.internal",
        writer_uri=f"postgresql://{primary_address}:{port},{recovery_address}:{port}/app?target_session_attrs=read-write",
        reader_name="reader.db.internal",
        failover_function_name="failover",
        probe_function_names={Site.PRIMARY: "probe-primary", Site.RECOVERY: "probe-recovery"},
        failures_topic_arn="arn:failures",
        recovery_topic_arn="arn:recovery",
        state_table_name="state",
        trigger_alarm_name="trigger",
        latch_alarm_name="latch",
    )
