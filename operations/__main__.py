"""``python -m operations COMMAND``: what ``nox -s status``, ``pause``, ``restore`` and the others run."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from deployment.state_tables import read_tables
from function_runtime.control import InstructionKind
from function_runtime.sites import Site
from function_runtime.state import ControlUnreadableError
from operations.access import CONFIG, Role, session_under, take_role
from operations.arguments import parse
from operations.authority import authority_by
from operations.console import Console
from operations.deployment import Deployment
from operations.errors import RefusedError
from operations.exit_codes import BAD_INPUT, INTERRUPTED, REFUSED
from operations.failover_command import cancel, failover
from operations.inspect_command import RestoreAccess, inspect
from operations.instruction_command import instruct
from operations.pause_commands import pause, resume
from operations.places import Places
from operations.prepare_command import prepare
from operations.reprotect.command import on_pulumi as reprotect
from operations.requests import (
    CancelRequest,
    FailoverRequest,
    InspectRequest,
    InstructionRequest,
    PauseRequest,
    PrepareRequest,
    ReprotectRequest,
    Request,
    RestoreRequest,
    StatusRequest,
)
from operations.restore_command import restore
from operations.status_command import status
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
    by, session = session_under(places.restore_role_arn, deployment)
    rds, dynamodb = (
        {site: session.client(service, region_name=deployment.at[site].region, config=CONFIG) for site in Site}
        for service in ("rds", "dynamodb")
    )
    names = {site: place.state_table_name for site, place in deployment.at.items()}
    access = RestoreAccess(by, rds, lambda: read_tables(dynamodb, names))
    if isinstance(request, InspectRequest):
        return inspect(request, places, access, console)
    return restore(request, places, access, console)


def carry_out(request: Request, deployment: Deployment, role: Role, console: Console) -> int:
    """Find the controller with authority, print which deployment and which controller it is, and carry out the command.

    Returns:
        One of `exit_codes`.

    Raises:
        SettingsError: the authority is being handed over, or has gone meanwhile.
        RefusedError: AWS, the controller or another person prevents it, or it is not certain who has authority.
        ControlUnreadableError: the item `control` is damaged.
    """
    if isinstance(request, ReprotectRequest):
        return reprotect(request, deployment, role, console)
    authority = authority_by(role.tables)
    if isinstance(request, StatusRequest):
        return status(request, deployment, role, authority, console)
    if isinstance(request, InstructionRequest) and request.kind is InstructionKind.ADOPT:
        site = authority.to_adopt(Site(request.about))
    elif isinstance(request, FailoverRequest | PauseRequest):
        site = authority.to_order()
    else:
        site = authority.required()
    console.say([deployment.headline(site), *(f"note: {note}" for note in authority.notes)])
    access = role.toward(site, deployment)
    if isinstance(request, PauseRequest):
        return pause(request, access, console)
    if isinstance(request, FailoverRequest):
        return failover(request, deployment, access, console)
    if isinstance(request, InstructionRequest):
        return instruct(request, access, console)
    if isinstance(request, CancelRequest):
        return cancel(access, console)
    return resume(access, console)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
