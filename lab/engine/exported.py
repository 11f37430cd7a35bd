"""A state in the shape of ``pulumi stack export``."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from pulumi import FileArchive, FileAsset
from pulumi.runtime import rpc

from lab.engine.stack_outputs import ORGANIZATION, StackOutputs
from lab.engine.state import Kept, LayerState

STACK_TYPE = "pulumi:pulumi:Stack"
VERSION = 3
# Pulumi's well-known keys: https://www.pulumi.com/docs/iac/concepts/state-and-backends/
SIGNATURE = rpc._special_sig_key
SECRET = rpc._special_secret_sig
# The lab keeps secrets in its memory alone.
CIPHERTEXT = "the lab shows no secrets"


def exported(state: LayerState, stacks: StackOutputs) -> dict[str, Any]:
    """The state as ``pulumi stack export`` prints it, without components and providers."""
    stack = f"urn:pulumi:{state.stack}::{state.project}::{STACK_TYPE}::{state.project}-{state.stack}"
    resources: list[dict[str, Any]] = []
    if stacks.has(name := f"{ORGANIZATION}/{state.project}/{state.stack}"):
        outputs = stacks.of(name)
        shown = _masked(outputs.values, outputs.secret_names)
        resources.append({"urn": stack, "custom": False, "type": STACK_TYPE, "outputs": shown})
    resources += [_resource(kept) for kept in state.resources]
    manifest = {"time": datetime.now(UTC).isoformat(), "magic": "", "version": "the lab's"}
    content = {"resources": resources} if resources else {}
    return {"version": VERSION, "deployment": {"manifest": manifest, **content, "metadata": {}}}


def _resource(kept: Kept) -> dict[str, Any]:
    of, made = kept.registration, kept.made
    outputs = {**made.inputs, "tagsAll": dict(kept.context.tags), **made.outputs}
    described = {
        "urn": of.urn,
        "custom": True,
        "id": made.id,
        "type": of.type,
        "inputs": _masked(made.inputs, of.secret_inputs),
        "outputs": _masked(outputs, of.secret_inputs | of.secret_outputs),
        "parent": of.parent,
        "dependencies": sorted(of.dependencies),
        "provider": "" if of.provider is None else f"{of.provider.urn}::{of.provider.package}-provider",
    }
    # As Pulumi does, what is false is left out.
    said = {"protect": of.protect, "retainOnDelete": of.retain_on_delete, "delete": kept.replaced}
    return described | {key: value for key, value in said.items() if value}


def _masked(values: Mapping[str, Any], secret: frozenset[str]) -> dict[str, Any]:
    hidden = {SIGNATURE: SECRET, "ciphertext": CIPHERTEXT}
    return {key: hidden if key in secret else _shown(value) for key, value in values.items()}


def _shown(value: Any) -> Any:
    if isinstance(value, FileArchive | FileAsset):
        archive = isinstance(value, FileArchive)
        return {
            SIGNATURE: rpc._special_archive_sig if archive else rpc._special_asset_sig,
            "path": str(value.path),
        }
    if isinstance(value, Mapping):
        return {key: _shown(item) for key, item in value.items()}
    return [_shown(item) for item in value] if isinstance(value, list) else value
