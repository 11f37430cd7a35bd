"""The process that runs the lab's AWS: MiniStack, with the additions of `lab.aws.host`.

`lab.aws.process` runs it as ``python -m lab.aws.ministack``. The additions change MiniStack's internals, so it starts
only with the version that they were written for.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import sys
from importlib import metadata
from typing import cast

from shared.errors import SettingsError

WRITTEN_FOR = "1.5.33"


def check_version(installed: str) -> None:
    """Refuse a version of MiniStack for which the additions were not written.

    Raises:
        SettingsError: it is another version.
    """
    if installed != WRITTEN_FOR:
        remedy = (
            f"install {WRITTEN_FOR} (pip install ministack=={WRITTEN_FOR}); the lab adds to that version's internals"
        )
        raise SettingsError("ministack", installed, remedy)


def main() -> int:
    """Serve until killed.

    Returns:
        2 where the settings do not allow to start.
    """
    try:
        check_version(metadata.version("ministack"))
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    # Functions inherit the environment, so what they must not know is removed first.
    listening = int(os.environ.pop("LAB_SOCKET"))
    secret = os.environ.pop("LAB_RDS_SECRET")
    backend_url = os.environ.pop("LAB_RDS_BACKEND", None)
    database_authority = os.environ.pop("LAB_DATABASE_AUTHORITY", None)
    _serve(listening, backend_url, secret, database_authority)
    return 0


def _serve(listening: int, backend_url: str | None, secret: str, database_authority: str | None) -> None:
    # Imported here: MiniStack reads its environment when it is imported, and its version has to be checked first.
    from hypercorn.asyncio import serve
    from hypercorn.config import Config
    from hypercorn.typing import ASGIFramework
    from ministack.app import app  # type: ignore[import-untyped]

    from lab.aws.host import (
        alarm_permissions,
        asynchronous_invocation,
        condition_keys,
        darkness,
        database_logins,
        descriptions,
        function_network,
        health_check_children,
        metrics,
        rds,
        schedules,
        transport,
        vpc_authorizations,
        zone_signing,
    )
    from lab.aws.host.gate import Gate

    rds.install(backend_url, secret)
    metrics.install()
    schedules.install()
    function_network.install(database_authority)
    asynchronous_invocation.install()
    transport.install()
    condition_keys.install()
    alarm_permissions.install()
    zone_signing.install()
    vpc_authorizations.install()
    health_check_children.install()
    descriptions.install()
    darkness.install()
    database_logins.install()

    with contextlib.suppress(ValueError, OSError):
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    config = Config()
    config.bind = [f"fd://{listening}"]
    config.keep_alive_timeout = 75
    config.loglevel = "WARNING"
    config.accesslog = None
    asyncio.run(serve(cast(ASGIFramework, Gate(app, secret)), config))


if __name__ == "__main__":
    sys.exit(main())
