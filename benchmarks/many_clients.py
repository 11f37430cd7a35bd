"""A hundred clients of the lab, ten writes a second each, through a crash of the writer: does it still fail over?

The clients run in a process of their own, as ``python -m benchmarks.many_clients``, which reads from its standard input
how to connect. It prints a line each second: seconds since 1970, and how many of them have written in it.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import IO, Any, cast

import psycopg

from benchmarks.measurement import Measurement
from drills.clients.dns import NameNotResolvedError, ask
from lab.lab import Lab
from lab.settings import LabSettings
from shared.layers import REPOSITORY_ROOT
from shared.sites import Site

CLIENTS = 100
WRITES_PER_SECOND = 10
WARM_UP_SECONDS = 60.0
# Ten times what a failover takes with two clients.
PATIENCE_SECONDS = 180.0
FAILOVER_TARGET_SECONDS = 60.0
STATEMENT_SECONDS = 5.0
CONNECT_SECONDS = 5


def measure(progress: Callable[[str], None]) -> list[Measurement]:
    """Crash the writer under the clients' load.

    Args:
        progress: is given lines that say what happens.
    """
    with Lab(LabSettings.from_environment(port=0), progress) as lab:
        target = lab.target
        writer = target.databases[Site.PRIMARY]
        with lab.server(writer.region, writer.identifier).connect(target.database_name) as connection:
            connection.execute("CREATE TABLE written (client int, at timestamptz DEFAULT now())")
            connection.execute(f"GRANT ALL ON written TO {target.credentials.user}")
        how = {
            "user": target.credentials.user,
            "password": target.credentials.password,
            "port": target.database_port,
            "dbname": target.database_name,
            "sslrootcert": str(lab.authority_file),
        }
        given = {"connect": how, "name": target.writer_name, "dns": lab.dns_server}
        clients = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.many_clients"],
            cwd=REPOSITORY_ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        into, out = cast(IO[str], clients.stdin), cast(IO[str], clients.stdout)
        with clients:
            try:
                into.write(json.dumps(given))
                into.close()
                seconds: list[tuple[float, int]] = []
                reading = threading.Thread(target=_read, args=(out, seconds), daemon=True)
                reading.start()
                _wait(seconds, 0.0, WARM_UP_SECONDS)
                before = seconds[-1][1] if seconds else 0
                progress(f"{before} of {CLIENTS} clients write; the writer's server is killed")
                crashed_at = time.time()
                lab.server(writer.region, writer.identifier).kill()
                most_threads = _wait(seconds, crashed_at, PATIENCE_SECONDS)
            finally:
                clients.kill()
        first, half = (min(_times(seconds, crashed_at, many), default=float("inf")) for many in (1, CLIENTS // 2))
    return [
        Measurement("clients that wrote before the crash", before, "clients", None, f"of {CLIENTS}"),
        Measurement("outage, first client", first - crashed_at, "s", FAILOVER_TARGET_SECONDS),
        Measurement("outage, half of the clients", half - crashed_at, "s"),
        Measurement("threads of the lab, at most", most_threads, "threads", 150),
    ]


def _wait(seconds: list[tuple[float, int]], crashed_at: float, patience_seconds: float) -> int:
    """Wait until half of the clients write after a crash; gives the most threads this process had."""
    most, ends_at = 0, time.monotonic() + patience_seconds
    while time.monotonic() < ends_at and not _times(seconds, crashed_at, CLIENTS // 2):
        most = max(most, threading.active_count())
        time.sleep(0.2)
    return most


def _times(seconds: list[tuple[float, int]], crashed_at: float, clients: int) -> list[float]:
    """When so many clients wrote after a crash; in the seconds around it some had written before."""
    return [at for at, writing in seconds if at > crashed_at + 2 and writing >= clients]


def _read(lines: Any, seconds: list[tuple[float, int]]) -> None:
    for line in lines:
        at, writing = line.split()
        seconds.append((float(at), int(writing)))


async def write(number: int, given: dict[str, Any], wrote: set[int]) -> None:
    """One client, which connects anew whenever its connection fails."""
    while True:
        try:
            address = (await asyncio.to_thread(ask, given["name"], tuple(given["dns"]))).address
            async with await psycopg.AsyncConnection.connect(
                host=address,
                sslmode="verify-full",
                connect_timeout=CONNECT_SECONDS,
                target_session_attrs="read-write",
                autocommit=True,
                **given["connect"],
            ) as connection:
                while True:
                    async with asyncio.timeout(STATEMENT_SECONDS):
                        await connection.execute("INSERT INTO written VALUES (%s)", (number,))
                    wrote.add(number)
                    await asyncio.sleep(1 / WRITES_PER_SECOND)
        except (psycopg.Error, OSError, NameNotResolvedError):
            await asyncio.sleep(0.2)


async def main() -> None:
    """Run all clients until killed."""
    given = json.load(sys.stdin)
    wrote: set[int] = set()
    clients = [asyncio.create_task(write(number, given, wrote)) for number in range(CLIENTS)]
    while clients:
        await asyncio.sleep(1)
        sys.stdout.write(f"{time.time()} {len(wrote)}\n")
        sys.stdout.flush()
        wrote.clear()


if __name__ == "__main__":
    asyncio.run(main())
