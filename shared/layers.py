"""The registry of layers: their order, folders, owners and dependencies.

The noxfile, the CODEOWNERS check, stack references and the lab all read it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from shared.errors import SettingsError

REPOSITORY_ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Layer:
    """One Pulumi project.

    Attributes:
        name: the layer's word, as in ``nox -s deploy -- <name>`` and in resource names.
        project: the Pulumi project's name, as in its ``Pulumi.yaml``.
        owner: the team that owns it, as in CODEOWNERS.
        reads: names of the layers whose contracts it reads; all of them lie below it.
        purpose: what it holds, in a few words.
    """

    name: str
    project: str
    owner: str
    reads: tuple[str, ...]
    purpose: str

    @property
    def folder(self) -> Path:
        """The project's folder."""
        return REPOSITORY_ROOT / "projects" / self.name


LAYERS: tuple[Layer, ...] = (
    Layer(
        name="network",
        project="postgres-dr-network",
        owner="@example/network-team",
        reads=(),
        purpose="VPCs, subnets, peering, security groups, KMS keys",
    ),
    Layer(
        name="data",
        project="postgres-dr-data",
        owner="@example/database-team",
        reads=("network",),
        purpose="a database in each site, backup buckets with replication",
    ),
    Layer(
        name="dr-automation",
        project="postgres-dr-automation",
        owner="@example/reliability-team",
        reads=("network", "data"),
        purpose="probes, failover, topics, state, names and health checks",
    ),
    Layer(
        name="observability",
        project="postgres-dr-observability",
        owner="@example/observability-team",
        reads=("network", "data", "dr-automation"),
        purpose="alarms for people, dashboard",
    ),
)
"""All layers, lowest first: the order of deployment. Destruction goes the other way."""


def layer(name: str) -> Layer:
    """The layer of that name.

    Raises:
        SettingsError: there is none.
    """
    for candidate in LAYERS:
        if candidate.name == name:
            return candidate
    raise SettingsError("layer", name, f"name one of: {', '.join(known.name for known in LAYERS)}")
