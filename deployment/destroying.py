"""What is checked before a destroy changes anything."""

from __future__ import annotations

from collections.abc import Sequence

from deployment.arguments import AFTER_FAILOVER, Request
from deployment.deployed import Survey
from deployment.in_aws import protected_in_aws
from deployment.writer_on_record import why_not_primary
from shared.environment import Environment
from shared.errors import SettingsError
from shared.layers import LAYERS
from shared.stack_files import load_configuration

DATA = "data"
AUTOMATION = "dr-automation"
SHOWN = 5


def refuse_destroying(request: Request, survey: Survey, environment: Environment) -> None:
    """Refuse a destroy that would fail half-way, or delete data that somebody wanted to keep.

    Args:
        request: what was asked for.
        survey: what stands of every layer.
        environment: whose.

    Raises:
        SettingsError: nothing is destroyed.
    """
    refuse_protected(request, survey)
    refuse_forgotten_snapshot(request, survey)
    if survey[DATA].resources and not request.after_failover:
        refuse_moved_writer(environment)
    chosen = {each.name for each in request.layers if survey[each.name].resources}
    by_hand = protected_in_aws(environment, databases=DATA in chosen, table=AUTOMATION in chosen)
    if by_hand:
        raise SettingsError(
            "deletion protection",
            ", ".join(by_hand),
            "it was enabled in AWS and not by Pulumi, and nothing was touched; to destroy it, disable that in AWS",
        )


def refuse_forgotten_snapshot(request: Request, survey: Survey) -> None:
    """Refuse to delete databases without a final snapshot where the settings ask for one that is not deployed yet.

    Raises:
        SettingsError: a destroy follows what is deployed, so RDS would take no snapshot.
    """
    for chosen in request.layers:
        if chosen.name != DATA or not survey[DATA].without_final_snapshot:
            continue
        values = load_configuration(chosen.folder, request.stack).values
        if values.get(f"{chosen.project}:skipFinalSnapshot") == "false":
            raise SettingsError(
                "skipFinalSnapshot",
                "false",
                f"{', '.join(survey[DATA].without_final_snapshot)} is deployed without it and would be deleted without "
                f"a last snapshot: ./dr deploy -- data --stack {request.stack} first",
            )


def refuse_protected(request: Request, survey: Survey) -> None:
    """Refuse to destroy protected resources, and a layer that another deployed layer reads.

    Raises:
        SettingsError: nothing is destroyed.
    """
    chosen = [each.name for each in request.layers]
    for each in LAYERS:
        lost = [name for name in each.reads if name in chosen]
        if lost and each.name not in chosen and survey[each.name].resources:
            raise SettingsError(
                "layer",
                lost[0],
                f"{each.name} stands on it, with {len(survey[each.name].resources)} resources: destroy that first, or "
                f"together: ./dr destroy -- {' '.join([each.name, *chosen])} --stack {request.stack}",
            )
    protected = [f"{name}: {one}" for name in chosen for one in survey[name].protected]
    if protected:
        after_failover = [AFTER_FAILOVER] if request.after_failover else []
        raise SettingsError(
            "stack",
            request.stack,
            f"{len(protected)} protected resources would be destroyed, nothing was touched: {_some(protected)}. To end "
            f"this environment, set deletionProtection: false in environments/{request.stack}.yaml (production "
            "must become another kind of environment there), "
            f"{' '.join(['./dr deploy -- --stack', request.stack, *after_failover])}, then destroy again",
        )


def refuse_moved_writer(environment: Environment) -> None:
    """Refuse to destroy the writer after a failover.

    Raises:
        SettingsError: the primary is not the writer, so a destroy would delete the writer without a final snapshot; or
            it is unknown which database is the writer.
    """
    snapshot = (
        "take a snapshot of the writer first (aws rds create-db-snapshot), then say "
        f"{AFTER_FAILOVER} to destroy all the same"
    )
    try:
        reason = why_not_primary(environment)
    except SettingsError as error:
        raise SettingsError(error.key, error.value, f"{error.remedy}; if that is impossible, {snapshot}") from error
    if reason is not None:
        raise SettingsError("stack", environment.stack, f"{reason}. Nothing was touched: {snapshot}")


def _some(names: Sequence[str]) -> str:
    rest = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {rest} more" if rest > 0 else "")
