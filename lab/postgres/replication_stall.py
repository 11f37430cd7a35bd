"""Stalling a replica by its configuration.

`pg_basebackup --write-recovery-conf` writes the source to postgresql.auto.conf, where the last line of a setting wins.
An empty one stops the WAL receiver at the next reload (PostgreSQL 13 and later):
https://www.postgresql.org/docs/current/runtime-config-replication.html#GUC-PRIMARY-CONNINFO
"""

from __future__ import annotations

from pathlib import Path

_STALL = "primary_conninfo = ''\n"


def stall_in(data: Path) -> None:
    """Stall the replica of a data directory, from its next reload on."""
    # Last: a replica may have been copied from a server that was one, with its source's line below the old stall's.
    _write(data, [*(line for line in _lines(data) if line != _STALL), _STALL])


def unstall_in(data: Path) -> None:
    """Let the replica of a data directory stream again, from its next reload on."""
    lines = _lines(data)
    if _STALL in lines:
        _write(data, [line for line in lines if line != _STALL])


def _lines(data: Path) -> list[str]:
    return (data / "postgresql.auto.conf").read_text(encoding="utf-8").splitlines(keepends=True)


def _write(data: Path, lines: list[str]) -> None:
    # In place: the file keeps its owner, the server's user.
    (data / "postgresql.auto.conf").write_text("".join(lines), encoding="utf-8")
