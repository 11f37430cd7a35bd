"""The commands and their options, as they are typed. What they mean together is `operations.arguments`."""

from __future__ import annotations

import argparse
from enum import StrEnum
from pathlib import Path
from typing import NoReturn

from deployment.flat_outputs import FLAT_OUTPUTS_FILE
from function_runtime.sites import Site
from shared.errors import SettingsError


class Command(StrEnum):
    """The commands."""

    STATUS = "status"
    PAUSE = "pause"
    RESUME = "resume"
    FAILOVER = "failover"
    RESTORE = "restore"
    PREPARE_DATABASE = "prepare-database"
    REPROTECT = "reprotect"


class _Parser(argparse.ArgumentParser):
    """Raises for bad input, where argparse would end the process."""

    def error(self, message: str) -> NoReturn:
        raise SettingsError("arguments", f"({message})", f"see {self.prog} --help")


def command_line() -> argparse.ArgumentParser:
    """The parser. It raises `SettingsError` for what it does not understand."""
    top = _Parser(prog="python -m operations", description="Operate the controller, on AWS or in the lab.")
    commands = top.add_subparsers(dest="command", required=True, parser_class=_Parser)

    def command(name: Command, what: str) -> argparse.ArgumentParser:
        parser: argparse.ArgumentParser = commands.add_parser(
            name, prog=f"nox -s {name} --", help=what, description=what, allow_abbrev=False
        )
        parser.add_argument(
            "--stack", type=_stack_name, metavar="NAME", help="refuse if the outputs are of another stack"
        )
        parser.add_argument(
            "--outputs",
            type=Path,
            default=FLAT_OUTPUTS_FILE,
            metavar="FILE",
            help="the layers' outputs, which say where the controller is (%(default)s)",
        )
        return parser

    status = command(Command.STATUS, "What the controller sees and decides.")
    status.add_argument("--json", action="store_true", dest="as_json", help="for machines")
    pause = command(Command.PAUSE, "Let no failover begin; observe and report as before.")
    pause.add_argument("--reason", required=True, metavar="TEXT", help="why; the status shows it")
    command(Command.RESUME, "Let failovers happen again.")
    failover = command(Command.FAILOVER, "Order a failover; the plan is shown first.")
    kind = failover.add_mutually_exclusive_group(required=True)
    kind.add_argument("--approve", metavar="INCIDENT", help="the failover that the controller asks about")
    kind.add_argument("--planned", action="store_true", help="move a healthy writer; nothing is lost")
    kind.add_argument("--forced", action="store_true", help="whatever the signals say")
    kind.add_argument("--cancel", action="store_true", help="withdraw the order on record")
    kind.add_argument("--abandon", metavar="INCIDENT", help="end a failover under way as it stands")
    kind.add_argument("--adopt", choices=[str(site) for site in Site], help="where the state is lost: name the writer")
    failover.add_argument("--epoch", type=_natural, metavar="N", help="with --approve: the epoch that was asked about")
    loss = failover.add_mutually_exclusive_group()
    loss.add_argument("--accept-loss-seconds", type=_seconds, metavar="N", help="accept the loss of N s of writes")
    loss.add_argument("--accept-unknown-loss", action="store_true", help="accept a loss without a known upper bound")
    failover.add_argument(
        "--dry-run", action="store_true", help="show the plan only; exit code 3 if it would not happen"
    )
    failover.add_argument("--yes", action="store_true", help="do not ask")
    failover.add_argument("--no-wait", action="store_true", help="give the order and leave")
    _add_restore(command(Command.RESTORE, "List what can be restored; restore it to a new instance; open that."))
    reprotect = command(Command.REPROTECT, "Make a standby for the present writer; the plan is shown first.")
    reprotect.add_argument("--keep-looking", action="store_true", help="stop before the old instance is let go")
    reprotect.add_argument(
        "--without-final-snapshot", action="store_true", help="where RDS can make none of the old instance"
    )
    reprotect.add_argument(
        "--split-writes-settled", action="store_true", help="what the old writer took alone is looked through"
    )
    reprotect.add_argument(
        "--undo", action="store_true", help="take back what was begun, as long as anything leads back"
    )
    reprotect.add_argument(
        "--dry-run", action="store_true", help="show the plan only; exit code 3 if it would not happen"
    )
    reprotect.add_argument("--yes", action="store_true", help="do not ask")
    reprotect.add_argument("--json", action="store_true", dest="as_json", help="for machines: an object a line")
    preparing = command(Command.PREPARE_DATABASE, "How a database is made ready for probes that log in.")
    preparing.add_argument("--sql", action="store_true", help="print the SQL alone")
    return top


def _add_restore(parser: argparse.ArgumentParser) -> None:
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--snapshot", metavar="ID", help="the snapshot to restore")
    what.add_argument("--point-in-time", metavar="MOMENT", help="a moment, such as 2026-01-31T12:00:00Z, or latest")
    what.add_argument(
        "--inspect", metavar="NAME", help="let the operators' network in to a restored or fenced instance"
    )
    what.add_argument("--close", metavar="NAME", help="let nobody in any more")
    parser.add_argument("--site", choices=[str(site) for site in Site], help="where (needed unless it only lists)")
    parser.add_argument("--of", choices=[str(site) for site in Site], help="with --point-in-time: whose backups")
    parser.add_argument("--name", help="the new instance's name: restored-...")
    parser.add_argument("--dry-run", action="store_true", help="show the plan only")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument("--no-wait", action="store_true", help="ask RDS for it and leave")


def _stack_name(text: str) -> str:
    # An empty variable in a script must not mean "any stack".
    if not text.strip():
        raise argparse.ArgumentTypeError(f"{text!r} is not a stack's name")
    return text


def _natural(text: str) -> int:
    if not text.isdecimal() or (number := int(text)) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return number


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds") from error
    if not 0 <= seconds < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds, 0 or more")
    return seconds
