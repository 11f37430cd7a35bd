"""Carrying out one command for several layers in order, and reporting how far it got."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from deployment import flat_outputs
from deployment.arguments import Command, Request
from deployment.deployed import Deployed, Survey, look
from deployment.engine_events import Summary
from deployment.in_aws import opened_or_shut, refuse_without_snapshot
from deployment.judging import AUTOMATION, NETWORK
from deployment.preflight import Cleared, check_again
from deployment.pulumi_cli import PulumiCli, PulumiFailed
from deployment.replacements import deletes_instance, refuse_losses
from deployment.situation import Situation
from deployment.situation_in_aws import retiring_site
from deployment.verdict import DATA
from deployment.without_a_stack import throwaway_backend
from shared.errors import SettingsError
from shared.layers import REPOSITORY_ROOT, Layer
from shared.stack_files import load_configuration, secrets_provider_of

VERBS = {
    Command.DEPLOY: ("up",),
    Command.PREVIEW: ("preview",),
    Command.DESTROY: ("destroy",),
    Command.REFRESH: ("refresh",),
    # Without --preview-only the state is written before the difference is noticed.
    Command.DRIFT: ("refresh", "--preview-only", "--expect-no-changes"),
}
PREVIEWS = {
    Command.DEPLOY: ("preview",),
    Command.DESTROY: ("destroy", "--preview-only"),
    Command.REFRESH: ("refresh", "--preview-only"),
}
SKIP_PREVIEW = "--skip-preview"
NOT_OF_A_PREVIEW = ("--continue-on-error", "--strict", SKIP_PREVIEW)
GUARDED = (DATA, AUTOMATION)
"""The layers with resources that must keep their identity."""
POLICIES = "policies"
# https://www.pulumi.com/docs/iac/cli/: what --expect-no-changes ends with.
NO_CHANGES_EXPECTED = 7

Say = Callable[[str], None]
Ask = Callable[[str], bool]


class Declined(Exception):  # noqa: N818 - it says what happened
    """The person answered no."""


class Stopped(Exception):  # noqa: N818 - it says what happened
    """A layer failed, and the layers after it were not touched. The message says what is done and how to continue.

    Attributes:
        declined: nothing failed: the person answered no.
    """

    def __init__(self, request: Request, done: Sequence[Layer], stopped_at: Layer, reason: Exception) -> None:
        self.declined = isinstance(reason, Declined)
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
    """What exists differs from the states."""


def carry_out(
    request: Request,
    cleared: Cleared,
    standing: Survey,
    cli: PulumiCli,
    say: Say,
    ask: Ask,
    outputs_file: Path,
) -> None:
    """Carry out the request layer by layer, stopping at the first failure.

    Args:
        request: what was asked.
        cleared: what its checks found.
        standing: what is deployed of each layer.
        cli: the Pulumi CLI.
        say: prints one line of progress.
        ask: asks the person, True for yes.
        outputs_file: where the flat outputs go.

    Raises:
        Stopped: a layer failed, or the person answered no.
        Drifted: what exists differs from the states; all layers were looked at.
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
            told = _one_layer(request, chosen, cleared, now, cli, ask)
            _keep_outputs(request, chosen, now, cli, outputs_file)
        except PulumiFailed as failure:
            if request.command is not Command.DRIFT or failure.exit_code != NO_CHANGES_EXPECTED:
                # Keep what it did before it failed. If that fails too, the first failure is the one to report.
                with suppress(PulumiFailed, SettingsError):
                    _keep_outputs(request, chosen, now, cli, outputs_file)
                raise Stopped(request, done, chosen, failure) from failure
            drifted.append(chosen.name)
            told = "DIFFERS from its state, see above"
        except (SettingsError, Declined) as error:
            raise Stopped(request, done, chosen, error) from error
        if request.command is Command.DRIFT and chosen.name == DATA and now[chosen.name].resources:
            differences = _groups_that_differ(cleared, now[NETWORK])
            drifted += [chosen.name] if differences and chosen.name not in drifted else []
            told = "; ".join([told, *differences])
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


