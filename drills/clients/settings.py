"""The settings of a client that docs/connecting.md gives; the drill's own clients run with them. A test compares.

Everything else is in the strings that the deployment prints: libpq's deadlines in ``writerLibpqUri``, how long a host
may take to let a client in in each of them.
"""

from __future__ import annotations

CALL_DEADLINE_SECONDS = 10.0
"""How long a call may take: the deadline on every call, in the client. A frozen server's kernel acknowledges packets,
so that neither ``tcp_user_timeout`` nor keepalives end a call, and no timeout of the server does."""

POOL_WAIT_SECONDS = 10.0
"""psycopg_pool's ``timeout``: how long a caller waits for a connection."""

POOL_RECONNECT_SECONDS = 5.0
"""psycopg_pool's ``reconnect_timeout``: it doubles its pauses until then, and begins anew with the next caller."""

ASYNCPG_CONNECT_SECONDS = 5.0
"""asyncpg's ``timeout``, for one host; it would send a URI's ``connect_timeout`` to the server."""

JVM_KEEPS_NAMES_SECONDS = 30.0
"""How long a JVM keeps a name's address without ``networkaddress.cache.ttl``, whatever the TTL. Not to be copied."""
