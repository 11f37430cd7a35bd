"""RDS as the lab serves it: moto's API and state, with real PostgreSQL servers behind.

The rest of the lab uses what is named here.
"""

from lab.rds.backend import RdsBackend
from lab.rds.fleet import DatabaseFleet
from lab.rds.listening import require_free_port

__all__ = ["DatabaseFleet", "RdsBackend", "require_free_port"]
