"""A deploy that cannot succeed is refused before anything is touched."""

from __future__ import annotations

import os

import pulumi
import pytest

from deployment import preflight
from shared.errors import SettingsError
from shared.layers import LAYERS, Layer, layer

NO_CREDENTIALS = {
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}

each_layer = pytest.mark.parametrize("known", LAYERS, ids=lambda known: known.name)


@each_layer
@pytest.mark.parametrize("stack", ["dev", "lab"])
def test_the_settings_of_the_stacks_in_the_repository_load(known: Layer, stack: str) -> None:
    assert preflight.load_settings(known, stack)


class Needs:
    """What a layer needs: it notes the settings it was asked with."""

    def __init__(self) -> None:
        self.asked: list[object] = []

    def check(self, settings: object) -> None:
        self.asked.append(settings)


def test_settings_are_checked_for_all_layers_before_aws_is_asked_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    def load(chosen: Layer, stack: str) -> object:
        if chosen.name == "observability":
            raise SettingsError("recoveryRegion", "ap-southeast-2", "choose another region than primaryRegion")
        return object()

    needs = Needs()
    monkeypatch.setattr(preflight, "load_settings", load)
    monkeypatch.setattr(preflight, "needs_of", lambda chosen: needs)
    with pytest.raises(SettingsError, match="recoveryRegion"):
        preflight.check_before_deploy(LAYERS, "dev")
    assert needs.asked == []


def test_what_a_layer_needs_is_checked_with_its_own_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    needs = Needs()
    monkeypatch.setattr(preflight, "load_settings", lambda chosen, stack: f"{chosen.name} of {stack}")
    monkeypatch.setattr(preflight, "needs_of", lambda chosen: needs if chosen.name == "data" else None)
    preflight.check_before_deploy([layer("network")], "dev")
    assert needs.asked == []
    preflight.check_before_deploy(LAYERS, "dev")
    assert needs.asked == ["data of dev"]


def test_the_data_layer_refuses_a_deploy_without_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("AWS_"):
            monkeypatch.delenv(name)
    for name, value in NO_CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match="credentials"):
        preflight.check_before_deploy([layer("data")], "dev")


def test_a_refused_setting_says_which_layer_it_belongs_to(monkeypatch: pytest.MonkeyPatch) -> None:
    class Refusing:
        def load(self) -> object:
            raise SettingsError("accountId", "1", "give the 12 digits")

    monkeypatch.setattr(preflight, "settings_class", lambda chosen: Refusing())
    with pytest.raises(SettingsError, match="network: accountId = 1"):
        preflight.load_settings(layer("network"), "dev")


def test_loading_leaves_pulumis_own_settings_as_they_were() -> None:
    before = pulumi.get_stack(), pulumi.get_project()
    preflight.load_settings(layer("network"), "lab")
    assert (pulumi.get_stack(), pulumi.get_project()) == before
    assert pulumi.Config("postgres-dr-network").get("accountId") is None
