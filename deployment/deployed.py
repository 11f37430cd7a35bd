"""What is deployed of each layer, by its stack's state."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from deployment.pulumi_cli import PulumiCli
from shared.layers import LAYERS, Layer

STACK_TYPE = "pulumi:pulumi:Stack"
INSTANCE = "aws:rds/instance:Instance"
# How Pulumi marks an encrypted value in a state.
SECRET_MARK = "4dabf18193072939515e22adb298388d"  # noqa: S105 - no password: a well-known key
MASKED = "[secret]"


@dataclass(frozen=True)
class Deployed:
    """One layer's stack.

    Attributes:
        exists: whether there is a stack at all.
        outputs: its outputs, secret ones masked.
        resources: names of the resources that exist in the cloud, with their types.
        protected: those of them that Pulumi or AWS refuses to delete, with the reason.
        without_final_snapshot: databases that would be deleted without a last snapshot, by their identifiers.
        interrupted: URNs of what an operation was creating when it was killed: Pulumi does not know whether it exists.
    """

    exists: bool = False
    outputs: Mapping[str, object] = field(default_factory=dict)
    resources: tuple[str, ...] = ()
    protected: tuple[str, ...] = ()
    without_final_snapshot: tuple[str, ...] = ()
    interrupted: tuple[str, ...] = ()

    @classmethod
    def of(cls, exported: Mapping[str, Any]) -> Deployed:
        """The stack of this ``pulumi stack export``."""
        deployment = exported.get("deployment") or {}
        recorded = deployment.get("resources") or []
        outputs: dict[str, object] = {}
        for each in recorded:
            if each["type"] == STACK_TYPE:
                outputs = {key: _shown(value) for key, value in (each.get("outputs") or {}).items()}
        standing = [each for each in recorded if each.get("custom") and not each["type"].startswith("pulumi:")]
        return cls(
            exists=True,
            outputs=outputs,
            resources=tuple(_name(each) for each in standing),
            protected=tuple(f"{_name(each)} ({reason})" for each in standing if (reason := _protection(each))),
            without_final_snapshot=tuple(
                str(each["inputs"].get("identifier")) for each in standing if _lacks_final_snapshot(each)
            ),
            interrupted=tuple(
                each["resource"]["urn"]
                for each in deployment.get("pending_operations") or []
                if each.get("type") == "creating"
            ),
        )


Survey = Mapping[str, Deployed]
"""What is deployed of each layer, by the layer's name."""


def survey(cli: PulumiCli, stack: str) -> Survey:
    """Look at all layers' stacks of that name.

    Raises:
        PulumiFailed: a call failed.
    """

    with ThreadPoolExecutor(len(LAYERS)) as pool:
        looks = pool.map(lambda known: look(cli, known, stack), LAYERS)
        return dict(zip((known.name for known in LAYERS), looks, strict=True))


def look(cli: PulumiCli, known: Layer, stack: str) -> Deployed:
    """What is deployed of one layer.

    Raises:
        PulumiFailed: a call failed.
    """
    return Deployed.of(cli.export(known, stack)) if cli.has_stack(known, stack) else Deployed()


def _name(resource: Mapping[str, Any]) -> str:
    return f"{resource['type'].rpartition(':')[2]} {resource['urn'].rpartition('::')[2]}"


def _protection(resource: Mapping[str, Any]) -> str | None:
    if resource.get("protect"):
        return "protected by Pulumi"
    known = resource.get("outputs") or resource.get("inputs") or {}
    # deletionProtection of a database, deletionProtectionEnabled of a table, and similar properties.
    if any("deletionprotection" in key.lower() and value is True for key, value in known.items()):
        return "deletion protection in AWS"
    return None


def _lacks_final_snapshot(resource: Mapping[str, Any]) -> bool:
    inputs = resource.get("inputs") or {}
    # Also of a replica: it may have been promoted since. RDS takes none of one that still is.
    return resource["type"] == INSTANCE and inputs.get("skipFinalSnapshot") is True


def _shown(value: object) -> object:
    if isinstance(value, dict):
        return MASKED if SECRET_MARK in value else {key: _shown(part) for key, part in value.items()}
    return [_shown(part) for part in value] if isinstance(value, list) else value
