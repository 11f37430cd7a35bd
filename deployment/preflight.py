"""What is checked before a command changes anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from deployment.arguments import PRODUCTION, Command, Request
from deployment.deployed import Survey
from deployment.destroying import refuse_protected, refuse_protected_in_aws
from deployment.judging import NETWORK, judge, look
from deployment.layer_settings import layer_module, load_settings
from deployment.pulumi_cli import Backend
from deployment.situation import Situation
from shared.contracts import CONTRACTS
from shared.environment import Environment, Kind
from shared.errors import SettingsError
from shared.layers import REPOSITORY_ROOT, Layer
from shared.stack_files import load_configuration, secrets_provider_of

KIND_OUTPUT = "environmentKind"


class ChecksItsNeeds(Protocol):
    """A layer's optional module ``<layer>_layer/preflight.py``: what must be there before it can be deployed."""

    def check(self, settings: Any, deployed: Mapping[str, object]) -> tuple[str, ...] | None:
        """Look at AWS, read-only, with the credentials the deploy will have.

        Args:
            settings: the layer's own settings, as its ``load`` gives them.
            deployed: the outputs of the layer's stack, empty where it is not deployed.

        Returns:
            What a person should know first; None where that is nothing.

        Raises:
            SettingsError: something is missing or cannot be used.
        """


@dataclass(frozen=True)
class Cleared:
    """A request that may be carried out.

    Attributes:
        environment: whose.
        situation: who the writer is, and what is under way.
        warnings: what a person should know first.
        impossible: by layer, why it cannot be previewed now.
    """

    environment: Environment
    situation: Situation
    warnings: tuple[str, ...] = ()
    impossible: Mapping[str, str] = field(default_factory=dict)


def check(request: Request, survey: Survey) -> Cleared:
    """Check everything that can be checked beforehand, first what needs no credentials.

    Args:
        request: what was asked for.
        survey: what is deployed of each layer.

    Raises:
        SettingsError: it would fail, or do harm.
    """
    environment = Environment.load(request.stack)
    if request.changes_something and not request.production:
        refuse_unnamed_production(environment, survey)
    environment.refuse_another(survey[NETWORK].outputs)
    if request.command in (Command.DEPLOY, Command.DESTROY):
        refuse_interrupted(request, survey)
    for chosen in request.layers:
        # Read again when its turn comes: here it must be readable.
        secrets_provider_of(chosen.folder / f"Pulumi.{request.stack}.yaml")
    if request.command is Command.DESTROY and request.changes_something:
        refuse_protected(request, survey)
    loaded: dict[str, object] = {}
    unread: list[str] = []
    if request.command.runs_programs:
        loaded, unread = _load_all(request.layers, request.stack)
    situation = look(request, survey, environment)
    warnings = [*judge(request, request.layers, situation, survey, environment), *unread]
    if request.command is Command.DESTROY and request.changes_something:
        refuse_protected_in_aws(request, survey, environment)
    if not request.command.runs_programs:
        return Cleared(environment, situation, tuple(warnings))
    impossible = _impossible(request, survey, {chosen.name for chosen in request.layers} - loaded.keys())
    for chosen in request.layers:
        if chosen.name not in loaded or chosen.name in impossible:
            continue
        try:
            warnings += _check_needs(chosen, loaded[chosen.name], survey[chosen.name].outputs)
        except SettingsError as error:
            # What a layer needs may lie in the dark region. Looking is not refused: the rest is shown.
            if request.command is not Command.PREVIEW or not situation.is_dark:
                raise
            impossible[chosen.name] = str(error)
    return Cleared(environment, situation, tuple(warnings), impossible)


def check_again(request: Request, cleared: Cleared, survey: Survey, chosen: Layer) -> Situation:
    """The situation once more, right before a layer is changed: a failover does not wait for the layers before it.

    Raises:
        SettingsError: it has changed, so that the layer must not be.
    """
    if request.command is Command.DESTROY:
        # Once the tables are destroyed, nothing else is left that says so.
        request = replace(request, writer=request.writer or cleared.situation.writer)
    situation = look(request, survey, cleared.environment)
    judge(request, [chosen], situation, survey, cleared.environment)
    return situation


