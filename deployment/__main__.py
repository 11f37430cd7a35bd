"""``python -m deployment COMMAND [LAYER ...] [--stack NAME] [--yes] [--production] [Pulumi's options]``.

The commands are deploy, preview, destroy, refresh, drift and outputs; ``environment NAME`` makes another environment.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from deployment import new_environment
from deployment.arguments import Command
from deployment.command import run
from deployment.operation import Drifted, Stopped
from deployment.pulumi_cli import PulumiFailed
from shared.errors import SettingsError

FAILED = 1
BAD_INPUT = 2
NOT_SO = 3


def main(arguments: Sequence[str]) -> int:
    """Carry out one command.

    Returns:
        0 when all of it is done; 1 when Pulumi failed; 2 for bad input and for what was refused before anything was
        touched; 3 when a person said no, or when drift was found.
    """
    try:
        if arguments[:1] == [new_environment.COMMAND]:
            new_environment.create(new_environment.parse(arguments[1:]), _say)
            return 0
        run(_command(arguments), arguments[1:], _say, _ask)
    except SettingsError as error:
        print(f"error: {error}", file=sys.stderr)
        return BAD_INPUT
    except Drifted as drifted:
        print(drifted, file=sys.stderr)
        return NOT_SO
    except (Stopped, PulumiFailed) as failure:
        print(failure, file=sys.stderr)
        return NOT_SO if isinstance(failure, Stopped) and failure.declined else FAILED
    return 0


def _command(arguments: Sequence[str]) -> Command:
    given = arguments[0] if arguments else "(not set)"
    if given not in tuple(Command):
        raise SettingsError("command", given, f"give one of: {', '.join((*Command, new_environment.COMMAND))}")
    return Command(given)


def _ask(question: str) -> bool:
    try:
        return input(f"{question} Only yes means yes: ").strip().lower() == "yes"
    except (EOFError, KeyboardInterrupt):
        return False


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
