"""What the commands that start a lab share: the option for settings, and their exit codes."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable
from types import FrameType

from lab.aws import AwsDidNotStartError
from shared.errors import SettingsError

BAD_INPUT = 2
FAILED = 1
INTERRUPTED = 130


def run(command: Callable[[], int]) -> int:
    """Run a command.

    Returns:
        its exit code; 1 where AWS did not start, 2 for bad input, 130 where it was interrupted.
    """
    signal.signal(signal.SIGTERM, _as_interrupt)
    try:
        return command()
    except SettingsError as error:
        sys.stderr.write(f"error: {error}\n")
        return BAD_INPUT
    except AwsDidNotStartError as error:
        sys.stderr.write(f"error: {error}\n")
        return FAILED
    except KeyboardInterrupt:
        sys.stderr.write("stopped; nothing was left behind\n")
        return INTERRUPTED


def add_settings(parser: argparse.ArgumentParser) -> None:
    """Let the command take ``--config KEY=VALUE``."""
    parser.add_argument(
        "--config",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="a setting that overrides Pulumi.lab.yaml and environments/lab.yaml",
    )


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _as_interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
