"""Names carry the suffix (P1) and stay within what AWS takes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import SettingsError
from shared.naming import NAME_MAXIMUM_LENGTH, SUFFIX_MAXIMUM_LENGTH, Names, checked_suffix
from shared.sites import Site


def test_a_name_says_what_where_and_which_environment() -> None:
    assert Names("dev").of("database", Site.PRIMARY) == "database-primary-dev"


@pytest.mark.parametrize("suffix", ["", "Dev", "1dev", "dev-", "-dev", "dev--1", "dév", "dev_1", "dev.1"])
def test_a_suffix_with_characters_that_break_a_name_is_refused(suffix: str) -> None:
    with pytest.raises(SettingsError, match=r"environmentSuffix = .*lower-case letter"):
        checked_suffix(suffix)


def test_a_suffix_that_is_too_long_is_refused() -> None:
    with pytest.raises(SettingsError, match=f"at most {SUFFIX_MAXIMUM_LENGTH} characters"):
        checked_suffix("a" * (SUFFIX_MAXIMUM_LENGTH + 1))


def test_a_name_longer_than_aws_takes_is_refused_where_it_is_made() -> None:
    with pytest.raises(SettingsError, match="shorten the suffix"):
        Names("dev").of("x" * NAME_MAXIMUM_LENGTH, Site.PRIMARY)


@given(st.from_regex(r"[a-z][a-z0-9]{0,6}(-[a-z0-9]{1,3}){0,2}", fullmatch=True))
def test_every_accepted_suffix_makes_a_valid_rds_identifier(suffix: str) -> None:
    name = Names(checked_suffix(suffix)).of("database", Site.RECOVERY)
    assert name[0].isalpha()
    assert not name.endswith("-")
    assert "--" not in name
    assert len(name) <= 63
