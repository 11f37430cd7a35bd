"""The command line, parsed into requests."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import NoReturn

from deployment.flat_outputs import FLAT_OUTPUTS_FILE
from function_runtime.control import InstructionKind, OrderKind
from function_runtime.sites import Site
from operations.requests import (
    CancelRequest,
    FailoverRequest,
    InspectRequest,
    InstructionRequest,
    PauseRequest,
    PrepareRequest,
    ReprotectRequest,
    Request,
    RestoreRequest,
    ResumeRequest,
    StatusRequest,
)
from shared.errors import SettingsError

LONGEST_REASON = 500


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


def parse(arguments: Sequence[str]) -> Request:
    """Read the command line.

    Raises:
        SettingsError: it is not understood, or contradicts itself.
        SystemExit: help was asked for and printed.
    """
    given = _parser().parse_args(list(arguments))
    command = Command(given.command)
    if command is Command.STATUS:
        return StatusRequest(given.outputs, given.stack, given.as_json)
    if command is Command.PAUSE:
        return PauseRequest(given.outputs, given.stack, _reason(given.reason))
    if command is Command.RESUME:
        return ResumeRequest(given.outputs, given.stack)
    if command is Command.RESTORE:
        return _restore(given)
    if command is Command.REPROTECT:
        return _reprotect(given)
    if command is Command.PREPARE_DATABASE:
        return PrepareRequest(given.outputs, given.stack, given.sql)
    if given.cancel:
        _refuse_beside(given, "--cancel withdraws whatever order is on record", *ORDER_OPTIONS, *OTHER_OPTIONS)
        return CancelRequest(given.outputs, given.stack)
    if given.abandon is not None or given.adopt is not None:
        return _instruction(given)
    return _failover(given)


def _parser() -> argparse.ArgumentParser:
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


def _restore(given: argparse.Namespace) -> RestoreRequest | InspectRequest:
    lists = given.snapshot is None and given.point_in_time is None and given.inspect is None and given.close is None
    if lists:
        for option, value in (("--site", given.site), ("--of", given.of), ("--name", given.name)):
            if value is not None:
                raise SettingsError(option, value, "give it with --snapshot, --point-in-time, --inspect or --close")
    elif given.site is None:
        raise SettingsError("--site", "(not set)", f"give one of {', '.join(Site)}")
    site = Site.RECOVERY if given.site is None else Site(given.site)
    if given.inspect is not None or given.close is not None:
        if given.name is not None:
            raise SettingsError("--name", given.name, "leave it out: --inspect and --close take the instance's name")
        for option, value in (("--of", given.of), ("--no-wait", given.no_wait or None)):
            if value is not None:
                raise SettingsError(option, value, "leave it out: it is for a restore")
        name = given.close if given.inspect is None else given.inspect
        closes = given.inspect is None
        return InspectRequest(
            given.outputs, given.stack, site, name, close=closes, dry_run=given.dry_run, yes=given.yes
        )
    if not lists and given.name is None:
        raise SettingsError("--name", "(not set)", "give the new instance a name such as restored-orders")
    if given.of is not None and given.point_in_time is None:
        raise SettingsError("--of", given.of, "give it with --point-in-time only")
    return RestoreRequest(
        outputs=given.outputs,
        stack=given.stack,
        site=site,
        snapshot=given.snapshot,
        point_in_time=_moment(given.point_in_time),
        of=None if given.of is None else Site(given.of),
        name=given.name,
        dry_run=given.dry_run,
        yes=given.yes,
        wait=not given.no_wait,
    )


def _reprotect(given: argparse.Namespace) -> ReprotectRequest:
    if given.undo:
        why = "--undo takes back what was begun, whatever it was to be"
        _refuse_beside(given, why, "--keep-looking", "--without-final-snapshot", "--split-writes-settled", "--dry-run")
    if given.as_json and not (given.yes or given.dry_run or given.undo):
        raise SettingsError("--json", "(given)", "give --yes or --dry-run with it: machines answer no question")
    return ReprotectRequest(
        outputs=given.outputs,
        stack=given.stack,
        keep_looking=given.keep_looking,
        without_snapshot=given.without_final_snapshot,
        settled=given.split_writes_settled,
        undo=given.undo,
        dry_run=given.dry_run,
        yes=given.yes,
        as_json=given.as_json,
    )


def _moment(text: str | None) -> datetime | None:
    if text is None or text == "latest":
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise SettingsError("--point-in-time", text, "give latest, or a moment such as 2026-01-31T12:00:00Z") from error
    if moment.tzinfo is None:
        raise SettingsError("--point-in-time", text, "say the time zone, such as 2026-01-31T12:00:00Z")
    return moment.astimezone(UTC)


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
    # A dry run without it shows what may be lost.
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


# Of the failover command, by how they are typed.
ORDER_OPTIONS = ("--epoch", "--accept-loss-seconds", "--accept-unknown-loss")
OTHER_OPTIONS = ("--dry-run", "--no-wait")


def _refuse_beside(given: argparse.Namespace, why: str, *options: str) -> None:
    for option in options:
        value = getattr(given, option.removeprefix("--").replace("-", "_"))
        if value is not None and value is not False:
            raise SettingsError(option, value, f"leave it out: {why}")


def _instruction(given: argparse.Namespace) -> InstructionRequest:
    kind = InstructionKind.ADOPT if given.abandon is None else InstructionKind.ABANDON
    _refuse_beside(given, f"--{kind} takes no order's terms", *ORDER_OPTIONS)
    return InstructionRequest(
        outputs=given.outputs,
        stack=given.stack,
        kind=kind,
        about=given.adopt if given.abandon is None else given.abandon,
        dry_run=given.dry_run,
        yes=given.yes,
        wait=not given.no_wait,
    )


def _reason(text: str) -> str:
    reason = " ".join(text.split())
    # Other people's terminals show it: no control characters.
    if not 1 <= len(reason) <= LONGEST_REASON or not reason.isprintable():
        raise SettingsError(
            "--reason",
            f"({len(reason)} characters)",
            f"give the reason in 1 to {LONGEST_REASON} printable characters; others read it in the status",
        )
    return reason


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
