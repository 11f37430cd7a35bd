"""What a person asks for, read from the command line."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, NoReturn

from deployment.flat_outputs import FLAT_OUTPUTS_FILE
from function_runtime.control import OrderKind
from shared.errors import SettingsError

LONGEST_REASON = 500


class Command(StrEnum):
    """What can be asked of the controller."""

    STATUS = "status"
    PAUSE = "pause"
    RESUME = "resume"
    FAILOVER = "failover"


@dataclass(frozen=True)
class Addressed:
    """What every request says: whose controller is meant.

    Attributes:
        outputs: the flat outputs file.
        stack: the stack that the file must be of; None for whichever it is.
    """

    outputs: Path
    stack: str | None


@dataclass(frozen=True)
class StatusRequest(Addressed):
    """Show what the controller sees; ``as_json`` for machines."""

    as_json: bool


@dataclass(frozen=True)
class PauseRequest(Addressed):
    """Let no failover begin, and say why."""

    reason: str


@dataclass(frozen=True)
class ResumeRequest(Addressed):
    """Let failovers happen again."""


@dataclass(frozen=True)
class CancelRequest(Addressed):
    """Withdraw the order on record."""


@dataclass(frozen=True)
class FailoverRequest(Addressed):
    """Order a failover.

    Attributes:
        kind: what the order stands for.
        incident_id: the incident that is approved; None for the other kinds.
        epoch: the epoch that is approved; None for the other kinds.
        accepted_loss_seconds: the loss of data that is accepted, None where none was named.
        accepts_unknown_loss: whether a loss that nobody can bound is accepted.
        dry_run: only show the plan.
        yes: do not ask before giving the order.
        wait: follow the failover to its end.
    """

    kind: OrderKind
    incident_id: str | None
    epoch: int | None
    accepted_loss_seconds: float | None
    accepts_unknown_loss: bool
    dry_run: bool
    yes: bool
    wait: bool


Request = StatusRequest | PauseRequest | ResumeRequest | CancelRequest | FailoverRequest


class _Parser(argparse.ArgumentParser):
    """Argparse ends the process for bad input; here it is an error like any other."""

    def error(self, message: str) -> NoReturn:
        raise SettingsError("arguments", f"({message})", f"see {self.prog} --help")


def parse(arguments: Sequence[str]) -> Request:
    """Read the command line.

    Raises:
        SettingsError: it cannot be understood, or contradicts itself.
        SystemExit: help was asked for, and given.
    """
    given = _parser().parse_args(list(arguments))
    command = Command(given.command)
    if command is Command.STATUS:
        return StatusRequest(given.outputs, given.stack, given.as_json)
    if command is Command.PAUSE:
        return PauseRequest(given.outputs, given.stack, _reason(given.reason))
    if command is Command.RESUME:
        return ResumeRequest(given.outputs, given.stack)
    if given.cancel:
        _refuse_beside_cancel(given)
        return CancelRequest(given.outputs, given.stack)
    return _failover(given)


def _parser() -> argparse.ArgumentParser:
    top = _Parser(prog="python -m operations", description="Operate the controller, on AWS or in the lab.")
    commands = top.add_subparsers(dest="command", required=True, parser_class=_Parser)

    def command(name: Command, what: str) -> argparse.ArgumentParser:
        parser: argparse.ArgumentParser = commands.add_parser(
            name, prog=f"nox -s {name} --", help=what, description=what, allow_abbrev=False
        )
        parser.add_argument(
            "--stack", type=_stack_name, metavar="NAME", help="refuse to work with another stack than this one"
        )
        parser.add_argument(
            "--outputs",
            type=Path,
            default=FLAT_OUTPUTS_FILE,
            metavar="FILE",
            help="outputs of the layers, which say where the controller is (%(default)s)",
        )
        return parser

    status = command(Command.STATUS, "What the controller sees and decides.")
    status.add_argument("--json", action="store_true", dest="as_json", help="for machines")
    pause = command(Command.PAUSE, "Observe and report, but let no failover begin.")
    pause.add_argument("--reason", required=True, metavar="TEXT", help="why; everybody who asks is told")
    command(Command.RESUME, "Let failovers happen again.")
    failover = command(Command.FAILOVER, "Order a failover; the plan is shown first.")
    kind = failover.add_mutually_exclusive_group(required=True)
    kind.add_argument("--approve", metavar="INCIDENT", help="the failover that the controller asks about")
    kind.add_argument("--planned", action="store_true", help="move a healthy writer; nothing is lost")
    kind.add_argument("--forced", action="store_true", help="whatever the signals say")
    kind.add_argument("--cancel", action="store_true", help="withdraw the order on record")
    failover.add_argument("--epoch", type=_natural, metavar="N", help="with --approve: the epoch that was asked about")
    loss = failover.add_mutually_exclusive_group()
    loss.add_argument("--accept-loss-seconds", type=_seconds, metavar="N", help="accept the loss of N s of writes")
    loss.add_argument("--accept-unknown-loss", action="store_true", help="accept a loss that nobody can bound")
    failover.add_argument("--dry-run", action="store_true", help="show the plan only; exit code 3: it would not happen")
    failover.add_argument("--yes", action="store_true", help="do not ask")
    failover.add_argument("--no-wait", action="store_true", help="give the order and leave")
    return top


def _failover(given: argparse.Namespace) -> FailoverRequest:
    kind = OrderKind.APPROVE
    if given.planned:
        kind = OrderKind.PLANNED
    elif given.forced:
        kind = OrderKind.FORCED
    accepts = given.accept_loss_seconds is not None or given.accept_unknown_loss
    if kind is OrderKind.APPROVE and given.epoch is None:
        raise SettingsError("--epoch", "(not set)", "give the epoch that the message or nox -s status names")
    if kind is not OrderKind.APPROVE and given.epoch is not None:
        raise SettingsError("--epoch", given.epoch, "give it with --approve only")
    if kind is OrderKind.PLANNED and accepts:
        raise SettingsError(
            "--accept-...", "(given)", "leave it out: a planned failover loses nothing or is taken back"
        )
    # A dry run without it tells what would be lost.
    if kind is OrderKind.FORCED and not accepts and not given.dry_run:
        raise SettingsError(
            "--accept-loss-seconds", "(not set)", "say what a forced failover may lose: N, or --accept-unknown-loss"
        )
    return FailoverRequest(
        outputs=given.outputs,
        stack=given.stack,
        kind=kind,
        incident_id=given.approve,
        epoch=given.epoch,
        accepted_loss_seconds=given.accept_loss_seconds,
        accepts_unknown_loss=given.accept_unknown_loss,
        dry_run=given.dry_run,
        yes=given.yes,
        wait=not given.no_wait,
    )


def _refuse_beside_cancel(given: argparse.Namespace) -> None:
    others: dict[str, Any] = {
        "--epoch": given.epoch,
        "--accept-loss-seconds": given.accept_loss_seconds,
        "--accept-unknown-loss": given.accept_unknown_loss or None,
        "--dry-run": given.dry_run or None,
        "--no-wait": given.no_wait or None,
    }
    for name, value in others.items():
        if value is not None:
            raise SettingsError(name, value, "leave it out: --cancel withdraws whatever order is on record")


def _reason(text: str) -> str:
    reason = " ".join(text.split())
    # Others read it in their terminals: nothing in it may steer one.
    if not 1 <= len(reason) <= LONGEST_REASON or not reason.isprintable():
        raise SettingsError(
            "--reason",
            f"({len(reason)} characters)",
            f"say in 1 to {LONGEST_REASON} printable characters why, for the others",
        )
    return reason


def _stack_name(text: str) -> str:
    # An empty variable in a script must not pass for "whichever it is".
    if not text.strip():
        raise argparse.ArgumentTypeError(f"{text!r} is no stack's name")
    return text


def _natural(text: str) -> int:
    if not text.isdecimal() or (number := int(text)) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number above 0")
    return number


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds") from error
    if not 0 <= seconds < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds, 0 or more")
    return seconds
