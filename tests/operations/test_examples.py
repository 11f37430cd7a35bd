"""The examples of `docs/operating.md` are what the commands print in the same situations, line by line."""

from __future__ import annotations

import random
import shlex
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from aws_in_memory.aws import Aws
from aws_in_memory.clock import START
from aws_in_memory.deployed import DEFAULTS, ENVIRONMENT, unprepared
from aws_in_memory.metric import Rhythm
from failover.settings import Settings
from function_runtime.sites import Site
from operations import access, status_command
from operations.__main__ import main
from shared.errors import SettingsError
from shared.layers import REPOSITORY_ROOT
from tests.examples import difference, examples_of
from tests.operations import terminal as terminals
from tests.operations.reprotecting import failed_over
from tests.operations.terminal import ACCOUNT, DEPLOYMENT, Terminal, outputs_file
from tests.operations.test_reprotect_command import give

PRODUCTION = {
    **ENVIRONMENT,
    "ENVIRONMENT_SUFFIX": "prod",
    "PRIMARY_INSTANCE_ID": "database-primary-prod",
    "RECOVERY_INSTANCE_ID": "database-recovery-prod",
    "RECOVERIES_TOPIC_ARN": f"arn:aws:sns:ap-southeast-1:{ACCOUNT}:recoveries-recovery-prod",
    "WRITER_NAME": "writer.postgres-prod.internal",
    "WITNESS_REGION": "eu-central-1",
    "MODE": "manual",
    **DEFAULTS,
    "VERIFY_TIMEOUT_SECONDS": "30",
    "NAME_TTL_SECONDS": "10",
}
SETTINGS = Settings.from_environment(PRODUCTION)
PROBES = Rhythm(schedule_seconds=60, probes=6, interval_seconds=10, timeout_seconds=2)


EXAMPLES = [each for each in examples_of(REPOSITORY_ROOT / "docs" / "operating.md") if "groups" not in each.command]
DEPLOYED = replace(
    DEPLOYMENT,
    stack_name="prod",
    at={site: replace(at, failover_function_name=f"failover-{site}-prod") for site, at in DEPLOYMENT.at.items()},
)
INCIDENT = "000001-20260101T120000Z"
DENIED = (
    f"User: arn:aws:sts::{ACCOUNT}:assumed-role/operator-recovery-prod/alice is not authorized to perform: "
    "lambda:InvokeFunction because no identity-based policy allows the lambda:InvokeFunction action"
)


@pytest.fixture(autouse=True)
def prod(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminals, "DEPLOYMENT", DEPLOYED)
    monkeypatch.setattr(terminals, "HOME", DEPLOYED.at[Site.RECOVERY])
    monkeypatch.setattr(status_command, "newest_backup", lambda _: datetime(2026, 1, 1, 2, 10, tzinfo=UTC))
    random.seed(0)  # of the jitter between two looks


def healthy(seconds: float = 6) -> Terminal:
    aws = Aws(PRODUCTION, START + timedelta(seconds=seconds), probes=PROBES, rds_period_seconds=60, history_seconds=900)
    aws.validates = False
    aws.witness_sees, aws.writer.slot_lag_bytes = 1.0, 0.0
    aws.standby.source = f"arn:aws:rds:ap-southeast-2:{ACCOUNT}:db:database-primary-prod"
    aws.standby.promotion_takes = timedelta(minutes=5)
    terminal = Terminal(aws, SETTINGS)

    def ask(question: str) -> str:
        answer = terminal.person.types.pop(0)
        terminal.person.lines.append(question + answer)
        return answer

    terminal.person.ask = ask  # type: ignore[method-assign]
    return terminal


def paused() -> Terminal:
    terminal = healthy()
    terminal.give_words("pause", "--reason", "index rebuild on the primary until 14:00")
    terminal.aws.sleep(90 * 60)
    return terminal


def not_prepared() -> Terminal:
    terminal = healthy()
    unprepared(terminal.aws)
    for _ in range(9):
        terminal.tick()
        terminal.aws.sleep(60)
    return terminal


def dead() -> Terminal:
    terminal = healthy(200)
    terminal.aws.writer.dies(START)
    terminal.aws.witness_sees = 0.0
    terminal.tick()
    terminal.person.types = [INCIDENT]
    return terminal


def failed_over_by_approval() -> Terminal:
    terminal = dead()
    terminal.give(f"failover --approve {INCIDENT} --epoch 1")
    return terminal


def denied() -> Terminal:
    terminal = failed_over_by_approval()
    terminal.function.failure = ClientError({"Error": {"Code": "AccessDeniedException", "Message": DENIED}}, "Invoke")
    return terminal


# In the order in which the page has them; what is not a command to a controller has a test of its own below.
SITUATIONS: tuple[Callable[[], Terminal] | None, ...] = (
    None,
    None,
    healthy,
    failed_over_by_approval,
    not_prepared,
    dead,
    denied,
    healthy,
    paused,
    healthy,
    dead,
    None,
)


def words_of(command: str) -> list[str]:
    name, *given = shlex.split(command.removeprefix("./dr "))
    return [name, *(word for word in given if word != "--")]


def test_every_example_has_its_situation() -> None:
    assert len(EXAMPLES) == len(SITUATIONS)


@pytest.mark.parametrize("number", [number for number, situation in enumerate(SITUATIONS) if situation is not None])
def test_an_example_is_what_the_command_prints(number: int) -> None:
    situation, (command, lines) = SITUATIONS[number], EXAMPLES[number]
    assert situation is not None
    terminal = situation()
    terminal.give_words(*words_of(command))
    assert difference(lines, terminal.person.lines) is None


def test_the_example_of_a_reprotection_is_what_its_dry_run_prints() -> None:
    command, lines = EXAMPLES[11]
    _, *given = words_of(command)
    _, person = give(failed_over(), " ".join(given))
    assert difference(lines, person.lines) is None


def test_the_example_of_another_stacks_outputs_is_what_the_refusal_says(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command, (line,) = EXAMPLES[0]
    file = outputs_file(tmp_path, stackName="lab")
    assert main([*words_of(command), "--outputs", str(file)]) == 2
    assert capsys.readouterr().err.strip() == line.replace(
        "/home/alice/postgres-dr/cfn-outputs/flat-outputs.json", str(file)
    )


def test_the_example_of_another_accounts_credentials_is_what_the_refusal_says() -> None:
    _, (line,) = EXAMPLES[1]
    role = "arn:aws:iam::000000000000:role/operator-recovery-lab"
    lab = replace(DEPLOYMENT, stack_name="lab", account_id="000000000000", operator_role_arn=role)
    with pytest.raises(SettingsError) as refused:
        access._refuse_another_account(lab, ACCOUNT, f"arn:aws:iam::{ACCOUNT}:user/alice", role)
    assert f"error: {refused.value}" == line


def test_a_line_that_is_not_printed_is_found() -> None:
    printed = ["first", "second", "third", "fourth"]
    for shown in (["first", "...", "third"], ["...", "third", "fourth"], printed):
        assert difference(shown, printed) is None
    for shown in (["second"], ["first", "third"], ["...", "second", "fourth"], ["first", "...", "fifth"]):
        assert difference(shown, printed) is not None
