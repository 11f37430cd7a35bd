"""What is checked before a destroy changes anything."""

from __future__ import annotations

from collections.abc import Sequence

from deployment.arguments import Request
from deployment.deployed import Survey
from deployment.in_aws import protected_in_aws
from deployment.judging import AUTOMATION
from deployment.verdict import DATA
from shared.environment import Environment
from shared.errors import SettingsError
from shared.layers import LAYERS

SHOWN = 5


def refuse_protected_in_aws(request: Request, survey: Survey, environment: Environment) -> None:
    """Refuse a destroy that would fail half-way at what AWS refuses to delete.

    Args:
        request: what was asked for.
        survey: what stands of every layer.
        environment: whose.

    Raises:
        SettingsError: nothing is destroyed.
    """
    chosen = {each.name for each in request.layers if survey[each.name].resources}
    by_hand = protected_in_aws(environment, databases=DATA in chosen, table=AUTOMATION in chosen)
    if by_hand:
        raise SettingsError(
            "deletion protection",
            ", ".join(by_hand),
            "it was enabled in AWS and not by Pulumi, and nothing was touched; to destroy it, disable that in AWS",
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
        raise SettingsError(
            "stack",
            request.stack,
            f"{len(protected)} protected resources would be destroyed, nothing was touched: {_some(protected)}. To end "
            f"this environment, set deletionProtection: false in environments/{request.stack}.yaml (production "
            "must become another kind of environment there), "
            f"./dr deploy -- --stack {request.stack}, then destroy again",
        )


def _some(names: Sequence[str]) -> str:
    rest = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {rest} more" if rest > 0 else "")
