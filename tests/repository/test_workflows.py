"""The workflows of GitHub Actions: their syntax, their permissions and the commands in them.

None of them can run here. These tests cannot tell whether GitHub, AWS, the real CLI and the real provider do what the
files expect.
"""

from __future__ import annotations

import importlib.util
import re
import shlex
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from deployment import new_environment
from deployment.arguments import Command, parse
from lab import __main__ as lab_commands
from shared.layers import LAYERS, REPOSITORY_ROOT
from shared.naming import checked_suffix
from tests.repository.sessions import sessions

GITHUB = REPOSITORY_ROOT / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").iterdir())
ACTIONS = sorted((GITHUB / "actions").glob("*/action.yml"))
DOCUMENT = (REPOSITORY_ROOT / "docs" / "continuous-delivery.md").read_text(encoding="utf-8")
# Example values for the workflows' variables.
VARIABLES = {"$STACK": "dev", "$LAYER": "network", "$ACCOUNT": "111122223333"}
SAME_REPOSITORY = "github.event.pull_request.head.repo.full_name == github.repository"
SIGN_IN = "./.github/actions/sign-in"


def read(file: Path) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return document


@dataclass(frozen=True)
class Job:
    """One job of a workflow, with what it inherits from the workflow."""

    file: Path
    name: str
    workflow: dict[str, Any]
    content: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.file.stem}-{self.name}"

    @property
    def permissions(self) -> dict[str, str]:
        own: dict[str, str] = self.content.get("permissions", self.workflow["permissions"])
        return own

    @property
    def steps(self) -> list[dict[str, Any]]:
        steps: list[dict[str, Any]] = self.content.get("steps", [])
        return steps

    @property
    def environment(self) -> str | None:
        given = self.content.get("environment")
        name: str | None = given["name"] if isinstance(given, dict) else given
        return name

    @property
    def triggers(self) -> set[str]:
        # PyYAML reads YAML 1.1, in which the key `on` is true.
        return set(self.workflow[True])  # type: ignore[index]

    @property
    def commands(self) -> list[list[str]]:
        return [command for step in self.steps for command in commands_of(step.get("run", ""))]


def commands_of(script: str) -> list[list[str]]:
    """The calls of ``./dr`` in a script, each without pipes and redirections."""
    found = []
    for line in script.replace("\\\n", " ").splitlines():
        words = list(shlex.shlex(line, posix=True, punctuation_chars=True))
        if "./dr" in words:
            found.append(_until_the_shells(words[words.index("./dr") :]))
    return found


def _until_the_shells(words: list[str]) -> list[str]:
    for index, word in enumerate(words):
        if word and set(word) <= set("();<>|&"):
            return words[: index - 1] if words[index - 1].isdigit() else words[:index]
    return words


def scripts() -> Iterator[tuple[str, str]]:
    for job in JOBS:
        for number, step in enumerate(job.steps):
            if "run" in step:
                yield f"{job}-{number}", step["run"]
    for file in ACTIONS:
        for number, step in enumerate(read(file)["runs"]["steps"]):
            if "run" in step:
                yield f"{file.parent.name}-{number}", step["run"]


def check_arguments(session: str, arguments: Sequence[str]) -> None:
    """Parse the arguments as the command will.

    Raises:
        SettingsError: the command would refuse them.
    """
    given = [VARIABLES.get(word, word) for word in arguments]
    assert [word for word in given if "$" in word] == [], "give it a value in VARIABLES"
    if session == new_environment.COMMAND:
        new_environment.parse(given)
    elif session in tuple(Command):
        # The repository has no stack prod.
        parse(Command(session), ["dev" if word == "prod" else word for word in given])
    elif session == "integration":
        assert [word for word in given if "/" in word and not (REPOSITORY_ROOT / word).is_dir()] == []
    else:
        assert (session, given) in (("lab", ["--empty"]), ("mutation", []))


def script_of_github(name: str) -> ModuleType:
    """A script of the workflows, as a module."""
    spec = importlib.util.spec_from_file_location(name, GITHUB / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


JOBS = [Job(file, name, read(file), content) for file in WORKFLOWS for name, content in read(file)["jobs"].items()]
SCRIPTS = dict(scripts())
COMMANDS = {f"{name}: {' '.join(words)}": words for name, text in SCRIPTS.items() for words in commands_of(text)}
each_job = pytest.mark.parametrize("job", JOBS, ids=str)
each_file = pytest.mark.parametrize("file", [*WORKFLOWS, *ACTIONS], ids=lambda file: str(file.relative_to(GITHUB)))


def test_the_document_names_every_workflow() -> None:
    assert {file.name for file in WORKFLOWS} == set(re.findall(r"^\| `([a-z-]+\.yml)` \|", DOCUMENT, re.MULTILINE))


@each_file
def test_an_action_is_pinned_by_its_commit_with_the_version_beside_it(file: Path) -> None:
    used = re.findall(r"uses: *(.+)", file.read_text(encoding="utf-8"))
    for action in used:
        if action.startswith("./"):
            assert (REPOSITORY_ROOT / action[action.index(".github/") :]).exists(), action
        else:
            assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action), action


