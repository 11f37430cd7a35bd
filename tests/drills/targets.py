"""The deployment that the drills of these tests run on."""

from __future__ import annotations

from lab.target import Credentials, DeployedAutomation, DeployedDatabase, Target
from shared.sites import Site

PASSWORD = "secret"


def drill_target(primary_address: str, recovery_address: str, *, port: int = 5432, password: str = PASSWORD) -> Target:
    """Instances ``p`` (primary) and ``r`` (recovery) at these addresses, and plain names for everything else."""
    hosts = (f"{primary_address}:{port}", f"{recovery_address}:{port}")
    uri = f"postgresql://{','.join(hosts)}/app?target_session_attrs=read-write"
    return Target(
        databases={
            Site.PRIMARY: DeployedDatabase("ap-southeast-2", "p", primary_address),
            Site.RECOVERY: DeployedDatabase("ap-southeast-1", "r", recovery_address),
        },
        automation={site: automation(site) for site in Site},
        database_name="app",
        database_port=port,
        credentials=Credentials("admin", password),
        writer_name="writer.db.internal",
        writer_uri=uri,
        writer_libpq_uri=f"{uri}&tcp_user_timeout=10000",
        writer_jdbc_url=f"jdbc:postgresql://{','.join(hosts)}/app?targetServerType=primary",
        writer_hosts=hosts,
        reader_name="reader.db.internal",
    )


def automation(site: Site) -> DeployedAutomation:
    """The automation of a site; that of the recovery site, whose controller acts, has the plainest names."""
    of = "" if site is Site.RECOVERY else f"-of-{site}"
    return DeployedAutomation(
        failover_function_name=f"failover{of}",
        probe_function_name=f"probe-{site}",
        failures_topic_arn=f"arn:failures{of}",
        recoveries_topic_arn=f"arn:recoveries{of}",
        state_table_name=f"state{of}",
        trigger_alarm_name=f"trigger{of}",
        word_alarm_names=(f"word{of}",),
    )
