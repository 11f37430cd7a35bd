"""A deploy looks before it touches anything. The AWS answers are botocore's own, without a network."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError

from data_layer.credentials import MasterCredentials
from data_layer.preflight import check, check_secret, refuse_difference
from shared.errors import SettingsError
from shared.sites import Site
from tests.contracts.settings_of import settings_of
from tests.stubbed import Stubbed, stubbed

SECRET_ID = "postgres-dr/dev/master"
REGIONS = {Site.PRIMARY: "ap-southeast-2", Site.RECOVERY: "ap-southeast-1"}
ARN = "arn:aws:secretsmanager:{}:111122223333:secret:master-AbCdEf"
GOOD = MasterCredentials("owner", "long-enough")


def content(username: str = GOOD.username) -> dict[str, str]:
    return {"SecretString": json.dumps({"username": username, "password": GOOD.password})}


@pytest.fixture
def databases() -> dict[Site, Stubbed]:
    return {site: stubbed("rds", region) for site, region in REGIONS.items()}


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch, databases: dict[Site, Stubbed]) -> dict[Site, Stubbed]:
    """Secrets Manager in both regions, in the place of boto3's own clients."""
    made = {site: stubbed("secretsmanager", region) for site, region in REGIONS.items()}
    clients = {("secretsmanager", REGIONS[site]): each.client for site, each in made.items()}
    for site, region in REGIONS.items():
        clients["rds", region] = databases[site].client
    monkeypatch.setattr(boto3, "client", lambda service, *, region_name, config: clients[service, region_name])
    return made


def dark(monkeypatch: pytest.MonkeyPatch, client: Any) -> None:
    def unreachable(**_: object) -> None:
        raise EndpointConnectionError(endpoint_url="https://secretsmanager.example")

    monkeypatch.setattr(client, "get_secret_value", unreachable)


def test_the_same_secret_in_both_regions_passes(secrets: dict[Site, Stubbed]) -> None:
    for each in secrets.values():
        each.add_response("get_secret_value", content(), {"SecretId": SECRET_ID})
    assert check(settings_of("data"), {}) == ()
    for each in secrets.values():
        each.assert_no_pending_responses()


def test_an_arn_names_a_region_and_each_region_is_asked_by_its_own(secrets: dict[Site, Stubbed]) -> None:
    for site, each in secrets.items():
        each.add_response("get_secret_value", content(), {"SecretId": ARN.format(REGIONS[site])})
    check(settings_of("data", secretId=ARN.format("ap-southeast-1")), {})


@pytest.mark.parametrize("arn", [ARN.format("us-east-1"), "arn:aws:ssm:ap-southeast-2:111122223333:parameter/x"])
def test_an_arn_of_elsewhere_is_refused(arn: str) -> None:
    with pytest.raises(SettingsError, match="or its ARN in ap-southeast-2 or ap-southeast-1: it is needed in both"):
        settings_of("data", secretId=arn)


@pytest.mark.parametrize("site", list(Site), ids=str)
def test_a_region_without_the_secret_is_refused_with_the_command_that_replicates_it(
    secrets: dict[Site, Stubbed], site: Site
) -> None:
    secrets[site].add_client_error("get_secret_value", "ResourceNotFoundException")
    secrets[site.other].add_response("get_secret_value", content())
    there, here = REGIONS[site.other], REGIONS[site]
    command = f"aws secretsmanager replicate-secret-to-regions --region {there} --secret-id {SECRET_ID} "
    with pytest.raises(SettingsError) as refused:
        check(settings_of("data"), {})
    assert f"{command}--add-replica-regions Region={here}" in str(refused.value)


@pytest.mark.parametrize(
    ("other", "what"),
    [
        (MasterCredentials("owner", "another-one"), "password in ap-southeast-1 differ"),
        (MasterCredentials("other", "long-enough"), "username in ap-southeast-1 differ"),
        (MasterCredentials("other", "another-one"), "username and password in ap-southeast-1 differ"),
    ],
)
def test_another_secret_in_the_other_region_is_refused_without_showing_it(other: MasterCredentials, what: str) -> None:
    with pytest.raises(SettingsError) as refused:
        refuse_difference(SECRET_ID, REGIONS, Site.PRIMARY, {Site.PRIMARY: GOOD, Site.RECOVERY: other})
    assert what in str(refused.value)
    for shown in (GOOD.password, other.password):
        assert shown not in str(refused.value)


