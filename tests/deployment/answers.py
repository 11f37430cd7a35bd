"""What the stand-in for the Pulumi CLI prints, in the shapes of the real one (3.274)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def whoami(user: str, url: str) -> dict[str, Any]:
    """``pulumi whoami --json --verbose``."""
    return {"user": user, "url": url}


def listed(name: str, state: Mapping[str, Any]) -> dict[str, Any]:
    """One stack of ``pulumi stack ls --json``."""
    deployment = state["deployment"]
    count = len(deployment.get("resources", ()))
    return {"name": name, "current": False, "lastUpdate": deployment["manifest"]["time"], "resourceCount": count}


def exported(resources: Sequence[Mapping[str, Any]] = (), salt: str = "v1:salt") -> dict[str, Any]:
    """``pulumi stack export``; without resources, the key itself is missing."""
    return {
        "version": 3,
        "deployment": {
            "manifest": {"time": "2026-01-01T00:00:00.000Z", "magic": "0" * 64, "version": "v3.274.1"},
            "secrets_providers": {"type": "passphrase", "state": {"salt": salt}},
            **({"resources": list(resources)} if resources else {}),
            "metadata": {},
        },
    }


def resource(project: str, stack: str, kind: str, name: str, **more: Any) -> dict[str, Any]:
    """One resource of a state. A component has no provider behind it, and neither has the stack itself."""
    return {"urn": f"urn:pulumi:{stack}::{project}::{kind}::{name}", "custom": True, "type": kind, **more}


def stack_resource(project: str, stack: str, outputs: Mapping[str, Any]) -> dict[str, Any]:
    """The stack itself, with its outputs."""
    return resource(project, stack, "pulumi:pulumi:Stack", f"{project}-{stack}", custom=False, outputs=dict(outputs))


def secret(ciphertext: str) -> dict[str, str]:
    """A secret value in a state."""
    return {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": ciphertext}


def event(sequence: int, kind: str, content: Mapping[str, Any]) -> dict[str, Any]:
    """One line of an event log."""
    return {"sequence": sequence, "timestamp": 1767225600, kind: dict(content)}


def planned_event(step: Mapping[str, Any]) -> dict[str, Any]:
    """The line of an event log about one resource: its operation, type, logical name and inputs in the state."""
    urn = f"urn:pulumi:dev::project::{step['type']}::{step['name']}"
    old = {"urn": urn, "type": step["type"], "inputs": step.get("inputs", {})}
    metadata = {"op": step["op"], "urn": urn, "type": step["type"], "old": old, "new": None}
    return event(0, "resourcePreEvent", {"metadata": metadata, "planning": True})


def summary_event(changes: Mapping[str, int], *, is_preview: bool, result: str = "succeeded") -> dict[str, Any]:
    """The line of an event log that sums up; near its end, unless the process was killed."""
    content = {
        "maybeCorrupt": False,
        "durationSeconds": 1,
        "resourceChanges": dict(changes),
        "PolicyPacks": {},
        "isPreview": is_preview,
        "result": result,
    }
    return event(1, "summaryEvent", content)


def event_log(changes: Mapping[str, int], *, is_preview: bool, result: str = "succeeded") -> list[dict[str, Any]]:
    """The lines of a whole event log that matter here."""
    return [
        event(0, "preludeEvent", {"config": {}}),
        summary_event(changes, is_preview=is_preview, result=result),
        event(2, "cancelEvent", {}),
    ]
