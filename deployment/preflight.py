"""What is checked before the first layer is touched. A refusal leaves everything as it was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any, Protocol

from deployment.arguments import AFTER_FAILOVER, PRODUCTION, Command, Request
from deployment.deployed import Survey
from deployment.layer_settings import layer_module, load_settings
from deployment.writer_on_record import why_not_primary
from shared.contracts import CONTRACTS
from shared.environment import Environment, Kind
from shared.errors import SettingsError
from shared.layers import LAYERS, Layer
from shared.stack_files import load_configuration, secrets_provider_of

DATA = "data"
NETWORK = "network"
SHOWN = 5


class ChecksItsNeeds(Protocol):
    """A layer's optional module ``<layer>_layer/preflight.py``: what must be there before it can be deployed."""

    def check(self, settings: Any) -> None:
        """Look at AWS, read-only, with the credentials the deploy will have.

        Args:
            settings: the layer's own settings, as its ``load`` gives them.

        Raises:
            SettingsError: something is missing or cannot be used.
        """


@dataclass(frozen=True)
class Cleared:
    """A request that may be carried out.

    Attributes:
        environment: whose.
        warnings: what a person should know first.
        impossible: by layer, why it cannot be previewed now.
    """

    environment: Environment
    warnings: tuple[str, ...] = ()
    impossible: Mapping[str, str] = field(default_factory=dict)


def check(request: Request, survey: Survey) -> Cleared:
    """Check everything that can be known beforehand; what needs no credentials comes first.

    Args:
        request: what was asked for.
        survey: what stands of every layer.

    Raises:
        SettingsError: it would fail, or do harm.
    """
    environment = Environment.load(request.stack)
    if request.command.changes_state and environment.kind is Kind.PRODUCTION and not request.production:
        raise SettingsError("stack", request.stack, f"it is production: add {PRODUCTION} to say that you mean it")
    environment.refuse_another(survey[NETWORK].outputs)
    for chosen in request.layers:
        # Read again when its turn comes: here it must be readable.
        secrets_provider_of(chosen.folder / f"Pulumi.{request.stack}.yaml")
    if request.command is Command.DESTROY:
        refuse_destroying(request, survey)
        if survey[DATA].resources and not request.after_failover:
            refuse_moved_writer(environment)
    if not request.command.runs_programs:
        return Cleared(environment)
    loaded, warnings = _load_all(request.layers, request.stack)
    impossible = _impossible(request, survey, {chosen.name for chosen in request.layers} - loaded.keys())
    for chosen in request.layers:
        if chosen.name in loaded and chosen.name not in impossible:
            _check_needs(chosen, loaded[chosen.name])
    if any(chosen.name == DATA for chosen in request.layers):
        warnings = [*_warned_of_moved_writer(request, environment), *warnings]
    return Cleared(environment, tuple(warnings), impossible)


def refuse_destroying(request: Request, survey: Survey) -> None:
    """Nothing, unless a part of what was asked for is protected, or a layer would lose its ground.

    Raises:
        SettingsError: nothing of it can be done.
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


def refuse_moved_writer(environment: Environment) -> None:
    """Nothing, if the primary is the writer.

    Raises:
        SettingsError: it is not, so a destroy would delete the writer without a last snapshot; or nobody can tell.
    """
    snapshot = (
        "take a snapshot of the writer first (aws rds create-db-snapshot), then say "
        f"{AFTER_FAILOVER} to destroy all the same"
    )
    try:
        reason = why_not_primary(environment)
    except SettingsError as error:
        raise SettingsError(error.key, error.value, f"{error.remedy}; or, where nobody can tell, {snapshot}") from error
    if reason is not None:
        raise SettingsError("stack", environment.stack, f"{reason}. Nothing was touched: {snapshot}")


def _warned_of_moved_writer(request: Request, environment: Environment) -> list[str]:
    reason: str | None
    try:
        reason = why_not_primary(environment)
    except SettingsError as error:
        if request.command is not Command.PREVIEW:
            raise
        reason = f"nobody can tell which database is the writer ({error})"
    if reason is None:
        return []
    if request.command is Command.PREVIEW:
        return [f"{reason}: a deploy of the data layer would be refused"]
    others = " ".join(chosen.name for chosen in request.layers if chosen.name != DATA) or "LAYER"
    raise SettingsError(
        "layer",
        DATA,
        f"{reason}, and this layer's program takes the primary for the writer: switch back first (docs/runbook.md); "
        f"the other layers can be deployed: ./dr deploy -- {others} --stack {request.stack}",
    )


def _load_all(layers: Sequence[Layer], stack: str) -> tuple[dict[str, object], list[str]]:
    """The settings of each layer, without those that hold secure values, and what is to be said of these."""
    loaded: dict[str, object] = {}
    unread = []
    for chosen in layers:
        try:
            configuration = load_configuration(chosen.folder, stack)
            if configuration.secure_keys:
                keys = ", ".join(sorted(key.rpartition(":")[2] for key in configuration.secure_keys))
                unread.append(
                    f"{chosen.name}: {keys} is set and secure, so its settings are checked by its program only"
                )
                continue
            loaded[chosen.name] = load_settings(chosen, configuration)
        except SettingsError as error:
            raise SettingsError(f"{chosen.name}: {error.key}", error.value, error.remedy) from error
    return loaded, unread


def _impossible(request: Request, survey: Survey, with_secure_values: Set[str]) -> dict[str, str]:
    """Which of the layers cannot run, because a layer that they read has nothing to be read.

    A preview without a stack has another backend, which cannot read secure values either.

    Raises:
        SettingsError: a deploy would come to such a layer, or a preview has nothing else.
    """
    coming = {chosen.name for chosen in request.layers} if request.command is Command.DEPLOY else set()
    impossible = {}
    for chosen in request.layers:
        missing = [
            name for name in chosen.reads if name not in coming and CONTRACTS[name].missing_from(survey[name].outputs)
        ]
        if missing:
            impossible[chosen.name] = f"it reads {_and(missing)}; {_lacks(missing[0], request.stack, survey)}"
        elif (
            request.command is Command.PREVIEW and chosen.name in with_secure_values and not survey[chosen.name].exists
        ):
            impossible[chosen.name] = "its secure values can be read only where it has a stack, and it has none yet"
    if impossible and (request.command is Command.DEPLOY or len(impossible) == len(request.layers)):
        name, reason = next(iter(impossible.items()))
        raise SettingsError(
            "layer", name, f"{reason}: ./dr deploy -- --stack {request.stack} takes all of them in order"
        )
    return impossible


def _check_needs(chosen: Layer, settings: object) -> None:
    needs: ChecksItsNeeds | None = layer_module(chosen, "preflight")
    if needs is not None:
        needs.check(settings)


def _some(names: Sequence[str]) -> str:
    rest = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {rest} more" if rest > 0 else "")


def _lacks(name: str, stack: str, survey: Survey) -> str:
    outputs = survey[name].outputs
    if not outputs:
        return f"stack {stack} of {name} is not deployed"
    return f"stack {stack} of {name} has no output {CONTRACTS[name].missing_from(outputs)[0]}: deploy {name} again"


def _and(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
