"""What a change of the functions' code redeploys: the functions it concerns and nothing else (D6)."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from automation_layer import artifact
from lab.engine.recording import run_recorded


@pytest.fixture(scope="module")
def below() -> Mapping[str, Mapping[str, Any]]:
    network = run_recorded("network").outputs
    return {"network": network, "data": run_recorded("data", below={"network": network}).outputs}


@pytest.fixture(scope="module")
def deployed(below: Mapping[str, Mapping[str, Any]]) -> Mapping[str, str]:
    return archives(below)


def archives(below: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """By function, the name of the archive that the program deploys: it holds the digest of what is in it."""
    functions = run_recorded("dr-automation", below=below).of_type("Function")
    return {each.name: Path(str(each.inputs["code"].path)).name for each in functions}


def test_both_sites_have_the_same_archive_of_a_function(deployed: Mapping[str, str]) -> None:
    assert deployed["health-probe-primary-lab"] == deployed["health-probe-recovery-lab"]
    assert deployed["fence-guard-primary-lab"] == deployed["fence-guard-recovery-lab"]
    assert deployed["failover-primary-lab"] == deployed["failover-recovery-lab"]


@pytest.mark.parametrize(
    ("package", "concerned"),
    [
        ("health_probe", {"health-probe-primary-lab", "health-probe-recovery-lab"}),
        ("failover", {"failover-primary-lab", "failover-recovery-lab"}),
        ("fence_guard", {"fence-guard-primary-lab", "fence-guard-recovery-lab"}),
        ("snapshot_copier", {"snapshot-copier-primary-lab", "snapshot-copier-recovery-lab"}),
        ("witness", {"witness-dr-automation-lab"}),
    ],
)
def test_a_comment_in_a_handler_redeploys_its_function_and_no_other(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    below: Mapping[str, Mapping[str, Any]],
    deployed: Mapping[str, str],
    package: str,
    concerned: set[str],
) -> None:
    functions = tmp_path / "functions"
    shutil.copytree(artifact.FUNCTIONS_FOLDER, functions, ignore=shutil.ignore_patterns("__pycache__"))
    with (functions / package / "handler.py").open("a") as source:
        source.write("# changed\n")
    elsewhere = partial(artifact.build, functions_folder=functions, build_folder=tmp_path / "build")
    monkeypatch.setattr(artifact, "build", elsewhere)
    changed = archives(below)
    assert changed.keys() == deployed.keys()
    assert {name for name in changed if changed[name] != deployed[name]} == concerned
