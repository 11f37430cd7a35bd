"""The command line, read into requests: what its options mean together, and what contradicts itself."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from datetime import UTC, datetime

from function_runtime.control import InstructionKind, OrderKind
from function_runtime.sites import Site
from operations.command_line import Command, command_line
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


def parse(arguments: Sequence[str]) -> Request:
    """Read the command line.

    Raises:
        SettingsError: it is not understood, or contradicts itself.
        SystemExit: help was asked for and printed.
    """
    given = command_line().parse_args(list(arguments))
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
