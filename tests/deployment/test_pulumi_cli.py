"""The Pulumi CLI on this machine: whether it is there, and whom it works for."""

from __future__ import annotations

from pathlib import Path

import pytest

from deployment.pulumi_cli import Backend, PulumiCli
from shared.errors import SettingsError
from shared.layers import layer
from tests.deployment.recorder import StandIn


def test_the_backend_is_the_one_the_person_is_logged_in_to(pulumi: StandIn) -> None:
    assert PulumiCli.on_path().backend() == Backend(url=pulumi.url, user="somebody")


def test_a_person_who_is_not_logged_in_is_told_so_in_one_line(pulumi: StandIn) -> None:
    pulumi.is_not_logged_in()
    with pytest.raises(SettingsError) as refused:
        PulumiCli.on_path().backend()
    assert str(refused.value) == (
        "pulumi backend = (error: something is wrong): log in first: pulumi login, or set PULUMI_BACKEND_URL"
    )


def test_a_backend_that_is_not_there_is_named(pulumi: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_BACKEND_URL", "file:///no/such/folder")
    with pytest.raises(SettingsError, match=r"unable to open state directory .*/no/such/folder"):
        PulumiCli.on_path().backend()


def test_other_variables_are_set_for_that_cli_only(pulumi: StandIn, tmp_path: Path) -> None:
    cli = PulumiCli.on_path()
    aside = cli.with_variables(PULUMI_BACKEND_URL=tmp_path.as_uri())
    assert (cli.backend().url, aside.backend().url) == (pulumi.url, tmp_path.as_uri())


@pytest.mark.parametrize("organization", [None, "organization"])
def test_a_stack_is_found_by_its_own_name(pulumi: StandIn, organization: str | None) -> None:
    pulumi.has_empty("network", "dev")
    if organization is not None:
        pulumi.lists_stacks_with(organization)
    cli = PulumiCli.on_path()
    assert cli.has_stack(layer("network"), "dev")
    assert not cli.has_stack(layer("network"), "de")
    assert not cli.has_stack(layer("data"), "dev")
