"""Doing one command with several layers in order, and saying how far it got."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from deployment import flat_outputs
from deployment.arguments import Command, Request
from deployment.pulumi_cli import PulumiCli, PulumiFailed
from shared.errors import SettingsError
from shared.layers import LAYERS, Layer

PULUMI_COMMANDS = {Command.DEPLOY: "up", Command.PREVIEW: "preview", Command.DESTROY: "destroy"}

Say = Callable[[str], None]


class Stopped(Exception):  # noqa: N818 - it says what happened
    """A layer failed, and the ones after it were not touched. The message says what is done and how to go on."""

    def __init__(self, request: Request, failure: PulumiFailed, done: Sequence[Layer]) -> None:
        remaining = [chosen for chosen in request.layers if chosen not in done]
        super().__init__(
            f"{request.command} stopped at {failure.layer.name}: {failure.call} ended with exit code "
            f"{failure.exit_code}\n"
            f"  done:      {_names(done)}\n"
            f"  not done:  {_names(remaining)}\n"
            f"  go on with: {request.to_go_on(remaining)}"
        )


def carry_out(request: Request, cli: PulumiCli, say: Say, outputs_file: Path) -> None:
    """Do what was asked, layer by layer, stopping at the first failure.

    Args:
        request: what was asked.
        cli: the Pulumi CLI.
        say: prints one line of progress.
        outputs_file: where the flat outputs go.

    Raises:
        Stopped: a layer failed.
        SettingsError: the outputs of two layers collide, or a layer named for its outputs has no such stack.
    """
    if request.command is Command.OUTPUTS:
        _write_outputs(request, cli, say, outputs_file)
        return
    done: list[Layer] = []
    for chosen in request.layers:
        say(f"{request.command} {len(done) + 1}/{len(request.layers)}: {chosen.name} (stack {request.stack})")
        try:
            _one_layer(request, chosen, cli, say)
        except PulumiFailed as failure:
            raise Stopped(request, failure, done) from failure
        done.append(chosen)
    if request.command is not Command.PREVIEW:
        _refresh_outputs(request, cli, say, outputs_file)


def _one_layer(request: Request, chosen: Layer, cli: PulumiCli, say: Say) -> None:
    if request.command is Command.DESTROY:
        # A deploy that stopped half-way leaves the upper layers without a stack: nothing to destroy there.
        if not cli.has_stack(chosen, request.stack):
            say(f"{chosen.name}: no stack {request.stack}, nothing to destroy")
            return
    else:
        cli.select_or_create(chosen, request.stack)
    options = ["--yes"] if request.yes and request.command is not Command.PREVIEW else []
    cli.run(chosen, PULUMI_COMMANDS[request.command], request.stack, [*options, *request.handed_on])


def _refresh_outputs(request: Request, cli: PulumiCli, say: Say, outputs_file: Path) -> None:
    """Write the outputs of every layer that is there, also of those this request did not touch."""
    flat = flat_outputs.merged(
        {known.name: cli.outputs(known, request.stack) for known in LAYERS if cli.has_stack(known, request.stack)}
    )
    if flat:
        flat_outputs.write(flat, outputs_file)
        say(f"outputs of stack {request.stack}: {outputs_file}")
    else:
        outputs_file.unlink(missing_ok=True)


def _write_outputs(request: Request, cli: PulumiCli, say: Say, outputs_file: Path) -> None:
    outputs = {}
    for chosen in request.layers:
        if cli.has_stack(chosen, request.stack):
            outputs[chosen.name] = cli.outputs(chosen, request.stack)
        else:
            say(f"{chosen.name}: no stack {request.stack}, no outputs")
    if not outputs:
        raise SettingsError(
            "stack", request.stack, f"nothing is deployed there; ./dr deploy -- --stack {request.stack} comes first"
        )
    flat_outputs.write(flat_outputs.merged(outputs), outputs_file)
    say(f"outputs of stack {request.stack}: {outputs_file}")


def _names(layers: Sequence[Layer]) -> str:
    return ", ".join(known.name for known in layers) or "none"