def refuse_absent(request: Request, survey: Survey, backend: Backend) -> None:
    """Refuse to destroy, refresh or look at a stack that no layer has in this backend.

    Raises:
        SettingsError: it is probably the wrong backend or a wrong name, so "nothing to do" would mislead.
    """
    needs_one = request.command in (Command.DESTROY, Command.REFRESH, Command.DRIFT)
    if needs_one and not any(known.exists for known in survey.values()):
        raise SettingsError(
            "stack",
            request.stack,
            f"no layer has it in the backend {backend.url}: is this the right one? See pulumi whoami --verbose, "
            "PULUMI_BACKEND_URL",
        )


def refuse_interrupted(request: Request, survey: Survey) -> None:
    """Refuse to go on after an operation that was killed while it was creating a resource.

    Raises:
        SettingsError: Pulumi does not know whether the resource exists: a deploy could create it twice, a destroy could
            leave it behind.
    """
    for chosen in request.layers:
        for urn in survey[chosen.name].interrupted:
            refresh = f"pulumi refresh --stack {request.stack}"
            raise SettingsError(
                f"layer {chosen.name}",
                f"(interrupted while making {urn.rpartition('::')[2]})",
                f"look in AWS whether it is there, then, in {chosen.folder.relative_to(REPOSITORY_ROOT)}: if it is, "
                f"{refresh} --import-pending-creates '{urn}' --import-pending-creates ID (of a database, its resource "
                f"id); if it is not, {refresh} --clear-pending-creates. A locked stack wants pulumi cancel first",
            )


def refuse_unnamed_production(environment: Environment, survey: Survey) -> None:
    """Refuse to change production without ``--production``.

    Raises:
        SettingsError: the environment is production, or was deployed as production.
    """
    deployed = survey[NETWORK].outputs.get(KIND_OUTPUT)
    if Kind.PRODUCTION not in (environment.kind, deployed):
        return
    is_production = "it is production" if environment.kind is Kind.PRODUCTION else "it is deployed as production"
    raise SettingsError("stack", environment.stack, f"{is_production}: add {PRODUCTION} to say that you mean it")


def _load_all(layers: Sequence[Layer], stack: str) -> tuple[dict[str, object], list[str]]:
    """The settings of each layer that has no secure values, and a warning for each of the others."""
    loaded: dict[str, object] = {}
    unread = []
    for chosen in layers:
        try:
            configuration = load_configuration(chosen.folder, stack)
            if configuration.secure_keys:
                keys = ", ".join(sorted(key.rpartition(":")[2] for key in configuration.secure_keys))
                unread.append(
                    f"{chosen.name}: {keys} has an encrypted value, so its settings are checked by its program only"
                )
                continue
            loaded[chosen.name] = load_settings(chosen, configuration)
        except SettingsError as error:
            raise SettingsError(f"{chosen.name}: {error.key}", error.value, error.remedy) from error
    return loaded, unread


def _impossible(request: Request, survey: Survey, with_secure_values: Set[str]) -> dict[str, str]:
    """Which of the layers cannot run, because a layer that they read is not deployed.

    A preview without a stack uses another backend, where secure values cannot be decrypted.

    Raises:
        SettingsError: a deploy includes such a layer, or a preview has only such layers.
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


def _check_needs(chosen: Layer, settings: object, deployed: Mapping[str, object]) -> tuple[str, ...]:
    needs: ChecksItsNeeds | None = layer_module(chosen, "preflight")
    return () if needs is None else tuple(needs.check(settings, deployed) or ())


def _lacks(name: str, stack: str, survey: Survey) -> str:
    outputs = survey[name].outputs
    if not outputs:
        return f"stack {stack} of {name} is not deployed"
    return f"stack {stack} of {name} has no output {CONTRACTS[name].missing_from(outputs)[0]}: deploy {name} again"


def _and(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
