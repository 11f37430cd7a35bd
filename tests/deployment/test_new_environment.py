"""Another environment is created as a copy: five files without secrets, or none if something is wrong."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import yaml

from deployment.layer_settings import load_settings
from deployment.new_environment import Copy, create, parse
from shared.environment import Environment, Kind
from shared.errors import SettingsError
from shared.layers import LAYERS
from shared.stack_files import load_configuration
from tests.deployment.checkout import Checkout
from tests.deployment.conftest import Dr
from tests.deployment.recorder import StandIn
from tests.deployment.standing import UPWARDS

SALTS = 'encryptionsalt: v1:old\nencryptedkey: b2xk\nsecretsprovider: "awskms://alias/old"\n'


def made(*words: str) -> list[str]:
    said: list[str] = []
    create(parse(words), said.append)
    return said


@pytest.fixture
def unchanged(checkout: Checkout) -> Callable[[], bool]:
    before = checkout.contents()
    return lambda: checkout.contents() == before


def test_a_name_is_enough() -> None:
    assert parse(["staging"]) == Copy(name="staging", source="dev", account_id=None)


@pytest.mark.parametrize(
    "words",
    [
        ["staging", "--from", "lab", "--account", "999988887777"],
        ["--account=999988887777", "staging", "--from=lab"],
    ],
    ids=" ".join,
)
def test_source_and_account_can_be_given(words: list[str]) -> None:
    assert parse(words) == Copy(name="staging", source="lab", account_id="999988887777")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "environment = (not set): give its name"),
        (["staging", "other"], "other = (given): give one name"),
        (["staging", "--stack", "dev"], "--stack = (given): give one name"),
        (["staging", "--from"], "--from = (not set): give a value after it"),
        (["staging", "--account", "1234"], "--account = 1234: give the 12 digits"),
        (["Staging"], "environment = Staging: start with a lower-case letter"),
        (["../staging"], "environment = ../staging: start with a lower-case letter"),
        (["a-name-that-is-too-long"], "environment = a-name-that-is-too-long: use at most 16 characters"),
        (["staging", "--from", "nowhere"], "stack = nowhere: there is no environments/nowhere.yaml"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_input_is_refused_in_one_line(words: list[str], message: str, unchanged: Callable[[], bool]) -> None:
    with pytest.raises(SettingsError) as refused:
        made(*words)
    assert str(refused.value).startswith(message)
    assert unchanged()


def test_five_files_are_written_and_nothing_else_is_changed(checkout: Checkout) -> None:
    before = checkout.contents()
    said = made("staging")
    files = ["environments/staging.yaml", *(f"projects/{name}/Pulumi.staging.yaml" for name in UPWARDS)]
    assert said[:-2] == [f"wrote {file}" for file in files]
    assert "staging is of the same kind as dev: development" in said[-2]
    assert said[-1].endswith("then: ./dr preview -- --stack staging")
    after = checkout.contents()
    assert after.keys() - before.keys() == set(files)
    assert {file: after[file] for file in before} == before


@pytest.mark.parametrize("source", ["dev", "lab"])
def test_the_new_environment_loads_with_a_suffix_of_its_own(source: str) -> None:
    made("staging", "--from", source)
    copy, original = Environment.load("staging"), Environment.load(source)
    assert (copy.suffix, copy.kind, copy.owner) == ("staging", original.kind, original.owner)
    assert (copy.regions, copy.account_id) == (original.regions, original.account_id)


@pytest.mark.parametrize("source", ["dev", "lab"])
def test_every_layers_settings_load_in_the_new_environment(source: str) -> None:
    made("staging", "--from", source)
    for known in LAYERS:
        copied = load_configuration(known.folder, "staging")
        assert copied.values == load_configuration(known.folder, source).values
        load_settings(known, copied)


def test_it_can_be_previewed_and_deployed_at_once(dr: Dr, pulumi: StandIn) -> None:
    assert dr("environment", "staging").exit_code == 0
    assert dr("preview", "--stack", "staging").exit_code == 0
    pulumi.programs_fulfil_their_contracts(Environment.load("staging"))
    assert dr("deploy", "--stack", "staging", "--yes").exit_code == 0
    assert pulumi.stacks("observability") == ["staging"]


@pytest.mark.parametrize("quote", ['"', "'"])
def test_another_account_replaces_the_sources(checkout: Checkout, quote: str) -> None:
    file = checkout.environment_file()
    file.write_text(file.read_text().replace('"111122223333"', f"{quote}111122223333{quote}  # ours"))
    made("staging", "--account", "999988887777")
    assert Environment.load("staging").account_id == "999988887777"
    assert Environment.load("dev").account_id == "111122223333"


def test_an_account_that_cannot_be_replaced_is_refused_and_nothing_is_written(checkout: Checkout) -> None:
    file = checkout.environment_file()
    file.write_text(file.read_text().replace("accountId:", '"accountId":'))
    before = checkout.contents()
    with pytest.raises(SettingsError, match=r"--account = 999988887777: write accountId at the start of a line in env"):
        made("staging", "--account", "999988887777")
    assert checkout.contents() == before


def test_comments_are_kept_and_name_the_new_files(checkout: Checkout) -> None:
    made("staging", "--from", "lab")
    assert "# One second stands for twelve of AWS." in checkout.stack_file("observability", "staging").read_text()
    made("other", "--from", "dev")
    assert "Pulumi.other.yaml" in checkout.environment_file("other").read_text()
    assert "Pulumi.dev.yaml" not in checkout.environment_file("other").read_text()


@pytest.mark.parametrize("name", UPWARDS)
def test_what_belongs_to_the_sources_secrets_is_left_out(checkout: Checkout, name: str) -> None:
    file = checkout.stack_file(name)
    plain = yaml.safe_load(file.read_text())
    file.write_text(SALTS + file.read_text() + SALTS.replace("old", "older"))
    made("staging")
    assert yaml.safe_load(checkout.stack_file(name, "staging").read_text()) == plain


def test_a_salt_in_a_last_line_without_its_end_is_left_out_too(checkout: Checkout) -> None:
    file = checkout.stack_file("network")
    file.write_text(f"{file.read_text()}encryptionsalt: v1:old")
    made("staging")
    assert "encryptionsalt" not in checkout.stack_file("network", "staging").read_text()


def test_the_sources_suffix_is_left_out(checkout: Checkout) -> None:
    checkout.set_environment(environmentSuffix="first")
    made("staging")
    assert Environment.load("staging").suffix == "staging"


def test_the_sources_suffix_is_no_name_for_another(checkout: Checkout) -> None:
    checkout.set_environment(environmentSuffix="first")
    before = checkout.contents()
    with pytest.raises(SettingsError, match="environmentSuffix = first: two environments must not share one"):
        made("first")
    assert checkout.contents() == before


def test_a_copy_of_production_is_production_and_protected(checkout: Checkout) -> None:
    checkout.make_production()
    made("second")
    copy = Environment.load("second")
    assert (copy.kind, copy.protected) == (Kind.PRODUCTION, True)


@pytest.mark.parametrize(
    "value",
    [{"secure": "v1:x"}, {"nested": {"secure": "v1:x"}}, ["plain", {"secure": "v1:x"}]],
    ids=["value", "within a mapping", "within a list"],
)
@pytest.mark.parametrize("name", UPWARDS)
def test_secure_values_are_refused_and_nothing_is_written(checkout: Checkout, name: str, value: object) -> None:
    checkout.configure(name, secretId=value)
    before = checkout.contents()
    with pytest.raises(SettingsError, match=r"secretId = \(secure\): only stack dev can read it"):
        made("staging")
    assert checkout.contents() == before


@pytest.mark.parametrize("there", ["environment", *UPWARDS])
def test_a_file_that_is_there_is_kept_and_nothing_is_written(checkout: Checkout, there: str) -> None:
    file = checkout.environment_file("staging") if there == "environment" else checkout.stack_file(there, "staging")
    file.write_text("somebody's work\n")
    before = checkout.contents()
    with pytest.raises(SettingsError, match=rf"environment = staging: .*{file.name} is there already"):
        made("staging")
    assert checkout.contents() == before


def test_a_source_that_lacks_a_layers_file_is_refused_and_nothing_is_written(checkout: Checkout) -> None:
    checkout.stack_file("observability", "lab").unlink()
    before = checkout.contents()
    with pytest.raises(SettingsError, match=r"--from = lab: there is no projects/observability/Pulumi\.lab\.yaml"):
        made("staging", "--from", "lab")
    assert checkout.contents() == before
