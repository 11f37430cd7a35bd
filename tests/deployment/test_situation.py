"""Both tables and RDS together say who the writer is; a dark region's silence is not taken for anything else."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ConnectTimeoutError

from deployment import situation_in_aws
from deployment.situation import Condition, Holds, Situation, assess
from deployment.situation_in_aws import active_site, holds, recorded_writer, situation_of
from deployment.state_tables import Answer, Table
from function_runtime.items import serialized
from function_runtime.sites import Site as FunctionSite
from function_runtime.state import Controller
from shared.environment import Environment
from shared.errors import SettingsError
from shared.sites import Site
from tests.deployment.checkout import Checkout
from tests.stubbed import stubbed

P, R = Site.PRIMARY, Site.RECOVERY


def record(site: Site, authority: Site, writer: Site = P, epoch: int = 0, **more: Any) -> Table:
    known = Controller(
        version=1,
        epoch=epoch,
        writer_site=FunctionSite(writer.value),
        authority=FunctionSite(authority.value),
        incident_id=more.pop("incident_id", None),
    )
    return Table(FunctionSite(site.value), Answer.RECORD, known, **more)


def without(site: Site, answer: Answer) -> Table:
    return Table(FunctionSite(site.value), answer, why=f"table of {site}: {answer}")


def met(
    primary: Table, recovery: Table, databases: tuple[Holds, Holds], active: Site = P, said: Site | None = None
) -> Situation:
    tables = {FunctionSite.PRIMARY: primary, FunctionSite.RECOVERY: recovery}
    return assess(tables, dict(zip(Site, databases, strict=True)), active, said)


WELL = (Holds.STANDALONE, Holds.REPLICA)
MOVED = (Holds.SHUT, Holds.STANDALONE)
NOTHING = (Holds.NOTHING, Holds.NOTHING)
BOTH = record(P, R), record(R, R)
FAILED_OVER = record(P, R), record(R, R, R, 1)


def test_the_record_is_followed_or_not() -> None:
    assert met(*BOTH, WELL).condition is Condition.FOLLOWED
    moved = met(*FAILED_OVER, MOVED)
    assert (moved.condition, moved.writer) == (Condition.NOT_FOLLOWED, R)
    assert moved.why == "the recovery site is the writer since a failover (epoch 1)"
    assert met(*FAILED_OVER, MOVED, active=R).condition is Condition.FOLLOWED


def test_without_a_record_that_can_be_read_a_persons_word_is_followed_or_not() -> None:
    unreadable = without(P, Answer.REFUSED), record(R, P)
    assert met(*unreadable, WELL).why == f"the record cannot be read (primary: {unreadable[0].why})"
    assert met(*unreadable, WELL, said=P).condition is Condition.FOLLOWED
    moved = met(*unreadable, WELL, said=R)
    assert (moved.condition, moved.writer) == (Condition.NOT_FOLLOWED, R)


def test_two_records_that_each_name_the_other_site_are_none() -> None:
    found = met(record(P, R), record(R, P), WELL)
    assert found.condition is Condition.UNKNOWN
    assert "neither table says that its own site has authority" in found.why


@pytest.mark.parametrize("site", list(Site))
def test_an_incident_in_either_table_counts(site: Site) -> None:
    tables = {each: record(each, R) for each in Site}
    tables[site] = record(site, R, incident_id="000002-x")
    found = met(tables[P], tables[R], WELL)
    assert (found.condition, found.why) == (Condition.INCIDENT, "incident 000002-x, a failover, is under way")


def test_a_handover_counts_also_between_giving_up_and_taking() -> None:
    giver = record(R, P, R, 1, handover={"to": "primary"})
    found = met(record(P, R, R, 1), giver, MOVED, active=R)
    assert (found.condition, found.writer) == (Condition.HANDING_OVER, R)


@pytest.mark.parametrize("answer", [Answer.SILENT])
def test_of_a_dark_region_the_other_table_is_enough_if_it_has_authority(answer: Answer) -> None:
    dark = met(without(P, answer), record(R, R, R, 1), (Holds.UNKNOWN, Holds.STANDALONE))
    assert (dark.condition, dark.writer, dark.dark) == (Condition.DARK, R, frozenset({P}))
    unknown = met(record(P, R), without(R, answer), (Holds.STANDALONE, Holds.UNKNOWN))
    assert (unknown.condition, unknown.writer) == (Condition.UNKNOWN, None)
    assert "--writer SITE" in unknown.remedy


def test_a_person_says_who_the_writer_is_only_where_nothing_on_record_does() -> None:
    dark = record(P, R), without(R, Answer.SILENT), (Holds.STANDALONE, Holds.UNKNOWN)
    said = met(*dark, said=P)
    assert (said.condition, said.writer) == (Condition.DARK, P)
    against = met(*BOTH, WELL, said=R)
    assert (against.condition, against.writer, against.remedy) == (Condition.UNKNOWN, None, "leave it out")
    assert met(*BOTH, WELL, said=P).condition is Condition.FOLLOWED


@pytest.mark.parametrize(
    ("answers", "remedy"),
    [
        ((Answer.EMPTY, Answer.EMPTY), "state lost"),
        ((Answer.REFUSED, Answer.REFUSED), "let these credentials read both state tables"),
        ((Answer.SILENT, Answer.SILENT), "wait until the region answers"),
        ((Answer.DAMAGED, Answer.ABSENT), "state lost"),
    ],
)
def test_without_a_record_the_writer_is_unknown_and_what_to_do_is_said(
    answers: tuple[Answer, Answer], remedy: str
) -> None:
    found = met(without(P, answers[0]), without(R, answers[1]), WELL)
    assert (found.condition, found.writer) == (Condition.UNKNOWN, None)
    assert remedy in found.remedy


@pytest.mark.parametrize(
    ("databases", "condition"),
    [
        (NOTHING, Condition.FRESH),
        (WELL, Condition.FRESH),
        ((Holds.REPLICA, Holds.STANDALONE), Condition.UNKNOWN),
        ((Holds.STANDALONE, Holds.STANDALONE), Condition.UNKNOWN),
        ((Holds.UNKNOWN, Holds.REPLICA), Condition.UNKNOWN),
    ],
    ids=str,
)
def test_before_the_automation_is_deployed_rds_alone_says_it(
    databases: tuple[Holds, Holds], condition: Condition
) -> None:
    assert met(without(P, Answer.ABSENT), without(R, Answer.ABSENT), databases).condition is condition


@pytest.mark.parametrize(
    "databases",
    [(Holds.REPLICA, Holds.STANDALONE), (Holds.STANDALONE, Holds.STANDALONE), (Holds.REPLICA, Holds.REPLICA)],
    ids=str,
)
def test_a_record_that_rds_contradicts_is_not_believed(databases: tuple[Holds, Holds]) -> None:
    found = met(*BOTH, databases)
    assert (found.condition, found.writer) == (Condition.UNKNOWN, None)


def test_an_old_record_of_the_table_that_was_not_told_counts_less() -> None:
    assert met(record(P, P, P, 9), record(R, R, R, 10), MOVED, active=R).writer is R


# In AWS


GROUPS = [{"VpcSecurityGroupId": "sg-clients"}]
REPLICA = {"ReadReplicaSourceDBInstanceIdentifier": "arn:aws:rds:::db:primary", "VpcSecurityGroups": GROUPS}
NETWORK = {f"{site}QuarantineSecurityGroupId": "sg-shut" for site in Site}


def test_what_an_instance_is_follows_from_its_source_and_its_groups() -> None:
    shut = frozenset({"sg-shut", "sg-inspection"})
    assert holds(None, shut) is Holds.NOTHING
    assert holds(REPLICA, shut) is Holds.REPLICA
    assert holds({"VpcSecurityGroups": GROUPS}, shut) is Holds.STANDALONE
    for groups in (["sg-shut"], ["sg-inspection"]):
        assert holds({"VpcSecurityGroups": [{"VpcSecurityGroupId": each} for each in groups]}, shut) is Holds.SHUT
    # A group that the network layer does not know lets somebody in.
    mixed = {"VpcSecurityGroups": [{"VpcSecurityGroupId": "sg-shut"}, {"VpcSecurityGroupId": "sg-other"}]}
    assert holds(mixed, shut) is Holds.STANDALONE
    # RDS leaves the source out of what is no replica, or gives nothing.
    assert holds({**REPLICA, "ReadReplicaSourceDBInstanceIdentifier": ""}, shut) is Holds.STANDALONE


class Aws:
    """Both regions' tables and databases."""

    def __init__(self) -> None:
        self.items: dict[str, dict[str, Any] | None] = dict.fromkeys(("ap-southeast-2", "ap-southeast-1"))
        self.instances: dict[str, dict[str, Any]] = {
            "ap-southeast-2": {"VpcSecurityGroups": GROUPS},
            "ap-southeast-1": REPLICA,
        }
        self.dark: set[str] = set()

    def client(self, service: str, region_name: str, config: object = None) -> Any:
        stubber = stubbed(service, region_name)
        if region_name in self.dark:
            return Silent(stubber.client)
        if service == "rds":
            stubber.add_response("describe_db_instances", {"DBInstances": [self.instances[region_name]]})
            return stubber.client
        for key in ("controller", "birth", "reprotect"):
            item = self.items[region_name] if key == "controller" else None
            stubber.add_response(
                "get_item",
                {} if item is None else {"Item": serialized(item)},
                {
                    "TableName": f"failover-state-{'primary' if region_name == 'ap-southeast-2' else 'recovery'}-dev",
                    "Key": serialized({"id": key}),
                    "ConsistentRead": True,
                },
            )
        return stubber.client


