"""What these lives deploy is what the data layer's real program declares."""

from __future__ import annotations

from typing import Any

import pytest

from lab.engine import RecordedProgram, run_recorded
from shared.environment import Kind
from shared.sites import Site
from tests.contracts.settings_of import PRODUCTION
from tests.lives.declared_in_memory import INSTANCE, REPLICATION, declared, settings_in

pytestmark = pytest.mark.exhaustive

KEPT = {"environment": "development", "skipFinalSnapshot": False}
KINDS = {Kind.PRODUCTION: PRODUCTION, Kind.DEVELOPMENT: KEPT}
FAILED_OVER = {"activeSite": "recovery"}
STATES: dict[str, dict[str, str]] = {
    "failed over": FAILED_OVER,
    "retiring": {**FAILED_OVER, "retiring": "primary"},
    "retired": {**FAILED_OVER, "retiring": "primary", "primaryBirth": "none"},
    "reprotected": {**FAILED_OVER, "primaryBirth": "replica", "primaryGeneration": "2"},
}
LAST = {f"{site}DatabaseAddress": f"{site}.example" for site in Site}
COMPARED = (
    "identifier",
    "replicateSourceDb",
    "sourceDbInstanceArn",
    "engine",
    "dbName",
    "deletionProtection",
    "skipFinalSnapshot",
)


@pytest.fixture(scope="module")
def network() -> RecordedProgram:
    return run_recorded("network")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("state", STATES)
def test_what_is_deployed_in_memory_is_what_the_program_declares(
    network: RecordedProgram, state: str, kind: Kind
) -> None:
    given = {**KINDS[kind], **STATES[state]}
    program = run_recorded("data", given, below={"network": network.outputs, "data": LAST})
    # In the order of their names: the program's own resources are registered at the same time.
    ours = sorted(declared(settings_in(kind, STATES[state])), key=lambda each: each.name)
    theirs = sorted(
        (each for each in program.resources if each.type in (INSTANCE, REPLICATION)), key=lambda each: each.name
    )
    assert [(each.kind, each.name) for each in ours] == [(each.type, _in_memory(each.name)) for each in theirs]
    for one, other in zip(ours, theirs, strict=True):
        assert one.protect == other.registration.protect
        assert one.ignored == other.registration.ignore_changes
        known = {key: _in_memory(other.inputs[key]) for key in COMPARED if key in other.inputs}
        assert {key: value for key, value in one.inputs.items() if key in COMPARED} == known


def _in_memory(value: Any) -> Any:
    """Without the suffix of the lab's names, and in the account in memory."""
    return value.replace("-lab", "").replace("000000000000", "111122223333") if isinstance(value, str) else value
