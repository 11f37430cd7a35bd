"""``python -m operations COMMAND``: what ``nox -s status``, ``pause``, ``restore`` and the others run."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from function_runtime.sites import Site
from function_runtime.state import ControlUnreadableError, State
from operations import commands
from operations.access import CONFIG, Access, session_under, take_role
from operations.arguments import (
    CancelRequest,
    FailoverRequest,
    InspectRequest,
    InstructionRequest,
    PauseRequest,
    PrepareRequest,
    Request,
    RestoreRequest,
    StatusRequest,
    parse,
)
from operations.console import Console
from operations.deployment import Deployment
from operations.errors import RefusedError
from operations.exit_codes import BAD_INPUT, INTERRUPTED, REFUSED
from operations.failover_command import cancel, failover
from operations.inspect_command import RestoreAccess, inspect
from operations.instruction_command import instruct
from operations.places import Places
from operations.prepare_command import prepare
from operations.restore_command import restore
from shared.errors import SettingsError


def main(arguments: Sequence[str]) -> int:
    """Carry out one command.

    Returns:
        One of `exit_codes`.
    """
    try:
        request = parse(arguments)
        if isinstance(request, PrepareRequest):
            return prepare(request, Console())
        deployment = Deployment.read(request.outputs, request.stack)
        if isinstance(request, RestoreRequest | InspectRequest):
            return restore_or_inspect(request, deployment, Console())
        return carry_out(request, deployment, take_role(deployment), Console())
    except SettingsError as error:
        print(f"error: {error}", file=sys.stderr)
        return BAD_INPUT
    except (RefusedError, ControlUnreadableError) as error:
        print(f"error: {error}", file=sys.stderr)
        return REFUSED
    except KeyboardInterrupt:
        print("interrupted; whatever was done is shown above", file=sys.stderr)
        return INTERRUPTED


def restore_or_inspect(request: RestoreRequest | InspectRequest, deployment: Deployment, console: Console) -> int:
    """Restore or inspect, under the role for restoring, which other people may have than the operators' role.

    Returns:
        One of `exit_codes`.

    Raises:
        SettingsError, RefusedError: it is not done.
    """
    console.say([str(deployment)])
    places = Places.read(request.outputs)
    by, session = session_under(places.restore_role_arn, deployment, [place.region for place in places.at.values()])
    rds = {site: session.client("rds", region_name=places.at[site].region, config=CONFIG) for site in Site}
    dynamodb = session.client("dynamodb", region_name=deployment.controller_region, config=CONFIG)
    access = RestoreAccess(by, rds, State(dynamodb, deployment.state_table_name))
    if isinstance(request, InspectRequest):
        return inspect(request, places, access, console)
    return restore(request, places, access, console)


def carry_out(request: Request, deployment: Deployment, access: Access, console: Console) -> int:
    """Print which deployment it is, then carry out the command.

    Returns:
        One of `exit_codes`.

    Raises:
        RefusedError: AWS, the controller or another person prevents it.
        ControlUnreadableError: the item `control` is damaged.
    """
    if not (isinstance(request, StatusRequest) and request.as_json):
        console.say([str(deployment)])
    if isinstance(request, StatusRequest):
        return commands.status(request, deployment, access, console)
    if isinstance(request, PauseRequest):
        return commands.pause(request, deployment, access, console)
    if isinstance(request, FailoverRequest):
        return failover(request, deployment, access, console)
    if isinstance(request, InstructionRequest):
        return instruct(request, deployment, access, console)
    if isinstance(request, CancelRequest):
        return cancel(deployment, access, console)
    return commands.resume(deployment, access, console)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
