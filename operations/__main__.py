"""``python -m operations status|pause|resume|failover``: what ``nox -s status`` and the others run."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from operations import commands
from operations.access import Access, take_role
from operations.arguments import CancelRequest, FailoverRequest, PauseRequest, Request, StatusRequest, parse
from operations.console import Console
from operations.deployment import Deployment
from operations.errors import RefusedError
from operations.failover_command import INTERRUPTED, cancel, failover
from shared.errors import SettingsError

BAD_INPUT = 2
REFUSED = 1


def main(arguments: Sequence[str]) -> int:
    """Carry out one command.

    Returns:
        0 done; 1 refused, failed, or shown in part only; 2 bad input; 3 a dry run of what would not happen.
    """
    try:
        request = parse(arguments)
        deployment = Deployment.read(request.outputs, request.stack)
        return carry_out(request, deployment, take_role(deployment), Console())
    except SettingsError as error:
        print(f"error: {error}", file=sys.stderr)
        return BAD_INPUT
    except RefusedError as error:
        print(f"error: {error}", file=sys.stderr)
        return REFUSED
    except KeyboardInterrupt:
        print("left; nothing was done that is not said above", file=sys.stderr)
        return INTERRUPTED


def carry_out(request: Request, deployment: Deployment, access: Access, console: Console) -> int:
    """Say whose controller it is, then do what was asked for.

    Returns:
        As `main`.

    Raises:
        RefusedError: it is not done.
    """
    if not (isinstance(request, StatusRequest) and request.as_json):
        console.say([str(deployment)])
    if isinstance(request, StatusRequest):
        return commands.status(request, deployment, access, console)
    if isinstance(request, PauseRequest):
        return commands.pause(request, deployment, access, console)
    if isinstance(request, FailoverRequest):
        return failover(request, deployment, access, console)
    if isinstance(request, CancelRequest):
        return cancel(deployment, access, console)
    return commands.resume(deployment, access, console)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