def _one_layer(request: Request, chosen: Layer, cleared: Cleared, standing: Survey, cli: PulumiCli, ask: Ask) -> str:
    if chosen.name in cleared.impossible:
        return f"not previewed: {cleared.impossible[chosen.name]}"
    exists = standing[chosen.name].exists
    verb, *options = VERBS[request.command]
    options += [*_policy_pack(request), *request.handed_on]
    if not exists and request.command is Command.PREVIEW:
        return f"{_preview_without_a_stack(request, chosen, standing, cli, options).text()}; there is no stack yet"
    if not exists and request.command is not Command.DEPLOY:
        # A deploy that stopped half-way leaves the upper layers without a stack.
        return f"no stack {request.stack}, nothing to {request.command}"
    with _configuration(chosen, request.stack) as file:
        if not exists and load_configuration(chosen.folder, request.stack).secure_keys:
            # Only the secrets provider of its own stack can decrypt them, and the preview needs them too.
            cli.create(chosen, request.stack)
            exists = True
        if request.changes_something:
            options, planned = _agreed(request, chosen, standing, cli, ask, options, file, exists=exists)
            # The person may have answered an hour later.
            situation = check_again(request, cleared, standing, chosen)
            _refuse_losses(request, chosen, cleared, standing, situation, planned)
        if not exists:
            cli.create(chosen, request.stack)
        told = cli.run(chosen, verb, request.stack, options, file).text()
    if request.remove and request.changes_something:
        cli.remove(chosen, request.stack)
        told += ", stack removed"
    return told


def _preview_without_a_stack(
    request: Request, chosen: Layer, standing: Survey, cli: PulumiCli, options: Sequence[str]
) -> Summary:
    with throwaway_backend(cli, chosen, request.stack, standing) as (aside, file):
        return aside.run(chosen, "preview", request.stack, options, file)


def _groups_that_differ(cleared: Cleared, network: Deployed) -> list[str]:
    try:
        differences = opened_or_shut(cleared.environment, network.outputs, cleared.situation.writer)
    except SettingsError as error:
        return [f"whether the databases stand in their security groups is unknown: {error}"]
    return [f"{difference} (Pulumi leaves that alone: put it right in RDS)" for difference in differences]


def _agreed(
    request: Request,
    chosen: Layer,
    standing: Survey,
    cli: PulumiCli,
    ask: Ask,
    options: Sequence[str],
    file: Path | None,
    *,
    exists: bool,
) -> tuple[list[str], Summary]:
    """The options with which Pulumi asks no question, after the person has seen a preview and answered yes.

    We ask instead of Pulumi because the writer is checked once more between the answer and the change. What must keep
    its identity is looked for in the preview, so that of such a layer there is one whatever was given.

    Returns:
        The options, and what the preview plans; nothing where there was none.

    Raises:
        Declined: the person answered no.
        PulumiFailed: the preview failed.
    """
    guarded = request.command is Command.DEPLOY and chosen.name in GUARDED and exists
    planned = Summary()
    if request.yes and not guarded:
        return ["--yes", *options], planned
    if guarded or SKIP_PREVIEW not in options:
        verb, *only = PREVIEWS[request.command]
        shown = [*only, *(option for option in options if option not in NOT_OF_A_PREVIEW)]
        if exists:
            planned = cli.run(chosen, verb, request.stack, shown, file)
        else:
            _preview_without_a_stack(request, chosen, standing, cli, shown)
    if not request.yes and not ask(f"{request.command} {chosen.name} in stack {request.stack}?"):
        raise Declined
    return ["--yes", SKIP_PREVIEW, *(option for option in options if option != SKIP_PREVIEW)], planned


def _refuse_losses(
    request: Request, chosen: Layer, cleared: Cleared, standing: Survey, situation: Situation, planned: Summary
) -> None:
    if request.command is Command.DEPLOY and chosen.name in GUARDED:
        retiring, environment = retiring_site(request.stack), cleared.environment
        refuse_losses(chosen.name, planned.steps, environment, situation, retiring, standing[chosen.name].outputs)
        if retiring is not None and any(deletes_instance(each) for each in planned.steps):
            refuse_without_snapshot(environment, retiring)


def _policy_pack(request: Request) -> list[str]:
    """The rules that Pulumi checks itself: it runs them with the programs only."""
    pack = REPOSITORY_ROOT / POLICIES
    return [f"--policy-pack={pack}"] if request.command.runs_programs and pack.is_dir() else []


@contextmanager
def _configuration(chosen: Layer, stack: str) -> Iterator[Path | None]:
    """The stack's file for the CLI: a copy, because the CLI writes an encryption salt into it.

    The salt is in the stack's state as well. If the file names a secrets provider, the CLI gets the file itself.
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
    """Write the outputs of all deployed layers, also of those that this request did not touch."""
    if request.command not in (Command.DEPLOY, Command.DESTROY):
        return
    now[chosen.name] = look(cli, chosen, request.stack)
    if request.command is Command.DESTROY and flat_outputs.owner(outputs_file) not in (request.stack, None):
        # The file belongs to another stack, which was deployed last.
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
