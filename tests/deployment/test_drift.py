"""Drift is looked for in every layer, and finding some is not a failure."""

from __future__ import annotations

import pytest

from deployment import operation
from deployment.arguments import Command
from deployment.operation import Drifted, Stopped
from shared.environment import Environment
from shared.errors import SettingsError
from tests.deployment.conftest import Account, Carry, Dr
from tests.deployment.recorder import StandIn
from tests.deployment.standing import UPWARDS


@pytest.fixture(autouse=True)
def deployed(pulumi: StandIn, dev: Environment) -> None:
    pulumi.has_all_of(dev)


def test_no_drift_is_0_and_nothing_is_touched(dr: Dr, pulumi: StandIn) -> None:
    ended = dr("drift")
    assert (ended.exit_code, ended.err) == (0, [])
    assert not pulumi.touched
    assert sum("0 changes, 2 unchanged" in line for line in ended.out) == len(UPWARDS)


def test_all_layers_are_looked_at_whatever_differs(carry: Carry, pulumi: StandIn, said: list[str]) -> None:
    pulumi.drifts("network", "dr-automation")
    with pytest.raises(Drifted, match=r"^drift in network, dr-automation: look at what differs; "):
        carry(Command.DRIFT)
    assert [call.layer for call in pulumi.operations] == list(UPWARDS)
    assert [line.rpartition(" (")[0] for line in said[-4:]] == [
        "  network        DIFFERS from its state, see above",
        "  data           0 changes, 2 unchanged",
        "  dr-automation  DIFFERS from its state, see above",
        "  observability  0 changes, 2 unchanged",
    ]


def test_drift_is_3_in_one_line_and_the_states_are_as_they_were(dr: Dr, pulumi: StandIn) -> None:
    pulumi.drifts("data")
    ended = dr("drift")
    assert ended.exit_code == 3
    assert ended.err[-1].startswith("drift in data: ")
    assert not pulumi.touched


def test_only_the_layers_that_were_named_are_looked_at(dr: Dr, pulumi: StandIn) -> None:
    pulumi.drifts("network")
    assert dr("drift", "data", "observability").exit_code == 0


def test_a_layer_that_cannot_be_looked_at_is_a_failure(carry: Carry, pulumi: StandIn) -> None:
    pulumi.fails("data", "refresh", exit_code=1)
    with pytest.raises(Stopped, match=r"drift stopped at data: pulumi refresh .* ended with exit code 1") as failure:
        carry(Command.DRIFT)
    assert not failure.value.declined


def test_a_deploy_that_ends_like_a_drift_is_a_failure_all_the_same(carry: Carry, pulumi: StandIn) -> None:
    pulumi.fails("network", "up", exit_code=7)
    with pytest.raises(Stopped, match="exit code 7"):
        carry(Command.DEPLOY, "--yes")


def test_what_is_advised_is_for_the_stack_that_was_looked_at(carry: Carry, pulumi: StandIn) -> None:
    pulumi.has("network", {}, stack="lab")
    pulumi.drifts("network")
    with pytest.raises(Drifted) as drifted:
        carry(Command.DRIFT, "network", "--stack", "lab")
    assert "./dr deploy -- network --stack lab --refresh puts back" in str(drifted.value)
    assert "./dr refresh -- network --stack lab takes" in str(drifted.value)


def test_databases_that_cannot_be_looked_at_do_not_hide_what_differs_elsewhere(
    dr: Dr, pulumi: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreadable(environment: Environment, network: object, writer: object) -> list[str]:
        raise SettingsError("AWS", "(ClientError)", "let these credentials look")

    monkeypatch.setattr(operation, "opened_or_shut", unreadable)
    pulumi.drifts("network")
    ended = dr("drift")
    assert [call.layer for call in pulumi.operations] == list(UPWARDS)
    assert ended.exit_code != 2
    assert any("network" in line for line in ended.err)


def test_a_database_in_a_strangers_group_is_drift_that_pulumi_does_not_see(dr: Dr, account: Account) -> None:
    account.in_other_groups = ["database-recovery-dev stands in sg-open, not in sg-1"]
    ended = dr("drift")
    assert ended.exit_code == 3
    (line,) = [line for line in ended.out if "database-recovery-dev stands in sg-open, not in sg-1" in line]
    assert line.startswith("  data           0 changes, 2 unchanged; ")
    assert ended.err[-1].startswith("drift in data: ")


def test_security_groups_are_looked_at_where_there_are_databases_only(
    dr: Dr, pulumi: StandIn, account: Account, dev: Environment
) -> None:
    account.in_other_groups = ["database-recovery-dev stands in sg-open, not in sg-1"]
    assert dr("refresh", "data", "--yes").exit_code == 0
    assert dr("drift", "network", "observability").exit_code == 0
    pulumi.has_empty("data")
    assert dr("drift").exit_code == 0
