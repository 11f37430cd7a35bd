"""The command shows the SQL that prepares a database, and how to run it where; it needs no AWS."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from operations.__main__ import main
from operations.prepare_command import SQL_FILE, URI_KEY, USER_KEY
from shared.contracts import AutomationContract, DataContract
from tests.operations.terminal import outputs_file

URI = "postgresql://recovery.example:5432,primary.example:5432/app?target_session_attrs=read-write&sslmode={}"


def deployed(folder: Path, ssl_mode: str = "verify-full") -> Path:
    return outputs_file(folder, writerUri=URI.format(ssl_mode), masterUsername="owner")


def printed(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    assert main(["prepare-database", *map(str, arguments)]) == 0
    return capsys.readouterr().out


def test_the_outputs_are_in_the_layers_contracts() -> None:
    assert URI_KEY in {field.key for field in AutomationContract.fields()}
    assert USER_KEY in {field.key for field in DataContract.fields()}


def test_the_sql_alone_can_go_to_psql(capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(capsys, "--sql", "--outputs", "/nowhere") == SQL_FILE.read_text()


def test_it_says_who_runs_it_where_and_how(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = printed(capsys, "--outputs", deployed(tmp_path))
    assert said.startswith("stack test, account 111122223333")
    assert SQL_FILE.read_text() in said
    for part in ("master user", "on the writer, in database postgres"):
        assert part in said
    (line,) = (line for line in said.splitlines() if " psql " in line)
    assert (
        "psql 'postgresql://owner@recovery.example:5432,primary.example:5432/postgres"
        "?target_session_attrs=read-write&sslmode=verify-full'"
    ) in line
    assert line.strip().startswith("PGSSLROOTCERT=projects/dr-automation/functions/health_probe/rds_authorities.pem ")


def test_where_clients_do_not_verify_no_authorities_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "PGSSLROOTCERT" not in printed(capsys, "--outputs", deployed(tmp_path, "require"))


def test_before_a_deploy_the_address_is_left_open(capsys: pytest.CaptureFixture[str]) -> None:
    assert "MASTER_USER@WRITER" in printed(capsys, "--outputs", "/nowhere")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(["--stack", "prod"], "--stack = prod: "), ([], "writerUri = (not in the outputs): deploy all layers")],
)
def test_the_wrong_outputs_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    file = outputs_file(tmp_path)
    assert "writerUri" not in json.loads(file.read_text())
    assert main(["prepare-database", "--outputs", str(file), *arguments]) == 2
    assert message in capsys.readouterr().err
