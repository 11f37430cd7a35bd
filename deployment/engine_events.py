"""What an operation did, from the events that Pulumi's engine logs (``--event-log``): JSON objects, a line each."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

UNCHANGED = "same"
# What the engine does to its own bookkeeping, such as a reference to another stack.
NO_CHANGE = (UNCHANGED, "discard", "read")


@dataclass(frozen=True)
class PlannedStep:
    """What an operation does to one resource.

    Attributes:
        operation: in Pulumi's word: create, update, replace, delete and so on.
        kind: the resource's type.
        called: its identifier or name in the cloud, as the state has it; otherwise its logical name.
        replicates: it is a database that follows another one.
    """

    operation: str
    kind: str
    called: str
    replicates: bool = False


@dataclass(frozen=True)
class Summary:
    """The end of an operation.

    Attributes:
        changes: how many resources each kind of step was about, as Pulumi names them: create, update, replace, delete,
            same and so on.
        is_preview: nothing was changed: it was a preview.
        steps: what is done to which resource, but for what stays the same.
    """

    changes: Mapping[str, int] = field(default_factory=dict)
    is_preview: bool = False
    steps: tuple[PlannedStep, ...] = ()

    def text(self) -> str:
        """The changes in a few words."""
        changed = {kind: count for kind, count in self.changes.items() if kind not in NO_CHANGE and count}
        words = [
            f"{count} to {kind}" if self.is_preview else f"{count} {_past(kind)}" for kind, count in changed.items()
        ]
        unchanged = self.changes.get(UNCHANGED, 0)
        return ", ".join([*(words or ["0 changes"]), *([f"{unchanged} unchanged"] if unchanged else [])])


def read_summary(log: Path) -> Summary:
    """The last summary in a log; an empty one where the operation did not come that far."""
    last = Summary()
    steps: list[PlannedStep] = []
    if not log.exists():
        return last
    for line in log.read_bytes().splitlines():
        try:
            event = json.loads(line)
        except ValueError:
            # The last line of a process that was killed.
            continue
        planned = event.get("resourcePreEvent", {}).get("metadata")
        if planned is not None and planned.get("op") not in NO_CHANGE:
            steps.append(_step(planned))
        summary = event.get("summaryEvent")
        if summary is not None:
            last = Summary(
                changes=summary.get("resourceChanges") or {},
                is_preview=bool(summary.get("isPreview")),
            )
    return replace(last, steps=tuple(steps))


def _step(planned: Mapping[str, Any]) -> PlannedStep:
    inputs: Mapping[str, Any] = {}
    for side in ("old", "new"):
        inputs = inputs or (planned.get(side) or {}).get("inputs") or {}
    called = inputs.get("identifier") or inputs.get("name") or str(planned["urn"]).rpartition("::")[2]
    return PlannedStep(str(planned["op"]), str(planned["type"]), str(called), bool(inputs.get("replicateSourceDb")))


def _past(kind: str) -> str:
    return f"{kind}d" if kind.endswith("e") else f"{kind}ed"
