"""The settings of a lab."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from lab.aws import port_from_environment
from shared import environment
from shared.errors import SettingsError
from shared.layers import LAYERS, Layer
from shared.stack_files import load_configuration

LAB_STACK = "lab"


@dataclass(frozen=True)
class LabSettings:
    """Settings of one lab.

    Attributes:
        port: the gateway's port; see `lab.aws.LabAws`.
        configuration: overrides ``Pulumi.lab.yaml`` and ``environments/lab.yaml``, by layer name and key. Settings that
            all layers share are in each of them.
        dns_port: the port on which names are resolved; 0 is any free one.
    """

    port: int | None
    configuration: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    dns_port: int = 0

    @classmethod
    def from_environment(
        cls, *, port: int | None = None, assignments: tuple[str, ...] = (), dns_port: int = 0
    ) -> LabSettings:
        """Read ``LAB_PORT`` (unless a port is given) and ``key=value`` assignments.

        Raises:
            SettingsError: the port or an assignment cannot be used.
        """
        return cls(
            port=port_from_environment() if port is None else port,
            configuration=assigned(assignments),
            dns_port=dns_port,
        )


def assigned(assignments: tuple[str, ...]) -> Mapping[str, Mapping[str, object]]:
    """Assignments (``databasePort=15433``) by the layers whose schema has the key.

    Raises:
        SettingsError: one is no assignment, or no layer has the key.
    """
    by_layer: dict[str, dict[str, object]] = {}
    for assignment in assignments:
        key, equals, value = assignment.partition("=")
        if not equals or not key:
            raise SettingsError("--config", assignment, "write it as key=value, such as databasePort=15433")
        owners = [layer for layer in LAYERS if key in _keys(layer)]
        if not owners:
            raise SettingsError("--config", assignment, f"no layer has a setting {key}; see projects/*/README.md")
        for layer in owners:
            by_layer.setdefault(layer.name, {})[key] = value
    return by_layer


def _keys(layer: Layer) -> frozenset[str]:
    names = load_configuration(layer.folder, LAB_STACK, None).values
    return frozenset(name.rpartition(":")[2] for name in names) | frozenset(environment.KEYS)
