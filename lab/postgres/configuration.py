"""A server's postgresql.conf and pg_hba.conf."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from pathlib import Path

SUPERUSER = "rdsadmin"
REPLICATION_USER = "rdsrepladmin"
ADMIN_DATABASE = "rdsadmin"
IAM_ROLE = "rds_iam"
"""RDS's own names: its superuser, the user its replicas connect as, the database its agent writes to, and the role of
those who log in with IAM tokens."""

PLAINTEXT_SOURCE = "127.255.255.254"
"""Where the forwarder connects from for a client without TLS when TLS is required. pg_hba.conf has no entry for it, so
PostgreSQL itself refuses the client with its usual message."""

_BASE: Mapping[str, str] = {
    # Small: several servers share a laptop. fsync and full_page_writes stay on: what is committed survives a kill -9.
    "shared_buffers": "16MB",
    # What RDS derives from the 4 GiB of a db.t3.medium: LEAST({DBInstanceClassMemory/9531392}, 5000).
    "max_connections": "400",
    "max_wal_senders": "10",
    "max_replication_slots": "10",
    "max_worker_processes": "4",
    "max_parallel_workers": "2",
    "wal_level": "replica",
    # RDS keeps 2 GB. pg_basebackup creates its slot after the start of the backup: a checkpoint may come in between.
    "wal_keep_size": "64MB",
    "min_wal_size": "32MB",
    "max_wal_size": "256MB",
    "hot_standby": "on",
    # A replica reports and reconnects within a second, so that drills need not wait for timeouts.
    "wal_receiver_status_interval": "1s",
    "wal_retrieve_retry_interval": "500ms",
    "password_encryption": "scram-sha-256",
    "log_line_prefix": "%m [%p] %q%u@%d ",
    "log_timezone": "UTC",
    "timezone": "UTC",
}

_OURS = frozenset(
    {
        # Where the server listens and keeps its files: the lab sets these.
        "listen_addresses", "port", "unix_socket_directories", "unix_socket_permissions", "data_directory",
        "hba_file", "ident_file", "config_file", "external_pid_file", "logging_collector", "log_destination",
        "log_directory", "log_filename", "ssl", "ssl_ca_file", "ssl_cert_file", "ssl_key_file",
        "archive_mode", "archive_command", "archive_library", "restore_command",
        "primary_conninfo", "primary_slot_name",
        # Sized for the memory of an RDS instance.
        "shared_buffers", "effective_cache_size", "maintenance_work_mem", "huge_pages", "min_wal_size",
        "shared_memory_type", "dynamic_shared_memory_type",
        # The wheel carries no extension libraries, and a missing one keeps the server from starting.
        "shared_preload_libraries", "session_preload_libraries", "local_preload_libraries",
    }
)  # fmt: skip


def applicable(parameters: Mapping[str, str], known: frozenset[str]) -> dict[str, str]:
    """The parameters of a DB parameter group that go into this server's postgresql.conf.

    RDS's own (`rds.*`), formulas over the instance's memory and what the lab sets itself are left out.

    Args:
        parameters: name and value, as the parameter group has them (PostgreSQL's own base units).
        known: the names the server knows.
    """
    chosen = {
        name: value
        for name, value in parameters.items()
        if name in known and name not in _OURS and "{" not in value and not name.startswith("rds.")
    }
    if parameters.get("rds.logical_replication") == "1":
        chosen["wal_level"] = "logical"
    return chosen


def write_configuration(data: Path, port: int, sockets: Path, parameters: Mapping[str, str]) -> None:
    """Write both files into a server's data directory.

    Args:
        data: the data directory.
        port: the private loopback port.
        sockets: the folder of its Unix socket.
        parameters: those of the DB parameter group, see `applicable`.
    """
    settings = {
        **_BASE,
        **parameters,
        "listen_addresses": "127.0.0.1",
        "port": str(port),
        "unix_socket_directories": str(sockets),
        "unix_socket_permissions": "0700",
        # The forwarder terminates TLS, since the wheel's server is built without it.
        "ssl": "off",
        "logging_collector": "off",
        # Files in the data directory, so that a killed server leaves nothing in /dev/shm.
        "dynamic_shared_memory_type": "mmap",
    }
    lines = [f"{name} = '{_quoted(value)}'\n" for name, value in settings.items()]
    (data / "postgresql.conf").write_text("".join(lines), encoding="utf-8")
    (data / "pg_hba.conf").write_text(_host_based_access(), encoding="utf-8")


def _quoted(value: str) -> str:
    return value.replace("\\", "\\\\").replace("'", "''")


def _host_based_access() -> str:
    outside = ipaddress.IPv4Network(f"{PLAINTEXT_SOURCE}/16", strict=False)
    clients = ipaddress.IPv4Network("127.0.0.0/8").address_exclude(outside)
    return "".join(
        [
            # Only the lab itself can enter the socket's folder.
            f"local all {SUPERUSER} trust\n",
            f"local replication {REPLICATION_USER} trust\n",
            # Whose IAM token the forwarder has found to be good.
            f"local all +{IAM_ROLE} trust\n",
            f"host all {SUPERUSER},{REPLICATION_USER} all reject\n",
            *(f"host all all {network} scram-sha-256\n" for network in sorted(clients, key=str)),
        ]
    )
