"""The command line is parsed, or refused with key, value and remedy before AWS is called."""

from __future__ import annotations

from pathlib import Path

import pytest

from deployment.flat_outputs import FLAT_OUTPUTS_FILE
from function_runtime.control import OrderKind
from operations.__main__ import main
from operations.arguments import parse
from operations.requests import FailoverRequest, PauseRequest, StatusRequest
from shared.errors import SettingsError
from tests.operations.terminal import COMMANDS


def test_status_reads_the_outputs_of_the_last_deploy_or_lab() -> None:
    assert parse(["status"]) == StatusRequest(FLAT_OUTPUTS_FILE, None, as_json=False)
    assert parse(["status", "--json", "--outputs", "x"]) == StatusRequest(Path("x"), None, as_json=True)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_takes_the_stack(command: str) -> None:
    assert parse([*command.split(), "--stack", "prod"]).stack == "prod"


def test_a_reason_is_one_line() -> None:
    assert parse(["pause", "--reason", " index\n rebuild "]) == PauseRequest(FLAT_OUTPUTS_FILE, None, "index rebuild")


def test_an_approval_names_incident_epoch_and_loss() -> None:
    request = parse(
        ["failover", "--approve", "000001-x", "--epoch", "1", "--accept-loss-seconds", "90.5", "--yes", "--no-wait"]
    )
    assert request == FailoverRequest(
        outputs=FLAT_OUTPUTS_FILE,
        stack=None,
        kind=OrderKind.APPROVE,
        incident_id="000001-x",
        epoch=1,
        accepted_loss_seconds=90.5,
        accepts_unknown_loss=False,
        dry_run=False,
        yes=True,
        wait=False,
    )


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("", "the following arguments are required: command"),
        ("stauts", "invalid choice"),
        ("pause", "the following arguments are required: --reason"),
        ("pause --reason", "expected one argument"),
        ("failover", "one of the arguments --approve --planned --forced --cancel --abandon --adopt is required"),
        ("failover --planned --forced --accept-unknown-loss", "not allowed with argument"),
        ("failover --approve x", "--epoch = (not set)"),
        ("failover --approve x --epoch 0", "'0' is not a whole number above 0"),
        ("failover --planned --epoch 1", "--epoch = 1"),
        ("failover --planned --accept-loss-seconds 1", "leave it out: a planned failover loses nothing"),
        ("failover --forced", "--accept-loss-seconds = (not set)"),
        ("failover --forced --accept-loss-seconds -1", "is not a number of seconds, 0 or more"),
        ("failover --forced --accept-loss-seconds nan", "is not a number of seconds, 0 or more"),
        ("failover --forced --accept-loss-seconds inf", "is not a number of seconds, 0 or more"),
        ("failover --forced --accept-loss-seconds 1 --accept-unknown-loss", "not allowed with argument"),
        ("failover --cancel --dry-run", "--dry-run = True: leave it out"),
        ("failover --abandon 000001-x --accept-unknown-loss", "--accept-unknown-loss = True: leave it out"),
        ("failover --adopt third", "invalid choice: 'third'"),
        ("status --stack", "expected one argument"),
        ("status --stack=", "'' is not a stack's name"),
        ("status --outputs /nowhere", "--outputs = /nowhere (no such file): start the lab (./dr lab)"),
    ],
)
def test_bad_input_ends_with_2_and_one_line(command: str, told: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(command.split()) == 2
    printed = capsys.readouterr()
    assert told in printed.err
    assert len(printed.err.splitlines()) == 1
    assert printed.out == ""


@pytest.mark.parametrize("reason", ["", "  ", "x" * 501, "\x1b[2J"], ids=["empty", "blank", "long", "control"])
def test_a_reason_is_short_and_printable(reason: str) -> None:
    with pytest.raises(SettingsError, match="give the reason in 1 to 500 printable characters"):
        parse(["pause", "--reason", reason])
