"""Route 53 reads metrics of standard resolution only (R6); what the controller reads is as fine as it is made."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from failover import latch
from failover.settings import Settings
from function_runtime.metric_names import STANDARD_RESOLUTION_SECONDS
from function_runtime.session_outcome import SessionOutcome
from function_runtime.sites import Site
from function_runtime.state import Controller
from health_probe import handler
from health_probe.handshake import Handshake, Reason
from health_probe.probe import ProbeResult
from health_probe.rounds import Reading
from health_probe.session import SessionResult
from health_probe.settings import ProbeSettings
from lab.engine.recording import RecordedProgram, run_recorded
from shared.contracts import DataContract
from tests.contracts.made_up import made_up

FOUND = SessionResult(SessionOutcome.WORKS, "", 1.0, 2, 3, 4.0, 5.0)
READING = Reading(Site.PRIMARY, ProbeResult(Handshake(Reason.ASKED_FOR_AUTHENTICATION, "", 1.5), FOUND))


@pytest.fixture(scope="module")
def program() -> RecordedProgram:
    """The lab's, which reads and probes by the second."""
    below = {"network": run_recorded("network").outputs, "data": made_up(DataContract)}
    return run_recorded("dr-automation", below=below)


def environment(program: RecordedProgram, name: str) -> Mapping[str, str]:
    variables: Mapping[str, str] = program.resource(name, "Function").inputs["environment"]["variables"]
    return variables


def read_by_health_checks(program: RecordedProgram) -> set[str]:
    """The metrics of the alarms that Route 53's health checks copy."""
    copied = {check.inputs.get("cloudwatchAlarmName") for check in program.of_type("HealthCheck")}
    return {alarm.inputs["metricName"] for alarm in program.of_type("MetricAlarm") if alarm.inputs["name"] in copied}


class CloudWatch:
    """Takes what the latch sends."""

    def __init__(self) -> None:
        self.sent: list[Mapping[str, Any]] = []

    def put_metric_data(self, Namespace: str, MetricData: list[Mapping[str, Any]]) -> None:  # noqa: N803 - AWS's names
        self.sent += MetricData


@pytest.fixture
def published(
    program: RecordedProgram, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Mapping[str, int]:
    """The resolution in seconds of each metric that probe and latch publish."""
    probes = environment(program, "health-probe-recovery-lab")
    for name, text in probes.items():
        monkeypatch.setenv(name, text)
    handler.publish(READING, ProbeSettings.from_environment(probes))
    printed = json.loads(capsys.readouterr().out)
    (directive,) = printed["_aws"]["CloudWatchMetrics"]
    resolutions = {
        each["Name"]: each.get("StorageResolution", STANDARD_RESOLUTION_SECONDS) for each in directive["Metrics"]
    }
    cloudwatch = CloudWatch()
    settings = Settings.from_environment(environment(program, "failover-recovery-lab"))
    latch.publish(cloudwatch, settings, Controller(), datetime.now(UTC))
    return {**resolutions, **{each["MetricName"]: each["StorageResolution"] for each in cloudwatch.sent}}


def test_what_a_health_check_reads_is_of_standard_resolution_however_fast_everything_else_is(
    program: RecordedProgram, published: Mapping[str, int]
) -> None:
    read = read_by_health_checks(program)
    assert read
    assert {name: published[name] for name in read} == dict.fromkeys(read, STANDARD_RESOLUTION_SECONDS)


def test_all_else_that_a_probe_publishes_is_as_fine_as_it_probes(
    program: RecordedProgram, published: Mapping[str, int]
) -> None:
    rest = published.keys() - read_by_health_checks(program)
    assert {
        "DatabaseAnswers",
        "SessionOutcome",
        "HeartbeatAt",
        "CommittedAt",
        "ReceivedPosition",
        "StreamMessageAt",
    } <= rest
    assert {published[name] for name in rest} == {1}