class Silent:
    def __init__(self, client: Any) -> None:
        self.exceptions = client.exceptions

    def __getattr__(self, operation: str) -> Any:
        def silent(**_: Any) -> Any:
            raise ConnectTimeoutError(endpoint_url="region")

        return silent


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Aws:
    made = Aws()
    monkeypatch.setattr(situation_in_aws, "boto3", SimpleNamespace(client=made.client))
    return made


ITEM = {"id": "controller", "version": 7, "epoch": 3, "writer_site": "primary", "authority": "recovery"}


def test_both_tables_and_both_databases_are_read(aws: Aws, dev: Environment) -> None:
    aws.items = dict.fromkeys(aws.items, ITEM)
    found = situation_of(dev, NETWORK)
    assert (found.condition, found.writer) == (Condition.FOLLOWED, P)
    aws.instances["ap-southeast-1"] = {"VpcSecurityGroups": GROUPS}
    assert situation_of(dev, NETWORK).condition is Condition.UNKNOWN


def test_the_writer_is_named_or_it_is_said_why_not(aws: Aws, dev: Environment) -> None:
    aws.items = dict.fromkeys(aws.items, ITEM)
    assert recorded_writer(dev, NETWORK) is P
    aws.items = {key: {**ITEM, "incident_id": "000004-x"} for key in aws.items}
    with pytest.raises(SettingsError, match=r"writer = .unknown.: incident 000004-x"):
        recorded_writer(dev, NETWORK)