def test_an_action_has_one_version_in_all_files() -> None:
    texts = "".join(file.read_text(encoding="utf-8") for file in (*WORKFLOWS, *ACTIONS))
    used = set(re.findall(r"uses: *([^.\s]+)@(.+)", texts))
    assert len(used) == len({action for action, _ in used})
    assert len(set(re.findall(r"pulumi-version: (.+)", texts))) == 1


def test_the_pulumi_cli_is_new_enough_for_the_projects() -> None:
    (pinned,) = {
        step["with"]["pulumi-version"]
        for step in read(GITHUB / "actions" / "sign-in" / "action.yml")["runs"]["steps"]
        if str(step.get("uses")).startswith("pulumi/actions@")
    }
    for known in LAYERS:
        least = read(known.folder / "Pulumi.yaml")["requiredPulumiVersion"].removeprefix(">=")
        assert [int(part) for part in pinned.split(".")] >= [int(part) for part in least.split(".")]


@each_job
def test_a_job_has_a_time_limit(job: Job) -> None:
    # One that calls a workflow has that workflow's limits.
    assert "uses" in job.content or 0 < job.content["timeout-minutes"] <= 110


@each_job
def test_a_job_has_only_the_write_permissions_it_needs(job: Job) -> None:
    assert job.workflow["permissions"] == {"contents": "read"}
    writes = {what for what, right in job.permissions.items() if right == "write"}
    signs_in = any(step.get("uses") == SIGN_IN for step in job.steps)
    speaks = {"preview-comment": {"pull-requests"}, "drift-drift": {"issues"}}.get(str(job), set())
    assert writes == speaks | ({"id-token"} if signs_in else set())


@each_job
def test_a_job_with_credentials_names_an_environment_and_keeps_forks_out(job: Job) -> None:
    if job.permissions.get("id-token") == "write":
        # The roles trust one environment each.
        assert job.environment
        assert f"`{job.environment.replace('${{ matrix.stack }}', 'dev')}`" in DOCUMENT
        assert "pull_request" not in job.triggers or SAME_REPOSITORY in job.content["if"]


@each_job
def test_a_checkout_does_not_keep_the_token(job: Job) -> None:
    for step in job.steps:
        if str(step.get("uses")).startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False


@each_job
def test_of_two_jobs_that_change_one_stack_the_second_waits(job: Job) -> None:
    signs_in = any(step.get("uses") == SIGN_IN for step in job.steps)
    if signs_in and any(command[1] in ("deploy", "destroy", "refresh") for command in job.commands):
        assert job.content["concurrency"]["cancel-in-progress"] is False
        assert re.search(r"deploy-(dev|prod)|environment-", job.content["concurrency"]["group"])
        # The credentials outlive the job, so that they do not expire in the middle of a change.
        (duration,) = (int(step["with"]["duration-seconds"]) for step in job.steps if step.get("uses") == SIGN_IN)
        assert duration > job.content["timeout-minutes"] * 60


def test_a_deploy_comes_after_the_checks_and_production_after_dev_and_a_reviewer() -> None:
    deploy = {job.name: job for job in JOBS if job.file.name == "deploy.yml"}
    assert deploy["dev"].content["needs"] == "checks"
    assert deploy["prod"].content["needs"] == "dev"
    assert deploy["prod"].environment == "prod"
    assert deploy["prod"].triggers == {"push", "workflow_dispatch"}


@pytest.mark.parametrize("words", COMMANDS.values(), ids=COMMANDS)
def test_production_is_named_in_deploys_to_production_only(words: list[str]) -> None:
    changes_production = words[1] in ("deploy", "destroy", "refresh") and "prod" in words
    assert ("--production" in words) is changes_production


@each_file
def test_no_foreign_code_runs_with_permissions_and_no_aws_key_is_stored(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert "pull_request_target" not in text
    assert "workflow_run" not in text
    assert "secrets: inherit" not in text
    assert not re.search("access.key", text, re.IGNORECASE)


@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS)
def test_a_script_is_bash_and_gets_every_value_as_a_variable(script: str) -> None:
    # GitHub pastes ${{ }} into the script as code, and a branch may be called $(...).
    assert "${{" not in script
    checked = subprocess.run(["bash", "-n"], input=script, text=True, capture_output=True, check=False)
    assert (checked.returncode, checked.stderr) == (0, "")


