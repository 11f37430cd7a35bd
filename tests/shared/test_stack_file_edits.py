"""A setting is changed in its line; everything that people wrote around it stays."""

from __future__ import annotations

import pytest

from shared.errors import SettingsError
from shared.stack_file_edits import edited

FILE = """\
# The environment of tests.
secretsprovider: awskms://alias/secrets
config:
  pulumi:disable-default-providers:
    - aws
  postgres-dr-data:secretId: postgres-dr/dev/master
  postgres-dr-data:activeSite: primary  # since the planned failover in May
  # How often the database was made.
  postgres-dr-data:recoveryGeneration: 1
encryptedkey: a2V5
"""
PROJECT = "postgres-dr-data"


def changed(**values: str | None) -> list[str]:
    """The lines that are not in the file, and those of it that are gone."""
    after = edited(FILE, PROJECT, values).splitlines()
    before = FILE.splitlines()
    return [f"+{line}" for line in after if line not in before] + [f"-{line}" for line in before if line not in after]


def test_a_value_is_changed_and_its_comment_stays() -> None:
    assert changed(activeSite="recovery") == [
        "+  postgres-dr-data:activeSite: recovery  # since the planned failover in May",
        "-  postgres-dr-data:activeSite: primary  # since the planned failover in May",
    ]


def test_a_new_setting_comes_last_in_the_configuration_and_before_what_follows_it() -> None:
    after = edited(FILE, PROJECT, {"retiring": "primary"}).splitlines()
    assert after[-2:] == ["  postgres-dr-data:retiring: primary", "encryptedkey: a2V5"]


def test_a_setting_is_taken_out_and_taking_out_what_is_not_there_changes_nothing() -> None:
    assert changed(activeSite=None) == ["-  postgres-dr-data:activeSite: primary  # since the planned failover in May"]
    assert changed(retiring=None) == []


def test_what_yaml_would_read_as_something_else_is_quoted() -> None:
    arn = "replica arn:aws:rds:ap-southeast-2:111122223333:db:database-primary-dev"
    assert changed(recoveryBirth=arn) == [f'+  postgres-dr-data:recoveryBirth: "{arn}"']


def test_several_are_changed_at_once() -> None:
    after = edited(FILE, PROJECT, {"recoveryGeneration": "2", "recoveryBirth": "replica", "activeSite": None})
    assert edited(after, PROJECT, {"recoveryGeneration": "2", "recoveryBirth": "replica"}) == after
    assert "  postgres-dr-data:recoveryGeneration: 2\n" in after


def test_a_file_without_settings_gets_them() -> None:
    assert edited("", PROJECT, {"activeSite": "recovery"}) == "config:\n  postgres-dr-data:activeSite: recovery\n"


def test_a_file_that_cannot_be_changed_by_lines_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"activeSite = .not changed.: .*set them in it by hand"):
        edited("config: {postgres-dr-data:activeSite: primary}\n", PROJECT, {"activeSite": "recovery"})
