"""The stand-in answers what its sample answers say, which are held against the real CLI elsewhere."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from deployment.arguments import Command
from tests.deployment.checkout import Checkout
from tests.deployment.conftest import Carry
from tests.deployment.recorder import StandIn
from tests.deployment.stand_in import sample_answers


@pytest.fixture
def network(checkout: Checkout) -> Path:
    return checkout.root / "projects" / "network"


def call(folder: Path, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    executable = shutil.which("pulumi")
    assert executable is not None
    return subprocess.run(
        [executable, *arguments], cwd=folder, input=stdin, capture_output=True, text=True, check=False
    )


def keys(answer: object) -> object:
    """The shape of an answer."""
    if isinstance(answer, dict):
        return {key: keys(value) for key, value in answer.items() if key != "outputs"}
    return [keys(each) for each in answer[:1]] if isinstance(answer, list) else type(answer)


@pytest.mark.parametrize(
    ("answer", "arguments"),
    [
        ("whoami", ["whoami", "--json", "--verbose", "--non-interactive"]),
        ("stack ls", ["stack", "ls", "--json"]),
        ("stack export", ["stack", "export", "--stack", "dev"]),
        ("stack export of an empty stack", ["stack", "export", "--stack", "empty"]),
    ],
)
def test_what_it_prints_has_the_keys_of_the_samples(
    pulumi: StandIn, network: Path, answer: str, arguments: list[str]
) -> None:
    pulumi.has("network", {"primaryVpcId": "vpc-1"}, resources=[])
    pulumi.has_empty("network", "empty")
    assert keys(json.loads(call(network, *arguments).stdout)) == keys(sample_answers()[answer])


def test_what_it_logs_has_the_keys_of_the_sample(
    pulumi: StandIn, network: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PULUMI_DEBUG_COMMANDS", "true")
    pulumi.has_empty("network")
    log = tmp_path / "events"
    assert call(network, "preview", "--stack", "dev", "--event-log", str(log)).returncode == 0
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    (sample,) = [line for line in lines if "summaryEvent" in line]
    expected = sample_answers()["event log line"]
    assert isinstance(expected, dict)
    assert sample.keys() == expected.keys()
    assert sample["summaryEvent"].keys() == expected["summaryEvent"].keys()


@pytest.mark.parametrize(
    ("arguments", "exit_code", "message"),
    [
        (["stack", "export", "--stack", "nowhere"], 6, "no stack named 'nowhere' found"),
        (["preview", "--stack", "nowhere"], 6, "no stack named 'nowhere' found"),
        (["destroy", "--stack", "nowhere", "--yes"], 6, "no stack named 'nowhere' found"),
        (["up", "--stack", "dev"], 2, "must be passed in to proceed when running in non-interactive mode"),
        (["stack", "init", "dev", "--no-select"], 1, "stack 'organization/postgres-dr-network/dev' already exists"),
        (["preview", "--stack", "dev", "--yes"], 1, "unknown flag: --yes"),
        (["preview", "--stack", "dev", "--event-log", "events"], 1, "unknown flag: --event-log"),
        (["destroy", "--stack", "dev", "--yes", "--expect-no-changes"], 1, "unknown flag: --expect-no-changes"),
        (["preview", "--stack", "dev", "--expect-no-changes"], 7, "changes were proposed"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_the_real_one_refuses_is_refused(
    pulumi: StandIn, network: Path, arguments: list[str], exit_code: int, message: str
) -> None:
    pulumi.has_empty("network")
    ended = call(network, *arguments)
    assert ended.returncode == exit_code
    assert message in ended.stderr


def test_a_state_of_another_stack_is_not_imported(pulumi: StandIn, network: Path) -> None:
    pulumi.has_empty("network")
    state = json.dumps(sample_answers()["stack export"])
    assert call(network, "stack", "import", "--stack", "dev", stdin=state).returncode == 0
    refused = call(network, "stack", "import", "--stack", "dev", stdin=state.replace("pulumi:dev::", "pulumi:lab::"))
    assert "is from a different stack" in refused.stderr


def test_it_writes_a_salt_into_a_file_that_it_is_left_to(
    pulumi: StandIn, network: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pulumi.has_empty("network")
    file = network / "Pulumi.dev.yaml"
    before = file.read_text()
    monkeypatch.setenv("PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER", "true")
    assert call(network, "preview", "--stack", "dev").returncode == 0
    assert file.read_text() == f"{before}encryptionsalt: v1:person\n"
    assert call(network, "stack", "init", "other", "--no-select").returncode == 0
    assert (network / "Pulumi.other.yaml").read_text().startswith("encryptionsalt: v1:")


def test_a_program_above_a_missing_layer_fails(carry: Carry, pulumi: StandIn) -> None:
    pulumi.has_empty("network")
    pulumi.has_empty("data")
    with pytest.raises(Exception, match="stopped at data"):
        carry(Command.DEPLOY, "data", "--yes")
