"""What each command may do in each situation, and that the document says the same."""

from __future__ import annotations

from itertools import product

import pytest

from deployment.arguments import Command, parse
from deployment.preflight import check
from deployment.situation import Condition, Situation
from deployment.verdict import DATA, Answer, Destruction, verdict
from deployment.verdict_page import BEGIN, EXAMPLES, PAGE, main, page, table
from shared.environment import Environment
from shared.errors import SettingsError
from shared.layers import LAYERS
from shared.sites import Site
from tests.deployment.conftest import Account, Dr
from tests.deployment.recorder import StandIn
from tests.deployment.standing import UPWARDS, refused, standing

P, R = Site.PRIMARY, Site.RECOVERY
SITUATIONS = list(EXAMPLES.values())
KEPT = Destruction(skips_snapshot=True)
CHANGING = (Command.DEPLOY, Command.DESTROY, Command.REFRESH)
every_situation = pytest.mark.parametrize("situation", SITUATIONS, ids=list(EXAMPLES))


def of(command: Command, situation: Situation, layer: str = DATA, destruction: Destruction = KEPT) -> Answer:
    return verdict(command, layer, situation, "dev", destruction).answer


@every_situation
def test_every_command_has_an_answer_for_every_layer_and_a_refusal_says_why_and_what_to_do(
    situation: Situation,
) -> None:
    told = Situation(situation.condition, situation.active, situation.writer, "so", situation.dark, "do this")
    for command, layer, destruction in product(Command, LAYERS, (KEPT, Destruction())):
        found = verdict(command, layer.name, told, "dev", destruction)
        assert (found.answer is Answer.REFUSE) <= bool(found.why and found.remedy)
        assert (found.answer is Answer.WARN) <= bool(found.why)


@pytest.mark.parametrize(
    ("active", "settings"), [(P, "skipFinalSnapshot: false,"), (R, "skipFinalSnapshot: false and activeSite: primary,")]
)
def test_a_last_snapshot_is_asked_for_with_the_settings_that_the_deploy_before_it_needs(
    active: Site, settings: str
) -> None:
    condition = Condition.FOLLOWED if active is P else Condition.NOT_FOLLOWED
    kept = verdict(Command.DESTROY, DATA, Situation(condition, active, P), "dev", KEPT)
    assert kept.answer is Answer.REFUSE
    assert settings in kept.remedy


@pytest.mark.parametrize("condition", [Condition.INCIDENT, Condition.HANDING_OVER])
@pytest.mark.parametrize("layer", UPWARDS)
def test_while_the_writer_or_authority_moves_nothing_is_changed(condition: Condition, layer: str) -> None:
    situation = Situation(condition, P, P, "it moves")
    assert {of(command, situation, layer, Destruction()) for command in CHANGING} == {Answer.REFUSE}
    assert of(Command.DRIFT, situation, layer) is Answer.WARN
    assert of(Command.PREVIEW, situation, layer) is Answer.WARN


@every_situation
def test_data_is_deployed_only_where_the_configuration_names_the_writer(situation: Situation) -> None:
    if of(Command.DEPLOY, situation) is not Answer.REFUSE:
        assert situation.writer is situation.active


@every_situation
def test_the_database_that_takes_writes_is_destroyed_with_a_last_snapshot_or_where_nothing_is_to_be_kept(
    situation: Situation,
) -> None:
    assert of(Command.DESTROY, situation, destruction=KEPT) is Answer.REFUSE
    if situation.condition in (Condition.FOLLOWED, Condition.NOT_FOLLOWED, Condition.FRESH):
        assert of(Command.DESTROY, situation, destruction=Destruction()) is Answer.GO
        assert of(Command.DESTROY, situation, destruction=Destruction(is_short_lived=True)) is Answer.GO


@every_situation
def test_looking_is_never_refused(situation: Situation) -> None:
    for command in (Command.PREVIEW, Command.DRIFT, Command.OUTPUTS):
        assert of(command, situation) is not Answer.REFUSE


def test_in_the_disaster_the_surviving_side_is_deployed_and_nothing_is_refreshed_or_destroyed() -> None:
    dark = Situation(Condition.DARK, R, R, "dark", frozenset({P}))
    assert {of(Command.DEPLOY, dark, layer) for layer in UPWARDS} == {Answer.WARN}
    assert {of(command, dark, layer) for command in (Command.REFRESH, Command.DESTROY) for layer in UPWARDS} == {
        Answer.REFUSE
    }


# Through the command line


def moved(account: Account) -> None:
    why = "the recovery site is the writer since a failover (epoch 3)"
    account.situation = Situation(Condition.NOT_FOLLOWED, P, R, why)


