"""The operators' role, as the layer's program declares it and as its settings shape it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from lab.engine.recording import RecordedProgram, run_recorded
from shared.contracts import DataContract
from shared.errors import SettingsError
from shared.sites import Site
from tests.contracts.made_up import made_up

ROLE = "operator-recovery-lab"
ALICE = "arn:aws:iam::111122223333:user/alice"


def program(**settings: Any) -> RecordedProgram:
    """The layer's program over outputs as the layers below promise them."""
    data: Mapping[str, Any] = made_up(DataContract)
    return run_recorded("dr-automation", settings, {"network": run_recorded("network").outputs, "data": data})


def trusted(recorded: RecordedProgram) -> dict[str, Any]:
    (statement,) = json.loads(recorded.resource(ROLE, "Role").inputs["assumeRolePolicy"])["Statement"]
    found: dict[str, Any] = statement
    return found


@pytest.fixture(scope="module")
def as_it_is() -> RecordedProgram:
    return program()


def test_the_contract_names_the_role(as_it_is: RecordedProgram) -> None:
    assert as_it_is.outputs["operatorRoleArn"] == as_it_is.resource(ROLE, "Role").outputs["arn"]


@pytest.mark.parametrize("site", list(Site), ids=str)
def test_the_role_reaches_the_failover_function_and_the_state_table_of_each_site(
    as_it_is: RecordedProgram, site: Site
) -> None:
    statements = {
        each["Sid"]: each for each in json.loads(as_it_is.resource(ROLE, "RolePolicy").inputs["policy"])["Statement"]
    }
    function = as_it_is.outputs[f"{site}FailoverFunctionName"]
    assert as_it_is.resource(function, "Function").outputs["arn"] in statements["AskControllers"]["Resource"]
    table = as_it_is.resource(as_it_is.outputs[f"{site}StateTableName"], "Table").outputs["arn"]
    reading, writing = (statements[f"{sid}In{site.capitalize()}"] for sid in ("ReadState", "WriteOwnState"))
    assert (reading["Resource"], writing["Resource"]) == (table, table)
    assert writing["Condition"] == {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["control", "reprotect"]}}


def test_by_default_the_accounts_policies_say_who_operates(as_it_is: RecordedProgram) -> None:
    assert trusted(as_it_is)["Principal"] == {"AWS": ["arn:aws:iam::000000000000:root"]}
    assert "Condition" not in trusted(as_it_is)


def test_named_operators_and_a_second_factor_can_be_asked_for() -> None:
    statement = trusted(program(operatorPrincipals=[ALICE], requireMfa=True))
    assert statement["Principal"] == {"AWS": [ALICE]}
    assert statement["Condition"] == {"Bool": {"aws:MultiFactorAuthPresent": "true"}}


@pytest.mark.parametrize("principal", ["*", "alice", "arn:aws:iam::111122223333:role/*", "arn:aws:iam::*:root"])
def test_a_wildcard_cannot_be_an_operator(principal: str) -> None:
    with pytest.raises(SettingsError, match=r"operatorPrincipals = .*give ARNs of users, roles or accounts"):
        program(operatorPrincipals=[principal])