def test_a_dark_region_is_no_error(aws: Aws, dev: Environment) -> None:
    aws.items = {key: {**ITEM, "writer_site": "recovery", "authority": "recovery"} for key in aws.items}
    aws.instances["ap-southeast-1"] = {"VpcSecurityGroups": GROUPS}
    aws.dark = {"ap-southeast-2"}
    found = situation_of(dev, NETWORK)
    assert (found.condition, found.writer, found.dark) == (Condition.DARK, R, frozenset({P}))
    aws.dark = {"ap-southeast-2", "ap-southeast-1"}
    assert situation_of(dev, NETWORK).condition is Condition.UNKNOWN


def test_a_damaged_record_is_not_used(aws: Aws, dev: Environment) -> None:
    aws.items = {key: {**ITEM, "writer_site": "moon"} for key in aws.items}
    assert situation_of(dev, NETWORK).condition is Condition.UNKNOWN


def test_without_credentials_nobody_can_look(dev: Environment) -> None:
    with pytest.raises(SettingsError, match=r"AWS = .NoCredentialsError.: give credentials and a network that reach"):
        situation_of(dev, NETWORK)


def test_the_configured_site_is_read_whatever_is_wrong_with_other_settings(checkout: Checkout) -> None:
    assert active_site("dev") is P
    checkout.configure("data", activeSite="recovery", instanceClas="db.t3.large")
    assert active_site("dev") is R
    checkout.configure("data", activeSite="moon")
    with pytest.raises(SettingsError, match="activeSite = moon: give one of primary, recovery"):
        active_site("dev")


def test_a_situation_says_whether_a_region_is_dark() -> None:
    found = met(*BOTH, WELL)
    assert not found.is_dark
    assert replace(found, dark=frozenset({P})).is_dark
