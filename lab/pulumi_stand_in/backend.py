"""What the stand-in's commands do in the lab."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from lab.engine import Counts, Done, LabEngine, LayerState, Outputs
from lab.pulumi_stand_in import CHANGES, FAILED, NO_SUCH_STACK
from lab.pulumi_stand_in.call import OPERATIONS, Call, EndedError
from lab.settings import LAB_STACK
from shared.layers import LAYERS, Layer

Send = Callable[[dict[str, Any]], None]
Overrides = Callable[[Layer], Mapping[str, object]]
"""What a lab's settings say instead of the files of a layer."""

_SIGNS = {"create": "+", "update": "~", "replace": "+-", "delete": "-"}


class Backend:
    """The stacks of one lab.

    Args:
        engine: the lab's.
        overrides: what the lab's settings override.
        changed: is called after what may have changed a layer's outputs.
        url: what the lab is known by.
    """

    def __init__(self, engine: LabEngine, overrides: Overrides, changed: Callable[[], None], url: str) -> None:
        self._engine = engine
        self._overrides = overrides
        self._changed = changed
        self._url = url
        # Of previews of layers without a stack: nothing is made there, only outputs are known.
        self._aside: dict[str, LabEngine] = {}

    def answer(self, call: Call, send: Send) -> None:
        """Carry out a call.

        Args:
            call: what was asked for.
            send: takes what is to be printed or logged, in the words of `lab.pulumi_stand_in.__main__`.

        Raises:
            EndedError: it failed, or was refused.
            Exception: what a program or the engine raised.
        """
        if call.command == "whoami":
            send({"answer": {"user": "somebody who uses its stand-in for Pulumi", "url": self._url}})
            return
        layer = next((each for each in LAYERS if each.project == call.project), None)
        if layer is None:
            raise EndedError(FAILED, f"project {call.project or '(none)'}: run it in the folder of a layer of the lab")
        engine = self._engine if call.backend is None else self._aside.setdefault(call.backend, self._engine.empty())
        if call.command == "stack ls":
            send({"answer": [_listed(engine, layer)] if layer.name in engine.states else []})
            return
        if call.stack != LAB_STACK:
            raise EndedError(FAILED, f"stack {call.stack}: the lab's stand-in for Pulumi knows stack {LAB_STACK} alone")
        if call.command == "stack init":
            _init(engine, layer)
        elif layer.name not in engine.states:
            raise EndedError(NO_SUCH_STACK, f"no stack named '{call.stack}' found")
        elif call.command == "stack export":
            send({"answer": engine.exported(layer.name)})
        elif call.command == "stack import":
            _import(engine, layer, call)
        elif call.command == "stack rm":
            _remove(engine, layer)
        elif call.command.startswith("state "):
            if "--all" not in call.options:
                raise EndedError(FAILED, f"{call.command}: the lab's stand-in for Pulumi knows --all alone")
            engine.states[layer.name].protect(protected=call.command == "state protect")
        elif call.command in OPERATIONS:
            self._operate(engine, layer, call, send)

    def _operate(self, engine: LabEngine, layer: Layer, call: Call, send: Send) -> None:
        if "--policy-pack" in call.options:
            send({"said": "warning: the lab's stand-in for Pulumi runs no policy pack"})
        only_shown = call.command == "preview" or "--preview-only" in call.options or engine.dry_run
        with _files(layer, call) as files:

            def operation(on: LabEngine) -> Counts:
                return self._carried_out(on, layer, call, files, lambda done: send({"said": _line(done)}))

            for on in [engine.rehearsal()] * ("--skip-preview" not in call.options) + [engine] * (not only_shown):
                what = "preview" if on is not engine else call.command
                send({"said": f"{what} of {call.project} in the lab, by its stand-in for Pulumi"})
                try:
                    counts = operation(on)
                finally:
                    if on is self._engine:
                        self._changed()
                send({"event": _summary(counts, is_preview=on is not engine)})
                if "--expect-no-changes" in call.options and counts.total() - counts["same"]:
                    raise EndedError(CHANGES, f"no changes were expected for {call.command} but changes were proposed")

    def _carried_out(
        self, engine: LabEngine, layer: Layer, call: Call, files: Path, told: Callable[[Done], None]
    ) -> Counts:
        if call.command == "refresh":
            return engine.refresh(layer.name, told=told)
        if "--refresh" in call.options:
            engine.refresh(layer.name, told=told)
        if call.command == "destroy":
            return engine.destroy(layer.name, told=told)
        return engine.apply(layer, LAB_STACK, self._overrides(layer), files=files, told=told)


@contextmanager
def _files(layer: Layer, call: Call) -> Iterator[Path]:
    """A folder with the project's file and the stack's file that the call was given."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copy(layer.folder / "Pulumi.yaml", folder)
        if call.configuration is not None:
            (folder / f"Pulumi.{LAB_STACK}.yaml").write_text(call.configuration, encoding="utf-8")
        yield folder


def _init(engine: LabEngine, layer: Layer) -> None:
    if layer.name in engine.states:
        raise EndedError(FAILED, f"stack 'organization/{layer.project}/{LAB_STACK}' already exists")
    engine.states[layer.name] = LayerState(layer.project, LAB_STACK)


def _import(engine: LabEngine, layer: Layer, call: Call) -> None:
    if not engine.dry_run:
        raise EndedError(FAILED, "the lab's stand-in for Pulumi takes no state: what stands in a lab is what it made")
    resources = json.loads(call.content or "{}")["deployment"].get("resources", [])
    outputs: dict[str, Any] = next((each["outputs"] for each in resources if each.get("outputs")), {})
    engine.stacks.publish(layer.project, LAB_STACK, Outputs(outputs))


def _remove(engine: LabEngine, layer: Layer) -> None:
    if engine.states[layer.name].resources:
        raise EndedError(FAILED, f"'{LAB_STACK}' still has resources; removal rejected")
    del engine.states[layer.name]


def _listed(engine: LabEngine, layer: Layer) -> dict[str, Any]:
    return {"name": LAB_STACK, "current": False, "resourceCount": len(engine.states[layer.name].resources)}


def _line(done: Done) -> str:
    return f"  {_SIGNS[done.kind]:<2} {done.text}"


def _summary(counts: Counts, *, is_preview: bool) -> dict[str, Any]:
    """The line of an event log that `deployment.engine_events` reads."""
    changes = {str(kind): count for kind, count in counts.items()}
    return {"summaryEvent": {"resourceChanges": changes, "isPreview": is_preview}}
