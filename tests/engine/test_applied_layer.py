"""The data layer of a lab is configured in the lab's home, and the checkout's files stay as they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab import applied_layer
from lab.applied_layer import AppliedDataLayer
from lab.settings import LAB_STACK
from shared.environment import Environment
from shared.errors import SettingsError
from shared.sites import Site
from tests.engine.fake_account import Applied, DemoLayer
from tests.engine.projects import write_project

SCHEMA = (
    "{activeSite: {type: string, default: primary}, primaryBirth: {type: string, default: original}, retiring: null}"
)


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = write_project(tmp_path / "checkout", "", SCHEMA)
    (folder / "Pulumi.lab.yaml").write_text("config:\n  demo:primaryBirth: snapshot one\n")
    monkeypatch.setattr(applied_layer, "DATA", DemoLayer("demo", "demo", "", (), "", at=folder))
    monkeypatch.setattr(applied_layer, "REPOSITORY_ROOT", tmp_path)
    return folder


def layer(applied: Applied, folder: Path, **settings: object) -> AppliedDataLayer:
    folder.mkdir()
    return AppliedDataLayer(folder, applied.engine, Environment.load(LAB_STACK), settings, lambda: None)


def test_a_change_is_a_diff_and_only_what_is_set_is_shown(applied: Applied, checkout: Path, tmp_path: Path) -> None:
    data = layer(applied, tmp_path / "home", activeSite="recovery", size=3)
    assert data.overrides == {"size": 3}
    assert data.configuration() == {"activeSite": "recovery", "primaryBirth": "snapshot one"}
    assert data.change({"activeSite": "primary", "retiring": "recovery", "primaryBirth": None}).splitlines() == [
        "--- a/checkout/Pulumi.lab.yaml",
        "+++ b/checkout/Pulumi.lab.yaml",
        "@@ -1,3 +1,3 @@",
        " config:",
        "-  demo:primaryBirth: snapshot one",
        '-  demo:activeSite: "recovery"',
        '+  demo:activeSite: "primary"',
        '+  demo:retiring: "recovery"',
    ]
    assert data.configuration() == {"activeSite": "primary", "retiring": "recovery"}
    assert (checkout / "Pulumi.lab.yaml").read_text() == "config:\n  demo:primaryBirth: snapshot one\n"


def test_the_same_value_again_is_no_difference(applied: Applied, checkout: Path, tmp_path: Path) -> None:
    data = layer(applied, tmp_path / "home", activeSite="recovery")
    assert data.change({"activeSite": "recovery", "retiring": None}) == ""


def test_another_key_is_refused_and_nothing_is_changed(applied: Applied, checkout: Path, tmp_path: Path) -> None:
    data = layer(applied, tmp_path / "home")
    with pytest.raises(SettingsError, match="activeSite"):
        data.change({"retiring": "primary", "instanceClass": "db.m5.large"})
    assert data.configuration() == {"primaryBirth": "snapshot one"}


def test_a_deploy_says_each_step_and_is_one_of_the_engines(applied: Applied, checkout: Path, tmp_path: Path) -> None:
    data = layer(applied, tmp_path / "home")
    write_project(checkout, 'aws.sns.Topic("a", name=pulumi.Config().require("activeSite"), opts=on)', SCHEMA)
    said: list[str] = []
    data.deploy(said.append)
    data.change({"activeSite": "recovery"})
    data.deploy(said.append)
    assert said == ["create Topic a", "replace Topic a (name)"]
    assert applied.standing == ["recovery"]
    assert data.instance_id(Site.PRIMARY) is None
