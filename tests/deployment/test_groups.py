"""A database group that was replaced reaches the open databases, after a yes, and never one that is shut in."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError
from hypothesis import given
from hypothesis import strategies as st

from deployment import groups
from deployment.groups import put_right, why_left_alone
from deployment.situation import Condition, Situation
from shared.environment import Environment
from shared.errors import SettingsError
from shared.layers import REPOSITORY_ROOT
from shared.sites import Site
from tests.examples import examples_of

REGIONS = {"ap-southeast-2": "primary", "ap-southeast-1": "recovery"}
NETWORK = {
    f"{site}{kind}SecurityGroupId": f"sg-{kind.lower()}-{site}"
    for site in REGIONS.values()
    for kind in ("Database", "Quarantine", "Inspection")
}
SHUT = {"sg-quarantine": "quarantine", "sg-inspection": "inspection"}
PRIMARY, RECOVERY = "database-primary-dev", "database-recovery-dev"


class Aws:
    """RDS and EC2 of both regions, the record, and a person."""

    def __init__(self) -> None:
        self.groups = {PRIMARY: {"sg-old-primary"}, RECOVERY: {"sg-old-recovery"}}
        self.replicas = {RECOVERY}
        self.ruleless: set[str] = set()
        self.rules: dict[str, dict[str, Any]] = {}
        self.writer = Site.PRIMARY
        self.set: list[tuple[str, dict[str, Any]]] = []
        self.questions: list[str] = []
        self.lines: list[str] = []
        self.slow = 0
        self.dark: str | None = None
        self.answer = True

    def client(self, service: str, region: str) -> Any:
        aws = self

        class Client:
            def describe_security_groups(self, *, GroupIds: list[str]) -> dict[str, Any]:  # noqa: N803
                rules = {each: [{"IpProtocol": "tcp", **aws.rules.get(each, {})}] for each in GroupIds}
                found = [
                    {"GroupId": each, "IpPermissions": [] if each in aws.ruleless else rules[each]} for each in GroupIds
                ]
                return {"SecurityGroups": found}

            def modify_db_instance(self, *, DBInstanceIdentifier: str, **settings: Any) -> None:  # noqa: N803
                aws.set.append((DBInstanceIdentifier, settings))
                aws.groups[DBInstanceIdentifier] = set(settings["VpcSecurityGroupIds"])

        return Client()

    def described(self, _client: Any, name: str) -> dict[str, Any] | None:
        if name == self.dark:
            raise ConnectTimeoutError(endpoint_url="https://rds")
        if name not in self.groups:
            return None
        status = "active"
        if self.set and self.slow:
            self.slow, status = self.slow - 1, "adding"
        instance: dict[str, Any] = {
            "VpcSecurityGroups": [{"VpcSecurityGroupId": each, "Status": status} for each in self.groups[name]]
        }
        return {**instance, "ReadReplicaSourceDBInstanceIdentifier": "arn"} if name in self.replicas else instance

    def ask(self, question: str) -> bool:
        self.questions.append(question)
        return self.answer


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Aws:
    made = Aws()
    monkeypatch.setattr(groups, "_client", made.client)
    monkeypatch.setattr(groups, "described", made.described)
    monkeypatch.setattr(groups, "settled_writer", lambda *_: made.writer)
    return made


def run(aws: Aws, dev: Environment) -> bool:
    return put_right(dev, NETWORK, aws.lines.append, aws.ask, sleep=lambda seconds: None)


def test_both_are_shown_asked_about_once_and_put_right(aws: Aws, dev: Environment) -> None:
    aws.slow = 2
    assert run(aws, dev)
    assert aws.lines[:2] == [
        f"{PRIMARY} stands in sg-old-primary, and would be put into sg-database-primary",
        f"{RECOVERY} stands in sg-old-recovery, and would be put into sg-database-recovery",
    ]
    assert aws.questions == [f"put {PRIMARY} and {RECOVERY} into the database group?"]
    # Without ApplyImmediately, which would apply whatever else is pending.
    assert aws.set == [
        (PRIMARY, {"VpcSecurityGroupIds": ["sg-database-primary"]}),
        (RECOVERY, {"VpcSecurityGroupIds": ["sg-database-recovery"]}),
    ]


def test_the_example_of_the_document_is_what_is_said(aws: Aws, dev: Environment) -> None:
    (example,) = [
        each for each in examples_of(REPOSITORY_ROOT / "docs" / "operating.md") if each.command == "./dr groups"
    ]

    def ask(question: str) -> bool:
        aws.lines.append(f"{question} Only yes means yes: yes")
        return True

    assert put_right(dev, NETWORK, aws.lines.append, ask, sleep=lambda seconds: None)
    assert tuple(aws.lines) == example.lines


def test_who_comes_in_by_an_old_group_alone_is_named_before_the_question(aws: Aws, dev: Environment) -> None:
    ranges = [{"CidrIp": block} for block in ("10.9.1.0/24", "10.0.0.0/16", "10.9.0.0/17")]
    aws.rules = {
        "sg-old-primary": {"IpRanges": ranges[:2], "UserIdGroupPairs": [{"GroupId": "sg-app"}]},
        "sg-database-primary": {"IpRanges": ranges[2:]},
    }
    aws.answer = False
    assert not run(aws, dev)
    assert aws.lines[0].endswith("into sg-database-primary, WHICH SHUTS OUT 10.0.0.0/16, sg-app")


def test_nothing_is_asked_where_all_is_right(aws: Aws, dev: Environment) -> None:
    aws.groups = {PRIMARY: {"sg-database-primary"}, RECOVERY: {"sg-database-recovery"}}
    assert run(aws, dev)
    assert aws.lines == [f"{name} stands in sg-database-{name.split('-')[1]}: that is right" for name in aws.groups]
    assert (aws.questions, aws.set) == ([], [])


def test_a_dark_region_does_not_keep_the_other_sites_database_from_its_group(aws: Aws, dev: Environment) -> None:
    aws.dark, aws.writer = PRIMARY, Site.RECOVERY
    assert run(aws, dev)
    assert "ap-southeast-2 does not answer, and nothing is done there" in aws.lines[0]
    assert aws.set == [(RECOVERY, {"VpcSecurityGroupIds": ["sg-database-recovery"]})]


def test_no_means_no(aws: Aws, dev: Environment) -> None:
    aws.answer = False
    assert not run(aws, dev)
    assert aws.set == []


@pytest.mark.parametrize("group", ["sg-quarantine-primary", "sg-inspection-primary", "sg-old-quarantine"])
def test_a_database_that_is_shut_in_stays_so(aws: Aws, dev: Environment, group: str) -> None:
    # Its site's database is the writer on record: a fence comes before the record moves.
    aws.groups[PRIMARY], aws.ruleless = {group}, {"sg-old-quarantine"}
    assert run(aws, dev)
    assert "shut in" in aws.lines[0]
    assert [name for name, _ in aws.set] == [RECOVERY]


def test_an_old_writer_is_never_opened(aws: Aws, dev: Environment) -> None:
    aws.writer, aws.replicas = Site.RECOVERY, set()
    assert run(aws, dev)
    assert "neither the writer on record nor a replica" in aws.lines[0]
    assert [name for name, _ in aws.set] == [RECOVERY]


def test_a_site_without_an_instance_is_passed_over(aws: Aws, dev: Environment) -> None:
    del aws.groups[RECOVERY]
    assert run(aws, dev)
    assert [name for name, _ in aws.set] == [PRIMARY]


def test_a_fence_between_question_and_answer_counts(aws: Aws, dev: Environment) -> None:
    def fenced(question: str) -> bool:
        aws.groups[PRIMARY] = {"sg-quarantine-primary"}
        return True

    aws.ask = fenced  # type: ignore[method-assign]
    with pytest.raises(SettingsError, match=r"database-primary-dev = \(changed meanwhile\): nothing was done with it"):
        run(aws, dev)
    assert aws.set == []


def test_a_group_that_rds_never_shows_is_told(aws: Aws, dev: Environment) -> None:
    aws.slow = 1000
    with pytest.raises(SettingsError, match="not in its group yet"):
        run(aws, dev)


def test_a_refusal_of_aws_is_one_line(aws: Aws, dev: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(*_: object) -> None:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "DescribeDBInstances")

    monkeypatch.setattr(groups, "described", denied)
    with pytest.raises(SettingsError, match=r"AWS = \(ClientError\): let these credentials do that"):
        run(aws, dev)


def test_without_the_network_layer_nothing_is_known(aws: Aws, dev: Environment) -> None:
    with pytest.raises(SettingsError, match="deploy it first"):
        put_right(dev, {}, aws.lines.append, aws.ask)


some_groups = st.frozensets(st.sampled_from(["sg-database", "sg-old", "sg-other", *SHUT]), max_size=3)


@given(some_groups, some_groups, st.booleans())
def test_only_what_serves_and_lets_somebody_in_is_moved(
    stands_in: frozenset[str], ruleless: frozenset[str], serves: bool
) -> None:
    reason = why_left_alone(stands_in, "sg-database", SHUT, serves=serves, ruleless=ruleless & stands_in)
    if reason is None:
        assert serves
        assert stands_in
        assert not stands_in & (SHUT.keys() | ruleless)
        assert stands_in != {"sg-database"}


@pytest.mark.parametrize("condition", [Condition.INCIDENT, Condition.HANDING_OVER, Condition.UNKNOWN])
def test_nothing_is_moved_while_the_writer_moves_or_is_unknown(
    condition: Condition, dev: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = None if condition is Condition.UNKNOWN else Site.PRIMARY
    situation = Situation(condition, Site.PRIMARY, writer, "it moves")
    monkeypatch.setattr(groups, "situation_of", lambda *_: situation)
    with pytest.raises(SettingsError, match="it moves: nothing was changed"):
        groups.put_right(dev, {}, print, lambda _: True)
