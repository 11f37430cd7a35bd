"""A contract's keys are flat, unique and checked by type."""

from __future__ import annotations

from collections import Counter

import pytest

from shared.contract import Contract, ContractError, camel_case
from shared.contracts import CONTRACTS, NetworkContract
from shared.layers import LAYERS


def sample_values(contract: type[Contract]) -> dict[str, object]:
    samples: dict[type[object], object] = {str: "text", int: 5432, list: ["a", "b"]}
    return {field.key: samples[field.value_type] for field in contract.fields()}


def test_keys_are_camel_case_and_name_the_site_first() -> None:
    assert camel_case("primary", "vpc_id") == "primaryVpcId"
    assert "recoveryPrivateSubnetIds" in {field.key for field in NetworkContract.fields()}


def test_every_layer_has_a_contract() -> None:
    assert set(CONTRACTS) == {layer.name for layer in LAYERS}


def test_no_key_is_promised_by_two_layers() -> None:
    keys = Counter(field.key for contract in CONTRACTS.values() for field in contract.fields())
    assert [key for key, count in keys.items() if count > 1] == []


def test_a_missing_output_is_an_error_that_names_the_key() -> None:
    values = sample_values(NetworkContract)
    del values["primaryVpcId"]
    with pytest.raises(ContractError, match="no output primaryVpcId"):
        NetworkContract.from_values(values)


@pytest.mark.parametrize(
    ("key", "value"), [("primaryVpcId", 7), ("databasePort", "5432"), ("databasePort", True), ("primaryVpcId", None)]
)
def test_an_output_of_another_type_is_an_error_that_names_key_and_value(key: str, value: object) -> None:
    with pytest.raises(ContractError, match=rf"output {key} = {value!r}, and the contract says"):
        NetworkContract.from_values({**sample_values(NetworkContract), key: value})


def test_a_whole_number_that_crossed_the_wire_as_a_float_is_still_whole() -> None:
    NetworkContract.from_values({**sample_values(NetworkContract), "databasePort": 5432.0})
