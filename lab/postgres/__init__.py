"""Real PostgreSQL servers: where the programs come from and how one server is run.

The rest of the lab uses what is named here.
"""

from lab.postgres.binaries import PostgresBinaries, PostgresError, find_binaries, parameter_names
from lab.postgres.configuration import PLAINTEXT_SOURCE, applicable
from lab.postgres.server import PostgresServer
from lab.postgres.small_disk import NoSmallDiskError, require_small_disks

__all__ = [
    "PLAINTEXT_SOURCE",
    "NoSmallDiskError",
    "PostgresBinaries",
    "PostgresError",
    "PostgresServer",
    "applicable",
    "find_binaries",
    "parameter_names",
    "require_small_disks",
]
