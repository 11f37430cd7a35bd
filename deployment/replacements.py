"""What must not be made anew or deleted by a deploy, by what a preview of it says.

A new health check starts healthy, and sends the writer's name to its first record; a replaced database is another,
empty one; a replaced state table has forgotten who the writer is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from deployment.engine_events import PlannedStep
from deployment.situation import Situation
from shared.environment import Environment
from shared.errors import SettingsError
from shared.naming import STATE_TABLE
from shared.sites import Site

INSTANCE = "aws:rds/instance:Instance"
HEALTH_CHECK = "aws:route53/healthCheck:HealthCheck"
TABLE = "aws:dynamodb/table:Table"
REPLACES = frozenset(
    {"replace", "create-replacement", "import-replacement", "delete-replaced", "replaced", "discard-replaced"}
)
DELETES = frozenset({"delete"})
NO_INSTANCE = "none"


@dataclass(frozen=True)
class Guarded:
    """A kind of resource.

    Attributes:
        kind: its type.
        what: what it is, for people.
        why: what comes of making it anew.
        is_ours: whether a name or identifier is meant.
        remedy: what to do instead.
    """

    kind: str
    what: str
    why: str
    is_ours: Callable[[str], bool]
    remedy: str


def refuse_losses(
    layer: str,
    steps: Sequence[PlannedStep],
    environment: Environment,
    situation: Situation,
    retiring: Site | None,
    deployed: Mapping[str, object],
) -> None:
    """Refuse a deploy that would lose what must keep its identity.

    Args:
        layer: which layer it is of.
        steps: what its preview plans.
        environment: whose.
        situation: who the writer is.
        retiring: the site whose database is to go, by the configuration; None for none.
        deployed: the layer's outputs so far.

    Raises:
        SettingsError: nothing was changed; the text says what would be lost.
    """
    for site in Site:
        for step in steps:
            if _is_made_again(step, environment.database_id(site), deployed.get(f"{site}DatabaseBirth")):
                raise SettingsError(
                    f"layer {layer}",
                    f"(database {step.called} would be made again)",
                    "it was deployed and somebody has deleted it; another one, without its data, would come under its "
                    "name, and nothing was changed: ./dr status, then ./dr reprotect for a replica of the writer, or "
                    "./dr restore",
                )
    for guarded in _guarded(environment):
        for step in steps:
            if (
                step.kind != guarded.kind
                or step.operation not in REPLACES | DELETES
                or not guarded.is_ours(step.called)
            ):
                continue
            if step.operation in DELETES and _may_go(step, environment, situation, retiring):
                continue
            how = "deleted" if step.operation in DELETES else "made anew"
            raise SettingsError(
                f"layer {layer}",
                f"({guarded.what} {step.called} would be {how})",
                f"{guarded.why}, and nothing was changed: {guarded.remedy}",
            )


def deletes_instance(step: PlannedStep) -> bool:
    """Whether a step deletes a database."""
    return step.kind == INSTANCE and step.operation in DELETES


def _is_made_again(step: PlannedStep, name: str, birth: object) -> bool:
    """Whether it makes an instance that the last deploy had. A replica is made of the writer as it is now."""
    made = step.kind == INSTANCE and step.operation == "create" and step.called == name and not step.replicates
    return made and birth not in (None, NO_INSTANCE)


def _may_go(step: PlannedStep, environment: Environment, situation: Situation, retiring: Site | None) -> bool:
    if step.kind == INSTANCE:
        return (
            retiring is not None
            and retiring is not situation.writer
            and step.called == environment.database_id(retiring)
        )
    # A check that the program no longer declares: while the primary is the writer, nothing is wrong with its successor.
    return step.kind == HEALTH_CHECK and situation.writer is Site.PRIMARY


def _guarded(environment: Environment) -> Sequence[Guarded]:
    tables = {environment.names.of(STATE_TABLE, site) for site in Site}
    return (
        Guarded(
            INSTANCE,
            "database",
            "its successor would be another database under its name",
            # Also one that the configuration no longer names: with another identifier an adopted one is replaced.
            lambda name: True,
            "put back the setting that needs another one; an old writer or a broken standby goes by ./dr reprotect",
        ),
        Guarded(
            HEALTH_CHECK,
            "health check",
            "a new one starts healthy, and sends the writer's name to the primary site's database",
            lambda name: True,
            "put back what of it cannot be changed in place (its type, its logical name)",
        ),
        Guarded(
            TABLE,
            "state table",
            "a new one has forgotten who the writer is",
            tables.__contains__,
            "put back what of it cannot be changed in place (its name, its keys)",
        ),
    )
