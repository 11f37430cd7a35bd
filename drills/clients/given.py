"""What an application is given to reach the system: strings, credentials, a DNS server, the authority's file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict

from drills.clients.writes_table import TABLE
from lab.target import Target


@dataclass(frozen=True)
class Given:
    """All of it.

    Attributes:
        target: the system, with its strings and credentials.
        dns_server: address and UDP port.
        authority_file: certificates of the authority that the databases' certificates are of.
    """

    target: Target
    dns_server: tuple[str, int]
    authority_file: Path

    @property
    def libpq(self) -> dict[str, str]:
        """libpq's parameters: those of the URI with libpq's deadlines, the credentials, and the authority's file."""
        parameters = {name: str(value) for name, value in conninfo_to_dict(self.target.writer_libpq_uri).items()}
        return parameters | {
            "user": self.target.credentials.user,
            "password": self.target.credentials.password,
            "sslrootcert": str(self.authority_file),
            "application_name": "drill",
        }

    def environment(self, name: str, first_row: int) -> dict[str, str]:
        """The variables for a client that is a program.

        Args:
            name: the client's.
            first_row: the number of its first row.
        """
        target = self.target
        return {
            "WRITER_URI": target.writer_uri,
            "WRITER_LIBPQ_URI": target.writer_libpq_uri,
            "WRITER_JDBC_URL": target.writer_jdbc_url,
            "WRITER_HOSTS": ",".join(target.writer_hosts),
            "WRITER_NAME": target.writer_name,
            "DNS_SERVER": f"{self.dns_server[0]}:{self.dns_server[1]}",
            "PGSSLMODE": self.libpq.get("sslmode", "prefer"),
            "PGSSLROOTCERT": str(self.authority_file),
            "PGUSER": target.credentials.user,
            "PGPASSWORD": target.credentials.password,
            "PGDATABASE": target.database_name,
            "PGPORT": str(target.database_port),
            "WRITES_TABLE": TABLE,
            "CLIENT_NAME": name,
            "FIRST_ROW": str(first_row),
        }
