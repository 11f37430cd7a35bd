"""The tests' side of the stand-in for the Pulumi CLI: what it was asked, and the knobs of what it answers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared.environment import Environment
from shared.layers import LAYERS, layer
from tests.deployment.answers import exported, resource, stack_resource
from tests.deployment.backends import Backend
from tests.deployment.standing import contract_outputs

OPERATIONS = ("up", "preview", "destroy", "refresh")
# What `deployment.pulumi_cli` adds to an operation for itself.
ADDED = ("--event-log", "--config-file")
SALT = "v1:person"
NAMES = {known.project: known.name for known in LAYERS}


@dataclass(frozen=True)
class Call:
    """One call of the CLI.

    Attributes:
        layer: whose project it was made in; None outside of all.
        arguments: what it was given.
        backend: the backend's URL.
        folder: where it was made.
        configuration: what the file held that --config-file named; None where there was none.
    """

    layer: str | None
    arguments: tuple[str, ...]
    backend: str
    folder: Path
    configuration: str | None

    @property
    def plain(self) -> list[str]:
        """The arguments without those that are added for ourselves."""
        added = {index + step for index, word in enumerate(self.arguments) if word in ADDED for step in (0, 1)}
        return [word for index, word in enumerate(self.arguments) if index not in added]

    @property
    def only_looks(self) -> bool:
        """Whether everything is afterwards as it was, in AWS and in the backend."""
        verb = self.arguments[0]
        if verb == "stack":
            return self.arguments[1] in ("ls", "export")
        return verb in ("whoami", "preview") or "--preview-only" in self.arguments


class StandIn:
    """The CLI that a test has on its path."""

    def __init__(self, home: Path, url: str) -> None:
        self.home = home
        self.url = url
        self._orders: dict[str, Any] = {
            "user": "somebody",
            "organization": None,
            "failures": [],
            "drifted": [],
            "plans": {},
            "programs": {
                known.project: {
                    "outputs": {},
                    "made": [{"type": "aws:some/thing:Thing", "name": f"thing-of-{known.name}"}],
                    "reads": [layer(below).project for below in known.reads],
                }
                for known in LAYERS
            },
        }
        self._write_orders()

    @property
    def calls(self) -> list[Call]:
        """Every call so far."""
        file = self.home / "calls"
        lines = map(json.loads, file.read_text().splitlines() if file.exists() else [])
        return [
            Call(
                NAMES.get(line["project"]),
                tuple(line["arguments"]),
                line["backend"],
                Path(line["folder"]),
                line["configuration"],
            )
            for line in lines
        ]

    @property
    def operations(self) -> list[Call]:
        """The calls that ran a program, or something on all of a stack, in whichever backend."""
        return [call for call in self.calls if call.arguments[0] in OPERATIONS]

    @property
    def in_order(self) -> list[tuple[str | None, list[str]]]:
        """Layer and plain arguments of each operation."""
        return [(call.layer, call.plain) for call in self.operations]

    @property
    def touched(self) -> list[Call]:
        """The calls after which something is different in the person's own backend, or in AWS."""
        return [call for call in self.calls if call.backend == self.url and not call.only_looks]

    def stacks(self, name: str, backend: str | None = None) -> list[str]:
        """Names of a layer's stacks, in the person's backend or another."""
        return sorted(Backend(self.home, backend or self.url).stacks(layer(name).project))

    def resources(self, name: str, stack: str = "dev", backend: str | None = None) -> list[Mapping[str, Any]]:
        """What a stack's state holds, in the person's backend or another."""
        state = Backend(self.home, backend or self.url).read(layer(name).project, stack)
        return list(state["deployment"].get("resources", ()))

    def fails(self, name: str, command: str, *, exit_code: int = 255, when: str = "at once") -> None:
        """From now on, this command fails in this layer.

        Args:
            name: the layer.
            command: such as ``up`` or ``stack init``.
            exit_code: what it ends with.
            when: at once; after an operation (from the layer's first ``up``, ``destroy`` or ``refresh`` on); for these
                themselves also after the preview, and half-way.
        """
        project = layer(name).project
        self._orders["failures"].append({"project": project, "command": command, "exit_code": exit_code, "when": when})
        self._write_orders()

    def recovers(self) -> None:
        """Nothing fails any more."""
        self._order(failures=[])

    def lists_stacks_with(self, organization: str) -> None:
        """The stacks are another organization's than the person's default one."""
        self._order(organization=organization)

    def is_not_logged_in(self) -> None:
        """The CLI knows no backend to ask."""
        self._orders["failures"].append({"project": "", "command": "whoami", "exit_code": 1, "when": "at once"})
        self._write_orders()

    def drifts(self, *names: str) -> None:
        """AWS has something else than these layers' states say."""
        self._order(drifted=[layer(name).project for name in names])

    def plans(self, name: str, op: str, kind: str, logical_name: str, **inputs: object) -> None:
        """From now on, an operation on this layer does this to a resource."""
        step = {"op": op, "type": kind, "name": logical_name, "inputs": inputs}
        self._orders["plans"].setdefault(layer(name).project, []).append(step)
        self._write_orders()

    def program_gives(self, name: str, outputs: Mapping[str, object]) -> None:
        """What the layer's program has for outputs."""
        self._orders["programs"][layer(name).project]["outputs"] = dict(outputs)
        self._write_orders()

    def programs_fulfil_their_contracts(self, environment: Environment) -> None:
        """Each layer's program offers what the layers above read."""
        for known in LAYERS:
            self.program_gives(known.name, contract_outputs(known.name, environment))

    def has(
        self,
        name: str,
        outputs: Mapping[str, object],
        resources: Sequence[Mapping[str, Any]] | None = None,
        stack: str = "dev",
    ) -> None:
        """There is a stack of that layer, with these outputs and resources; by default the one its program makes."""
        project = layer(name).project
        thing = resource(project, stack, "aws:some/thing:Thing", f"thing-of-{name}")
        made = [thing] if resources is None else list(resources)
        state = exported([stack_resource(project, stack, outputs), *made], SALT)
        Backend(self.home, self.url).write(project, stack, state)

    def has_all_of(self, environment: Environment, *names: str) -> None:
        """These layers are deployed in that environment, all four by default."""
        for name in names or [known.name for known in LAYERS]:
            self.has(name, contract_outputs(name, environment), stack=environment.stack)

    def has_empty(self, name: str, stack: str = "dev") -> None:
        """There is a stack of that layer with nothing in it, as a destroy leaves it."""
        Backend(self.home, self.url).write(layer(name).project, stack, exported(salt=SALT))

    def _order(self, **orders: object) -> None:
        self._orders.update(orders)
        self._write_orders()

    def _write_orders(self) -> None:
        (self.home / "orders.json").write_text(json.dumps(self._orders))
