"""Doing one command with several layers in order, and saying how far it got."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from deployment import flat_outputs
from deployment.arguments import Command, Request
from deployment.deployed import Deployed, Survey, look
from deployment.preflight import Cleared
from deployment.pulumi_cli import PulumiCli, PulumiFailed
from deployment.without_a_stack import throwaway_backend
from shared.errors import SettingsError
from shared.layers import Layer
from shared.stack_files import secrets_provider_of

VERBS = {
    Command.DEPLOY: ("up",),
    Command.PREVIEW: ("preview",),
    Command.DESTROY: ("destroy",),
    Command.REFRESH: ("refresh",),
    # Without --preview-only the state is written before the difference is noticed.
    Command.DRIFT: ("refresh", "--preview-only", "--expect-no-changes"),
}
# https://www.pulumi.com/docs/iac/cli/: what --expect-no-changes ends with.
NO_CHANGES_EXPECTED = 7

Say = Callable[[str], None]


class Stopped(Exception):  # noqa: N818 - it says what happened
    """A layer failed, and the ones after it were not touched. The message says what is done and how to go on.

    Attributes:
        declined: it did not fail: the person said no.
    """

    def __init__(self, request: Request, done: Sequence[Layer], stopped_at: Layer, reason: Exception) -> None:
        self.declined = isinstance(reason, PulumiFailed) and reason.declined
        told = f"{reason.call} ended with exit code {reason.exit_code}" if isinstance(reason, PulumiFailed) else reason
        remaining = [chosen for chosen in request.layers if chosen not in done]
        what = f"you said no, and nothing of {stopped_at.name} was changed" if self.declined else told
        super().__init__(
            f"{request.command} stopped at {stopped_at.name}: {what}\n"
            f"  done:      {_names(done)}\n"
            f"  not done:  {_names(remaining)}\n"
            f"  go on with: {request.to_go_on(remaining)}"
        )


class Drifted(Exception):  # noqa: N818 - it says what happened
    """Reality is not what the states say."""


def carry_out(
    request: Request, cleared: Cleared, standing: Survey, cli: PulumiCli, say: Say, outputs_file: Path
) -> None:
    """Do what was asked, layer by layer, stopping at the first failure.

    Args:
        request: what was asked.
        cleared: what its checks found.
        standing: what stands of every layer.
        cli: the Pulumi CLI.
        say: prints one line of progress.
        outputs_file: where the flat outputs go.

    Raises:
        Stopped: a layer failed, or the person said no.
        Drifted: reality differs, which is no failure: all layers were looked at.
        SettingsError: the outputs of two layers collide, or there are none.
    """
    if request.command is Command.OUTPUTS:
        _write_outputs(request, standing, say, outputs_file)
        return
    now = dict(standing)
    lines: list[str] = []
    done: list[Layer] = []
    drifted: list[str] = []
    for number, chosen in enumerate(request.layers, start=1):
        say(f"{request.command} {number}/{len(request.layers)}: {chosen.name} (stack {request.stack})")
        started = time.monotonic()
        try:
            told = _one_layer(request, chosen, cleared, standing, cli)
            _keep_outputs(request, chosen, now, cli, outputs_file)
        except PulumiFailed as failure:
            if request.command is not Command.DRIFT or failure.exit_code != NO_CHANGES_EXPECTED:
                # What it did before it failed can be seen already; whether that works is not what a person must hear.
                with suppress(PulumiFailed, SettingsError):
                    _keep_outputs(request, chosen, now, cli, outputs_file)
                raise Stopped(request, done, chosen, failure) from failure
            drifted.append(chosen.name)
            told = "DIFFERS from its state, see above"
        except SettingsError as error:
            raise Stopped(request, done, chosen, error) from error
        lines.append(f"  {chosen.name:<14} {told} ({time.monotonic() - started:.0f} s)")
        done.append(chosen)
    say(f"{request.command} of stack {request.stack}: done")
    for line in lines:
        say(line)
    if request.command is Command.DEPLOY:
        say(f"outputs of stack {request.stack}: {outputs_file}")
    if drifted:
        raise Drifted(
            f"drift in {', '.join(drifted)}: look at what differs; "
            f"./dr deploy -- {' '.join(drifted)} --stack {request.stack} --refresh puts back what the programs say, "
            f"./dr refresh -- {' '.join(drifted)} --stack {request.stack} takes what is there into the state"
        )


def _one_layer(request: Request, chosen: Layer, cleared: Cleared, standing: Survey, cli: PulumiCli) -> str:
    if chosen.name in cleared.impossible:
        return f"not previewed: {cleared.impossible[chosen.name]}"
    exists = standing[chosen.name].exists
    verb, *options = VERBS[request.command]
    if request.yes and request.command.changes_state:
        options.append("--yes")
    options += request.handed_on
    if not exists and request.command is Command.PREVIEW:
        with throwaway_backend(cli, chosen, request.stack, standing) as (aside, file):
            return f"{aside.run(chosen, verb, request.stack, options, file).text()}; there is no stack yet"
    if not exists and request.command is not Command.DEPLOY:
        # A deploy that stopped half-way leaves the upper layers without a stack: nothing to do there.
        return f"no stack {request.stack}, nothing to {request.command}"
    with _configuration(chosen, request.stack) as file:
        if not exists:
            cli.create(chosen, request.stack)
        return cli.run(chosen, verb, request.stack, options, file).text()


@contextmanager
def _configuration(chosen: Layer, stack: str) -> Iterator[Path | None]:
    """The stack's file for the CLI: a copy, because the CLI writes into it what it makes for the secrets.

    A salt is in the stack's state as well. Where the person has named a secrets provider, the file itself is given.
    """
    file = chosen.folder / f"Pulumi.{stack}.yaml"
    if secrets_provider_of(file) is not None:
        yield None
        return
    with TemporaryDirectory() as folder:
        copy = Path(folder) / file.name
        copy.write_bytes(file.read_bytes())
        yield copy


def _keep_outputs(
    request: Request, chosen: Layer, now: dict[str, Deployed], cli: PulumiCli, outputs_file: Path
) -> None:
    """Write the outputs of every layer that is there, also of those this request did not touch."""
    if request.command not in (Command.DEPLOY, Command.DESTROY):
        return
    now[chosen.name] = look(cli, chosen, request.stack)
    if request.command is Command.DESTROY and flat_outputs.owner(outputs_file) not in (request.stack, None):
        # Another stack's: it was deployed last, and stays.
        return
    outputs = {name: known.outputs for name, known in now.items() if known.outputs}
    if outputs:
        flat_outputs.write(flat_outputs.merged(request.stack, outputs), outputs_file)
    else:
        flat_outputs.remove(request.stack, outputs_file)


def _write_outputs(request: Request, standing: Survey, say: Say, outputs_file: Path) -> None:
    outputs = {}
    for chosen in request.layers:
        known = standing[chosen.name]
        if known.outputs:
            outputs[chosen.name] = known.outputs
        else:
            say(
                f"{chosen.name}: {'nothing is deployed in' if known.exists else 'no'} stack {request.stack}, no outputs"
            )
    if not outputs:
        raise SettingsError(
            "stack", request.stack, f"nothing is deployed there; ./dr deploy -- --stack {request.stack} comes first"
        )
    flat_outputs.write(flat_outputs.merged(request.stack, outputs), outputs_file)
    say(f"outputs of stack {request.stack}: {outputs_file}")


def _names(layers: Sequence[Layer]) -> str:
    return ", ".join(known.name for known in layers) or "none"
