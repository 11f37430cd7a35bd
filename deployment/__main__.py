"""``python -m deployment deploy|preview|destroy|outputs [LAYER ...] [--stack NAME] [--yes] [Pulumi's options]``."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from deployment import flat_outputs
from deployment.arguments import Command, parse
from deployment.operation import Stopped, carry_out
from deployment.preflight import check_before_deploy
from deployment.pulumi_cli import PulumiCli, PulumiFailed
from shared.errors import SettingsError

BAD_INPUT = 2


def main(arguments: Sequence[str]) -> int:
    """Carry out one command.

    Returns:
        0 when all of it is done, 1 when Pulumi failed, 2 for bad input.
    """
    try:
        request = parse(_command(arguments), arguments[1:])
        cli = PulumiCli.on_path()
        if request.command is Command.DEPLOY:
            check_before_deploy(request.layers, request.stack)
        carry_out(request, cli, _say, flat_outputs.FLAT_OUTPUTS_FILE)
    except SettingsError as error:
        print(error, file=sys.stderr)
        return BAD_INPUT
    except (Stopped, PulumiFailed) as failure:
        print(failure, file=sys.stderr)
        return 1
    return 0


def _command(arguments: Sequence[str]) -> Command:
    given = arguments[0] if arguments else "(not set)"
    if given not in tuple(Command):
        raise SettingsError("command", given, f"give one of: {', '.join(Command)}")
    return Command(given)


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
