"""One deployment command from its arguments to its end: checks, announcement, layers in order."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from deployment import flat_outputs, preflight
from deployment.announcement import announcement
from deployment.arguments import Command, parse
from deployment.deployed import survey
from deployment.operation import Ask, Say, carry_out
from deployment.pulumi_cli import PulumiCli
from shared.errors import SettingsError


def run(command: Command, arguments: Sequence[str], say: Say, ask: Ask) -> None:
    """Carry out one command.

    Args:
        command: which.
        arguments: the words after it.
        say: prints one line.
        ask: asks the person, True for yes.

    Raises:
        SettingsError: bad input, or refused before anything was touched.
        Stopped, Drifted, PulumiFailed: as `deployment.operation.carry_out`.
    """
    request = parse(command, arguments)
    if request.changes_something and not request.yes and not sys.stdin.isatty():
        raise SettingsError("--yes", "(not given)", "add it: there is no terminal here to ask a question at")
    cli = PulumiCli.on_path()
    backend = cli.backend()
    standing = survey(cli, request.stack)
    preflight.refuse_absent(request, standing, backend)
    cleared = preflight.check(request, standing)
    for line in announcement(request, cleared, backend):
        say(line)
    carry_out(request, cleared, standing, cli, say, ask, flat_outputs.FLAT_OUTPUTS_FILE)