def test_a_dark_standby_region_does_not_stop_a_deploy(
    secrets: dict[Site, Stubbed], databases: dict[Site, Stubbed], monkeypatch: pytest.MonkeyPatch
) -> None:
    dark(monkeypatch, secrets[Site.PRIMARY].client)
    databases[Site.RECOVERY].add_client_error("describe_db_instances", "DBInstanceNotFound")
    secrets[Site.RECOVERY].add_response("get_secret_value", content())
    (warning,) = check(settings_of("data", activeSite="recovery"), {"databaseName": "app"})
    assert warning.startswith("ap-southeast-2 does not answer, so the secret there was not compared")


SOURCE = "arn:aws:rds:ap-southeast-1:111122223333:db:database-recovery-dev"


@pytest.mark.parametrize(
    ("birth", "source", "told"),
    [
        ("original", SOURCE, f"primaryBirth = original, and database-primary-dev is a replica of {SOURCE}"),
        ("snapshot before-it", SOURCE, "primaryBirth = snapshot before-it, and database-primary-dev is a replica of"),
        ("original", None, None),
        ("replica", SOURCE, None),
        ("replica", None, None),
    ],
)
def test_a_birth_that_rds_contradicts_is_told(
    secrets: dict[Site, Stubbed], databases: dict[Site, Stubbed], birth: str, source: str | None, told: str | None
) -> None:
    """As from a checkout that lacks what a reprotection has written into the stack file."""
    for each in secrets.values():
        each.add_response("get_secret_value", content())
    replica = {} if source is None else {"ReadReplicaSourceDBInstanceIdentifier": source}
    described = {"DBInstances": [{"DBInstanceIdentifier": "database-primary-dev", **replica}]}
    databases[Site.PRIMARY].add_response(
        "describe_db_instances", described, {"DBInstanceIdentifier": "database-primary-dev"}
    )
    databases[Site.RECOVERY].add_client_error("describe_db_instances", "DBInstanceNotFound")
    warnings = check(settings_of("data", primaryBirth=birth, recoveryBirth="replica"), {"databaseName": "app"})
    assert len(warnings) == (told is not None)
    assert told is None or (warnings[0].startswith(told) and "nox -s reprotect -- --dry-run" in warnings[0])


def test_a_birth_that_nobody_may_compare_is_said_to_be_so(
    secrets: dict[Site, Stubbed], databases: dict[Site, Stubbed]
) -> None:
    for site in Site:
        secrets[site].add_response("get_secret_value", content())
        databases[site].add_client_error("describe_db_instances", "AccessDenied")
    assert [": not compared with RDS" in each for each in check(settings_of("data"), {"databaseName": "app"})] == [
        True,
        True,
    ]


def test_a_dark_active_region_does(secrets: dict[Site, Stubbed], monkeypatch: pytest.MonkeyPatch) -> None:
    dark(monkeypatch, secrets[Site.PRIMARY].client)
    with pytest.raises(SettingsError, match="give credentials and a network that reach AWS"):
        check(settings_of("data"), {})


def test_what_is_deployed_counts(secrets: dict[Site, Stubbed]) -> None:
    for each in secrets.values():
        each.add_response("get_secret_value", content(username="another"))
    with pytest.raises(SettingsError, match="the database was made with owner"):
        check(settings_of("data"), {"masterUsername": "owner"})


@pytest.mark.parametrize(
    ("code", "remedy"),
    [
        ("ResourceNotFoundException", "aws secretsmanager create-secret"),
        ("InvalidRequestException", "aws secretsmanager restore-secret --region ap-southeast-2"),
        ("AccessDeniedException", "allow these credentials to read it in ap-southeast-2"),
    ],
)
def test_a_secret_that_cannot_be_read_is_one_line_with_the_remedy(code: str, remedy: str) -> None:
    secrets = stubbed("secretsmanager", "ap-southeast-2")
    secrets.add_client_error("get_secret_value", code)
    with pytest.raises(SettingsError) as refused:
        check_secret(secrets.client, SECRET_ID, REGIONS)
    assert str(refused.value).startswith(f"secretId = {SECRET_ID}: ")
    assert remedy in str(refused.value)


def test_a_binary_secret_is_refused() -> None:
    secrets = stubbed("secretsmanager", "ap-southeast-2")
    secrets.add_response("get_secret_value", {"SecretBinary": b"x"})
    with pytest.raises(SettingsError, match="its text is no JSON"):
        check_secret(secrets.client, SECRET_ID, REGIONS)
