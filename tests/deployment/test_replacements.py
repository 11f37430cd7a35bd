"""A deploy makes no health check, no database and no state table anew, also where nobody was asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from deployment.engine_events import PlannedStep
from deployment.replacements import HEALTH_CHECK, INSTANCE, TABLE, refuse_losses
from deployment.situation import Condition, Situation
from shared.environment import Environment
from shared.errors import SettingsError
from shared.sites import Site
from tests.deployment.checkout import Checkout
from tests.deployment.conftest import FOLLOWED, Account, Dr
from tests.deployment.recorder import StandIn

P, R = Site.PRIMARY, Site.RECOVERY
MOVED = Situation(Condition.FOLLOWED, R, R)


def judged(
    dev: Environment,
    step: PlannedStep,
    situation: Situation = FOLLOWED,
    retiring: Site | None = None,
    deployed: Mapping[str, object] | None = None,
) -> None:
    refuse_losses("data", [step], dev, situation, retiring, deployed or {})


@pytest.mark.parametrize("operation", ["replace", "create-replacement", "import-replacement", "delete-replaced"])
@pytest.mark.parametrize(
    ("kind", "called"),
    [
        (INSTANCE, "database-primary-dev"),
        (INSTANCE, "database-recovery-dev"),
        (INSTANCE, "adopted-under-another-identifier"),
        (HEALTH_CHECK, "writer-is-in-primary-dr-automation-dev"),
        (TABLE, "failover-state-primary-dev"),
        (TABLE, "failover-state-recovery-dev"),
    ],
)
@pytest.mark.parametrize("situation", [FOLLOWED, MOVED], ids=["primary writes", "recovery writes"])
def test_none_of_them_is_replaced(
    operation: str, kind: str, called: str, situation: Situation, dev: Environment
) -> None:
    with pytest.raises(SettingsError, match=f"{called} would be made anew") as refused:
        judged(dev, PlannedStep(operation, kind, called), situation, retiring=P)
    assert "nothing was changed: put back" in str(refused.value)


def test_the_database_that_is_retired_may_go_and_no_other(dev: Environment) -> None:
    step = PlannedStep("delete", INSTANCE, "database-primary-dev")
    judged(dev, step, MOVED, retiring=P)
    for situation, retiring in ((MOVED, None), (MOVED, R), (FOLLOWED, P)):
        with pytest.raises(SettingsError, match="database-primary-dev would be deleted"):
            judged(dev, step, situation, retiring)


def test_a_check_that_is_no_longer_declared_goes_while_the_primary_is_the_writer(dev: Environment) -> None:
    step = PlannedStep("delete", HEALTH_CHECK, "writer-dr-automation-dev")
    judged(dev, step)
    with pytest.raises(SettingsError, match="would be deleted"):
        judged(dev, step, MOVED)


@pytest.mark.parametrize(
    "step",
    [
        PlannedStep("update", INSTANCE, "database-primary-dev"),
        PlannedStep("create", INSTANCE, "database-primary-dev"),
        PlannedStep("replace", TABLE, "another-table"),
        PlannedStep("replace", "aws:s3/bucket:Bucket", "backups"),
    ],
    ids=str,
)
def test_everything_else_is_left_to_pulumi(step: PlannedStep, dev: Environment) -> None:
    judged(dev, step)


@pytest.mark.parametrize("situation", [FOLLOWED, MOVED], ids=["primary writes", "recovery writes"])
def test_a_database_that_somebody_has_deleted_is_not_made_again_without_its_data(
    situation: Situation, dev: Environment
) -> None:
    step = PlannedStep("create", INSTANCE, "database-primary-dev")
    with pytest.raises(SettingsError, match="database-primary-dev would be made again"):
        judged(dev, step, situation, deployed={"primaryDatabaseBirth": "original"})
    judged(dev, replace(step, replicates=True), situation, deployed={"primaryDatabaseBirth": "replica"})
    judged(dev, step, situation, deployed={"primaryDatabaseBirth": "none"})
    judged(dev, step, situation, deployed={"recoveryDatabaseBirth": "original"})


@pytest.mark.parametrize("unsaved", [True, False])
def test_a_retired_old_writer_goes_by_a_plain_deploy_only_after_its_final_snapshot(
    unsaved: bool, dr: Dr, pulumi: StandIn, dev: Environment, account: Account, checkout: Checkout
) -> None:
    pulumi.has_all_of(dev)
    account.situation, account.unsaved = MOVED, unsaved
    checkout.configure("data", activeSite="recovery", retiring="primary", primaryBirth="none")
    pulumi.plans("data", "delete", INSTANCE, "database-primary-dev", identifier="database-primary-dev")
    ended = dr("deploy", "data", "--yes")
    assert (ended.exit_code, "final snapshot" in "".join(ended.err)) == ((1, True) if unsaved else (0, False))
    assert bool(pulumi.touched) is not unsaved


@pytest.mark.parametrize("words", [["--yes"], ["--yes", "--skip-preview"]], ids=" ".join)
def test_a_layer_is_previewed_before_it_is_changed_whatever_was_given(
    words: list[str], dr: Dr, pulumi: StandIn, account: Account, dev: Environment
) -> None:
    pulumi.has_all_of(dev)
    pulumi.plans("dr-automation", "replace", HEALTH_CHECK, "writer-is-in-primary-dr-automation-dev")
    ended = dr("deploy", "dr-automation", *words)
    assert ended.exit_code == 1
    assert any("a new one starts healthy" in line for line in ended.err)
    assert [call.arguments[0] for call in pulumi.operations] == ["preview"]
    assert not pulumi.touched


def test_a_database_is_told_by_its_identifier_in_the_state(
    dr: Dr, pulumi: StandIn, dev: Environment, account: Account, checkout: Checkout
) -> None:
    pulumi.has_all_of(dev)
    pulumi.plans("data", "delete", INSTANCE, "database-recovery-dev-2", identifier="database-recovery-dev")
    assert dr("deploy", "data", "--yes").exit_code == 1
    assert not pulumi.touched


def test_the_rules_go_along_where_programs_run(dr: Dr, pulumi: StandIn, dev: Environment, checkout: Checkout) -> None:
    pulumi.has_all_of(dev)
    (checkout.root / "policies").mkdir()
    for command in ("deploy", "preview", "refresh", "drift", "destroy"):
        dr(command, "observability", "--yes")
    pack = f"--policy-pack={checkout.root}/policies"
    with_rules = {call.arguments[0] for call in pulumi.operations if pack in call.arguments}
    assert with_rules == {"up", "preview"}
