"""The master user's secret is needed in both regions: the only one may lie in the region that is lost."""

from __future__ import annotations

from typing import Any

import pytest

from operations.master_secret import secret_in_both_regions
from shared.secret_id import secret_id_in
from tests.stubbed import Stubbed, stubbed

NAME = "postgres-dr/prod/master"
ARN = f"arn:aws:secretsmanager:ap-southeast-2:111122223333:secret:{NAME}-a1B2c3"
OUTPUTS = {"masterSecretId": NAME, "primaryRegion": "ap-southeast-2", "recoveryRegion": "ap-southeast-1"}


class Session:
    """Makes the clients of both regions."""

    def __init__(self) -> None:
        self.stubs: dict[str, Stubbed] = {
            OUTPUTS[key]: stubbed("secretsmanager", OUTPUTS[key]) for key in ("primaryRegion", "recoveryRegion")
        }

    def client(self, service: str, *, region_name: str, config: object) -> Any:
        assert service == "secretsmanager"
        return self.stubs[region_name].client

    def has(self, region: str, **described: Any) -> None:
        self.stubs[region].add_response("describe_secret", {"Name": NAME, **described}, {"SecretId": NAME})

    def lacks(self, region: str, code: str) -> None:
        self.stubs[region].add_client_error("describe_secret", code)


@pytest.fixture
def session() -> Any:
    return Session()


def test_it_is_there_in_both(session: Any) -> None:
    session.has("ap-southeast-2")
    session.has("ap-southeast-1")
    assert secret_in_both_regions(OUTPUTS, session) == ["there in both regions"]


def test_a_missing_one_is_said_with_the_command_that_replicates_it(session: Any) -> None:
    session.has("ap-southeast-2")
    session.lacks("ap-southeast-1", "ResourceNotFoundException")
    (line,) = secret_in_both_regions(OUTPUTS, session)
    assert line.startswith("recovery: MISSING in ap-southeast-1.")
    assert "--add-replica-regions Region=ap-southeast-1" in line


def test_what_may_not_be_looked_at_is_unknown_and_not_there(session: Any) -> None:
    session.lacks("ap-southeast-2", "AccessDeniedException")
    session.has("ap-southeast-1", DeletedDate=0)
    lines = secret_in_both_regions(OUTPUTS, session)
    assert lines[0].startswith("primary: unknown in ap-southeast-2")
    assert lines[1].startswith("recovery: it is marked for deletion")


def test_without_the_outputs_it_is_unknown(session: Any) -> None:
    (line,) = secret_in_both_regions({}, session)
    assert line.startswith("unknown: ")


def test_a_replicas_arn_is_its_primarys_but_for_the_region() -> None:
    assert secret_id_in(ARN, "ap-southeast-1") == ARN.replace("ap-southeast-2", "ap-southeast-1")
    assert secret_id_in(NAME, "ap-southeast-1") == NAME