@each_job
def test_a_script_stops_at_its_first_failure_even_in_a_pipe(job: Job) -> None:
    # GitHub's bash has pipefail only if the shell is named.
    if any("run" in step for step in job.steps):
        assert job.workflow["defaults"] == {"run": {"shell": "bash"}}


@pytest.mark.parametrize("words", COMMANDS.values(), ids=COMMANDS)
def test_a_command_is_a_session_that_accepts_its_arguments(words: list[str]) -> None:
    _, session, *rest = words
    assert session in sessions()
    assert rest[:1] in ([], ["--"])
    check_arguments(session, rest[1:])


def test_the_workflows_call_their_commands() -> None:
    called = {(job.file.stem, command[1]) for job in JOBS for command in job.commands}
    assert {
        ("preview", "preview"),
        ("deploy", "deploy"),
        ("drift", "drift"),
        ("environment", "environment"),
        ("environment", "deploy"),
        ("environment", "destroy"),
        ("sweep", "destroy"),
        ("real-provider", "deploy"),
        ("real-provider", "destroy"),
    } <= called
    assert ".ci/run" in SCRIPTS.values()


def test_the_name_of_a_pull_requests_environment_is_a_valid_suffix() -> None:
    named = {job.content["env"]["STACK"] for job in JOBS if job.file.stem == "environment"}
    assert named == {"pr-${{ github.event.pull_request.number }}"}
    assert checked_suffix("pr-1234567") == "pr-1234567"


def test_the_job_for_plain_pulumi_never_calls_dr() -> None:
    (job,) = (job for job in JOBS if job.name == "plain-pulumi")
    assert job.commands == []
    calls = "".join(step.get("run", "") for step in job.steps if "project" in step.get("working-directory", ""))
    assert {"install", "preview", "up", "destroy"} <= set(re.findall(r"pulumi ([a-z]+)", calls))


def test_the_lab_prints_what_the_workflows_wait_for_and_read() -> None:
    waits_for = set(re.findall(r"grep -q '([^']+)'", "".join(SCRIPTS.values())))
    printed = Path(str(lab_commands.__file__)).read_text(encoding="utf-8")
    assert len(waits_for) == 2
    assert [line for line in waits_for if line not in printed] == []
    assert "'s/^  export //p'" in SCRIPTS["lab-0"]
    assert 'f"  export {name}={value}"' in printed


def test_every_variable_and_secret_is_described() -> None:
    texts = "".join(file.read_text(encoding="utf-8") for file in WORKFLOWS)
    names = set(re.findall(r"(?:vars|secrets)\.([A-Z_]+)", texts))
    assert [name for name in sorted(names) if f"`{name}`" not in DOCUMENT] == []
    assert {"AWS_ROLE", "STACKS"} <= names


def test_the_document_says_that_no_workflow_has_run() -> None:
    assert "none of these workflows has run" in DOCUMENT


@pytest.mark.parametrize(
    ("paths", "layers"),
    [
        (["projects/data/data_layer/settings.py"], ["data"]),
        (["projects/observability/README.md", "projects/network/Pulumi.dev.yaml"], ["network", "observability"]),
        (["shared/contracts.py"], [known.name for known in LAYERS]),
        (["environments/dev.yaml"], [known.name for known in LAYERS]),
        (["requirements.lock"], [known.name for known in LAYERS]),
        (["deployment/operation.py", "lab/lab.py", "README.md", "projects/README.md", "docs/shared/x.md"], []),
        ([], []),
    ],
    ids=str,
)
def test_the_changed_files_decide_which_layers_are_previewed(paths: list[str], layers: list[str]) -> None:
    assert script_of_github("touched_layers").touched(paths) == layers


def test_a_moved_file_touches_both_layers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = script_of_github("touched_layers")
    monkeypatch.setattr(module, "REPOSITORY_ROOT", tmp_path)
    for old, new in ((None, "projects/network/a name.py"), ("projects/network/a name.py", "projects/data/ä.py")):
        (tmp_path / new).parent.mkdir(parents=True)
        (tmp_path / new).write_text("the same text\n") if old is None else (tmp_path / old).rename(tmp_path / new)
        for call in (["init", "-q"], ["add", "."], ["-c", "user.name=a", "-c", "user.email=a", "commit", "-qm", "a"]):
            subprocess.run(["git", *call], cwd=tmp_path, check=True)
    assert module.touched(module.changed_since("HEAD^1")) == ["network", "data"]


def test_an_environment_is_forgotten_if_no_open_pull_request_wants_it() -> None:
    stacks = ["dev", "pr-1", "pr-2", "organization/pr-3", "prod", "pr-x", "my-pr-4", "pr-1"]
    assert script_of_github("forgotten_environments").forgotten(stacks, [2, 9]) == ["pr-1", "pr-3"]