@pytest.mark.parametrize("words", [[], ["data"], ["network", "data"]], ids=str)
def test_a_refusal_names_what_mends_it_and_what_can_be_deployed(
    words: list[str], account: Account, dev: Environment
) -> None:
    moved(account)
    message = refused(Command.DEPLOY, words, standing(dev, *UPWARDS))
    assert message.startswith(
        "layer = data: the recovery site is the writer since a failover (epoch 3), and the configuration's activeSite "
        "is primary. Nothing was touched: ./dr reprotect brings the layer in line"
    )
    assert "./dr reprotect -- --keep-looking stops before the old instance goes" in message
    others = message.partition("the other layers can be deployed: ./dr deploy -- ")[2]
    if others:
        assert check(parse(Command.DEPLOY, others.split()), standing(dev, *UPWARDS)).warnings == ()


def test_with_the_old_region_dark_it_names_what_is_set_by_hand(account: Account, dev: Environment) -> None:
    why = "the recovery site is the writer since a failover (epoch 3)"
    account.situation = Situation(Condition.NOT_FOLLOWED, P, R, why, frozenset({P}))
    message = refused(Command.DEPLOY, ["data"], standing(dev, *UPWARDS))
    assert "set postgres-dr-data:activeSite: recovery in projects/data/Pulumi.dev.yaml" in message
    assert "backupReplicationRetentionDays: 0; when that region answers, put the days back and run ./dr" in message


def test_a_preview_is_warned_once(account: Account, dev: Environment) -> None:
    moved(account)
    (warning,) = check(parse(Command.PREVIEW, []), standing(dev, *UPWARDS)).warnings
    assert warning.endswith("a deploy of data would be refused")


def test_a_refused_command_touches_nothing(dr: Dr, pulumi: StandIn, account: Account, dev: Environment) -> None:
    account.situation = Situation(Condition.INCIDENT, P, None, "incident 000004-x, a failover, is under way")
    pulumi.has_all_of(dev)
    for command in ("deploy", "destroy", "refresh"):
        ended = dr(command, "--yes")
        assert ended.exit_code == 2
        assert "incident 000004-x" in ended.err[0]
    assert not pulumi.touched


def test_what_was_never_deployed_is_not_looked_at(account: Account, dev: Environment) -> None:
    account.unreadable = SettingsError("AWS", "(NoCredentialsError)", "give credentials")
    assert check(parse(Command.DESTROY, []), standing(dev, "network")).environment == dev
    assert check(parse(Command.DEPLOY, ["network"]), standing(dev, "network")).warnings == ()


def test_without_credentials_a_preview_goes_on_with_a_warning(account: Account, dev: Environment) -> None:
    account.unreadable = SettingsError("AWS", "(NoCredentialsError)", "give credentials")
    (warning,) = check(parse(Command.PREVIEW, ["data"]), standing(dev, *UPWARDS)).warnings
    assert warning.startswith("which database is the writer is unknown: AWS = (NoCredentialsError)")
    with pytest.raises(SettingsError, match="give credentials"):
        check(parse(Command.DEPLOY, ["data"]), standing(dev, *UPWARDS))


def test_the_persons_word_is_handed_on_and_kept_for_when_the_tables_are_gone(
    dr: Dr, pulumi: StandIn, account: Account, dev: Environment
) -> None:
    pulumi.has_all_of(dev)
    assert dr("destroy", "--yes").exit_code == 0
    # First nothing was said; then what was found. Of the network alone nothing depends on the writer.
    assert account.said == [None, P, P, P]
    account.said.clear()
    dr("preview", "data", "--writer", "recovery")
    assert account.said == [R]


def test_with_a_dark_region_a_refresh_is_refused_in_a_deploy_too(account: Account, dev: Environment) -> None:
    account.situation = Situation(Condition.DARK, R, R, "the primary region does not answer", frozenset({P}))
    message = refused(Command.DEPLOY, ["data", "--refresh"], standing(dev, *UPWARDS))
    assert message.startswith("--refresh = (given): leave it out: the primary region does not answer")


def test_in_the_dark_a_preview_leaves_out_a_layer_that_asks_the_dark_region(account: Account, dev: Environment) -> None:
    account.situation = Situation(Condition.DARK, P, R, "the primary region does not answer", frozenset({P}))
    account.lacking = SettingsError("AWS", "(ConnectTimeoutError)", "give a network that reaches AWS")
    cleared = check(parse(Command.PREVIEW, ["data"]), standing(dev, *UPWARDS))
    assert cleared.impossible == {"data": str(account.lacking)}
    (warning,) = cleared.warnings
    assert warning.endswith("a deploy of data would be refused")
    account.situation = Situation(Condition.FOLLOWED, P, P)
    with pytest.raises(SettingsError, match="give a network"):
        check(parse(Command.PREVIEW, ["data"]), standing(dev, *UPWARDS))


# The document


def test_the_document_has_the_table_as_the_code_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["verdict_page", "--check"])
    assert main() == 0


def test_a_table_that_is_out_of_date_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    text = PAGE.read_text()
    assert page(text.replace(table()[-1], "| other |")) == text
    with pytest.raises(ValueError, match="has no"):
        page(text.replace(BEGIN, ""))
