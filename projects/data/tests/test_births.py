"""A birth is text that is read back as the same birth; what is none is one line that says what would be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_layer.births import (
    Arn,
    Birth,
    FromPointInTime,
    FromSnapshot,
    NoInstance,
    Original,
    Replica,
    parse_birth,
)
from shared.errors import SettingsError

names = st.from_regex(r"[a-z][a-z0-9]{0,9}(-[a-z0-9]{1,9}){0,3}", fullmatch=True)
regions = st.sampled_from(["ap-southeast-1", "ap-southeast-2", "eu-central-1"])
accounts = st.from_regex(r"[0-9]{12}", fullmatch=True).filter(str.isascii)
backups = st.from_regex(r"ab-[a-z0-9]{4,39}", fullmatch=True)


def arns(kind: str, name: st.SearchStrategy[str]) -> st.SearchStrategy[Arn]:
    return st.builds(Arn, regions, accounts, st.just(kind), name)


moments = st.datetimes().map(lambda moment: f"{moment:%Y-%m-%dT%H:%M:%SZ}").filter(lambda text: len(text) == 20)
births: st.SearchStrategy[Birth] = st.one_of(
    st.just(Original()),
    st.just(NoInstance()),
    st.just(Replica()),
    st.builds(Replica, arns("db", names)),
    st.builds(FromSnapshot, names | names.map("rds:{}".format) | arns("snapshot", names)),
    st.builds(FromPointInTime, arns("db", names) | arns("auto-backup", backups), st.none() | moments),
)


@given(births, st.sampled_from([" ", "  ", "\t"]))
def test_what_is_printed_is_read_back(birth: Birth, space: str) -> None:
    assert parse_birth("primaryBirth", str(birth)) == birth
    assert parse_birth("primaryBirth", f"{space}{str(birth).replace(' ', space)}\n") == birth


@given(st.text(max_size=60) | st.lists(st.sampled_from(["replica", "none", "a", "arn:aws:rds:x"])).map(" ".join))
def test_any_text_is_a_birth_or_refused_with_key_value_and_remedy(text: str) -> None:
    refused: list[SettingsError] = []
    try:
        assert str(parse_birth("recoveryBirth", text)) == " ".join(text.split())
    except SettingsError as error:
        refused.append(error)
    assert all((each.key, each.value) == ("recoveryBirth", text) and each.remedy for each in refused)


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("orginal", "give one of: original, replica, "),
        ("Original", "give one of: original"),
        ("original database-primary-dev", "give one of: original"),
        ("snapshot", "give one of: original"),
        ("point-in-time arn:aws:rds:ap-southeast-1:111122223333:auto-backup:ab-1", "give one of: original"),
        ("replica database-primary-dev", "database-primary-dev is no ARN as it is needed here: give arn:aws:rds:"),
        ("replica arn:aws:rds:ap-southeast-2:111122223333:snapshot:x", "give arn:aws:rds:<region>:<account>:db:<name>"),
        ("replica arn:aws:rds:ap-southeast-2:1111:db:x", "is no ARN"),
        ("replica arn:aws:rds:ap-southeast-2:111122223333:db:x--y", "is no ARN"),
        ("snapshot my_snapshot", "give the name of a snapshot as RDS lists it"),
        ("snapshot arn:aws:rds:ap-southeast-2:111122223333:db:x", ":snapshot:<name>"),
        ("point-in-time arn:aws:rds:ap-southeast-1:111122223333:auto-backup:ab-1 now", "end it with latest or a time"),
        ("point-in-time arn:aws:rds:ap-southeast-1:111122223333:db:x 2026-05-04", "2026-05-04T03:02:01Z"),
        ("point-in-time arn:aws:rds:ap-southeast-1:111122223333:db:x 2026-13-04T00:00:00Z", "a time in UTC"),
        ("point-in-time arn:aws:rds:ap-southeast-1:111122223333:snapshot:x latest", "or arn:aws:rds:<region>"),
    ],
)
def test_a_mistake_is_one_line_that_says_what_would_be_right(text: str, remedy: str) -> None:
    with pytest.raises(SettingsError) as refused:
        parse_birth("primaryBirth", text)
    assert str(refused.value).startswith(f"primaryBirth = {text}: ")
    assert remedy in str(refused.value)
