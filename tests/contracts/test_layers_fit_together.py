"""The four real programs, each fed with the outputs of those below it (D3), and what holds for all their resources.

They run without AWS, on the recording engine: this decides what is declared, not what AWS makes of it.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lab.engine.recording import RecordedProgram, RecordedResource, run_recorded
from shared.contract import Contract
from shared.contracts import CONTRACTS
from shared.layers import LAYERS, Layer
from shared.tagging import REQUIRED_TAGS

SUFFIX = "rehearsal"

each_layer = pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: layer.name)


@pytest.fixture(scope="module")
def programs() -> dict[str, RecordedProgram]:
    done: dict[str, RecordedProgram] = {}
    for layer in LAYERS:
        below = {name: done[name].outputs for name in layer.reads}
        done[layer.name] = run_recorded(layer.name, {"environmentSuffix": SUFFIX}, below)
    return done


def resources(programs: dict[str, RecordedProgram]) -> Iterator[RecordedResource]:
    for program in programs.values():
        yield from program.resources


def contract_of(layer: Layer) -> type[Contract]:
    return CONTRACTS[layer.name]


@each_layer
def test_a_layer_exports_its_contract_and_nothing_else(layer: Layer, programs: dict[str, RecordedProgram]) -> None:
    outputs = programs[layer.name].outputs
    assert set(outputs) == {field.key for field in contract_of(layer).fields()}
    contract_of(layer).from_values(outputs)


@each_layer
def test_a_layer_cannot_be_deployed_before_those_it_reads(layer: Layer) -> None:
    if layer.reads:
        with pytest.raises(LookupError, match="unknown stack"):
            run_recorded(layer.name)


def test_no_secret_is_a_stack_output(programs: dict[str, RecordedProgram]) -> None:
    assert {name for program in programs.values() for name in program.secret_outputs} == set()


def test_every_aws_resource_has_an_explicit_provider_with_a_region(programs: dict[str, RecordedProgram]) -> None:
    without = [one.urn for one in resources(programs) if one.type.startswith("aws:") and one.region is None]
    assert without == []


def test_every_aws_resource_carries_the_required_tags(programs: dict[str, RecordedProgram]) -> None:
    untagged = [
        one.urn
        for one in resources(programs)
        if one.type.startswith("aws:") and not set(REQUIRED_TAGS) <= {key for key, value in one.tags.items() if value}
    ]
    assert untagged == []


def test_every_resource_has_the_suffix_in_its_name(programs: dict[str, RecordedProgram]) -> None:
    assert [one.urn for one in resources(programs) if SUFFIX not in one.name] == []


def test_every_physical_name_ends_with_the_suffix_or_a_random_id(programs: dict[str, RecordedProgram]) -> None:
    names = {
        (one.type, str(one.inputs[key]))
        for one in resources(programs)
        for key in ("name", "identifier", "bucket", "dashboardName")
        if key in one.inputs and one.type.startswith("aws:")
    }
    assert names
    assert sorted(name for name in names if SUFFIX not in name[1]) == []


def test_no_resource_depends_on_a_resource_of_another_layer(programs: dict[str, RecordedProgram]) -> None:
    for layer in LAYERS:
        projects = {urn.split("::")[1] for one in programs[layer.name].resources for urn in one.dependencies}
        assert projects <= {layer.project}
