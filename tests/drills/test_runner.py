"""A drill on a system that never gets ready still ends in a report."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import pytest
from botocore.exceptions import EndpointConnectionError

from drills.runner import run_scenario
from drills.scenarios import scenario_named
from drills.system import LabSystem
from tests.drills.targets import drill_target


class DeadSystem:
    """Nothing of it answers, neither DNS nor a database nor AWS, and nothing of it may be broken."""

    dns_server = ("127.0.0.1", 1)
    authority_file = Path("authority.pem")
    target = drill_target("127.0.1.10", "127.1.1.10", port=1, password="secret-of-the-drill")

    def client(self, service: str, region: str) -> Any:
        raise EndpointConnectionError(endpoint_url=f"{service}.{region}")

    def versions(self) -> Mapping[str, str]:
        return {"project": "0.1.0"}

    def __getattr__(self, action: str) -> Any:
        raise AssertionError(f"a system that is not ready must not be broken: {action}")


def dead_system() -> LabSystem:
    return cast(LabSystem, DeadSystem())


def test_a_system_that_never_gets_ready_is_not_broken_and_the_report_says_what_was_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("drills.readiness.READY_DEADLINE_SECONDS", 0.1)
    said: list[str] = []
    report = run_scenario(dead_system(), scenario_named("primary-crash"), tmp_path, said.append)
    assert not report.passed
    content = json.loads((tmp_path / "drill-primary-crash.json").read_text(encoding="utf-8"))
    assert "the name writer.db.internal answers" in content["reason"]
    assert "nothing was broken" in content["reason"]
    page = (tmp_path / "drill-primary-crash.html").read_text(encoding="utf-8")
    assert "Failed." in page
    assert "secret-of-the-drill" not in page
    assert any(line.startswith("FAILED") for line in said)
