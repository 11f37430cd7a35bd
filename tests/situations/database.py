"""The database that takes writes, as its clients and RDS see it: what no command may change."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import psycopg

from shared.sites import Site
from tests.pulumi.workplace import Workplace

TABLE = "create table if not exists written_by_tests (at timestamptz not null default clock_timestamp())"
ROW = "insert into written_by_tests default values"
# Time changes the first, and the snapshot copier, which starts the replication after a failover, the second.
CHANGES_BY_ITSELF = ("LatestRestorableTime", "DBInstanceAutomatedBackupsReplications")


def seen(workplace: Workplace, site: Site) -> Mapping[str, Any]:
    """A site's database as RDS describes it, with when its server was started; writes a row.

    Raises:
        psycopg.Error: it does not take the row.
    """
    described = workplace.database(site)
    with _connection(workplace, site) as connection:
        connection.execute(TABLE)
        connection.execute(ROW)
        started = connection.execute("select pg_postmaster_start_time()").fetchone()
    kept = {key: value for key, value in described.items() if key not in CHANGES_BY_ITSELF}
    return {**kept, "server started": started}


def takes_writes(workplace: Workplace, site: Site) -> bool:
    """Whether it takes a row now."""
    try:
        seen(workplace, site)
    except (psycopg.Error, KeyError, IndexError):
        return False
    return True


def _connection(workplace: Workplace, site: Site) -> psycopg.Connection[Any]:
    outputs = json.loads(workplace.checkout.flat_outputs.read_text())
    secrets = workplace.client("secretsmanager", workplace.environment.regions[site])
    login = json.loads(secrets.get_secret_value(SecretId=outputs["masterSecretId"])["SecretString"])
    return psycopg.connect(
        host=workplace.database(site)["Endpoint"]["Address"],
        port=outputs["databasePort"],
        dbname=outputs["databaseName"],
        user=login["username"],
        password=login["password"],
        sslmode="require",
        connect_timeout=5,
        autocommit=True,
    )
