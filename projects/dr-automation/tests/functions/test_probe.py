"""One run of the probe: each database at its own pace, each reading a metric at once (R4, R6)."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext

from function_runtime.environment import SettingError
from function_runtime.sites import Site
from health_probe import handler
from health_probe.handshake import ProbeResult, Reason
from health_probe.rounds import Reading, readings
from health_probe.settings import ProbeSettings, Target

TARGETS = {Site.PRIMARY: Target("dead", 5432), Site.RECOVERY: Target("alive", 5432)}
ENVIRONMENT = {
    "METRIC_NAMESPACE": "PostgresDR/test",
    "OBSERVER_SITE": "recovery",
    "DATABASES": json.dumps({site: {"host": target.host, "port": target.port} for site, target in TARGETS.items()}),
    "PROBES_PER_RUN": "2",
    "PROBE_INTERVAL_SECONDS": "0.1",
    "PROBE_TIMEOUT_SECONDS": "0.1",
    # Powertools would add it to the dimensions.
    "POWERTOOLS_SERVICE_NAME": "health-probe",
}
READY = ProbeResult(Reason.ASKED_FOR_AUTHENTICATION, "authentication request 10", 1.5)
DEAD = ProbeResult(Reason.NO_ANSWER, "timed out", 100.0)


def one_dead(host: str, port: int, timeout_seconds: float) -> ProbeResult:
    if host == "alive":
        return READY
    time.sleep(timeout_seconds)
    return DEAD


def test_a_dead_database_does_not_slow_the_probes_of_the_other() -> None:
    order = [
        reading.database
        for reading in readings(TARGETS, count=3, interval_seconds=0.01, timeout_seconds=0.2, prober=one_dead)
    ]
    assert order == [Site.RECOVERY] * 3 + [Site.PRIMARY] * 3


def test_probes_of_a_database_begin_an_interval_apart() -> None:
    begun: list[float] = []

    def note(host: str, port: int, timeout_seconds: float) -> ProbeResult:
        begun.append(time.monotonic())
        return READY

    only = {Site.RECOVERY: TARGETS[Site.RECOVERY]}
    called_at = time.monotonic()
    assert len(list(readings(only, count=3, interval_seconds=0.05, timeout_seconds=1, prober=note))) == 3
    assert begun[2] - called_at >= 0.1


def test_a_fault_of_the_probe_itself_ends_the_run_with_an_error() -> None:
    def broken(host: str, port: int, timeout_seconds: float) -> ProbeResult:
        raise RuntimeError(host)

    with pytest.raises(RuntimeError, match=r"dead|alive"):
        list(readings(TARGETS, count=2, interval_seconds=0.01, timeout_seconds=0.1, prober=broken))


def metrics_in(printed: str) -> list[dict[str, Any]]:
    return [line for line in map(json.loads, printed.splitlines()) if "_aws" in line]


@pytest.mark.parametrize(("result", "value"), [(READY, 1.0), (DEAD, 0.0)])
def test_a_reading_is_printed_with_exactly_its_two_dimensions(
    result: ProbeResult, value: float, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in ENVIRONMENT.items():
        monkeypatch.setenv(name, text)
    handler.publish(Reading(Site.PRIMARY, result), ProbeSettings.from_environment(ENVIRONMENT))
    (metric,) = metrics_in(capsys.readouterr().out)
    (directive,) = metric["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == "PostgresDR/test"
    assert [sorted(dimensions) for dimensions in directive["Dimensions"]] == [["Database", "Observer"]]
    assert (metric["Database"], metric["Observer"]) == ("primary", "recovery")
    assert metric["DatabaseReachable"] == [value]
    assert ("ProbeLatency" in metric) is result.ready, "the time it takes not to answer is the timeout"


def test_a_run_counts_what_it_found_and_a_dead_database_is_no_error(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in ENVIRONMENT.items():
        monkeypatch.setenv(name, text)
    # Port 1 of the loopback: nobody listens there.
    nobody = {site: {"host": "127.0.0.1", "port": 1} for site in Site}
    monkeypatch.setenv("DATABASES", json.dumps(nobody))
    assert handler.handle({}, LambdaContext()) == {site: {"no_answer": 2} for site in Site}
    printed = metrics_in(capsys.readouterr().out)
    assert sorted(metric["Database"] for metric in printed) == ["primary", "primary", "recovery", "recovery"]


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("METRIC_NAMESPACE", " "),
        ("OBSERVER_SITE", "sydney"),
        ("DATABASES", "{"),
        ("DATABASES", "[]"),
        ("DATABASES", '{"primary": {"host": "a", "port": 5432}}'),
        ("DATABASES", '{"primary": {"host": "", "port": 5432}, "recovery": {"host": "b", "port": 5432}}'),
        ("DATABASES", '{"primary": {"host": "a", "port": true}, "recovery": {"host": "b", "port": 5432}}'),
        ("DATABASES", '{"primary": {"host": "a", "port": 70000}, "recovery": {"host": "b", "port": 5432}}'),
        ("PROBES_PER_RUN", "0"),
        ("PROBES_PER_RUN", "1.5"),
        ("PROBE_INTERVAL_SECONDS", "nan"),
        ("PROBE_TIMEOUT_SECONDS", "0"),
    ],
)
def test_a_wrong_setting_is_named_with_its_remedy(variable: str, value: str) -> None:
    with pytest.raises(SettingError) as raised:
        ProbeSettings.from_environment({**ENVIRONMENT, variable: value})
    assert str(raised.value).startswith(variable)
    assert raised.value.remedy


@pytest.mark.parametrize("variable", sorted(set(ENVIRONMENT) - {"POWERTOOLS_SERVICE_NAME"}))
def test_a_missing_setting_is_named(variable: str) -> None:
    rest = {name: text for name, text in ENVIRONMENT.items() if name != variable}
    with pytest.raises(SettingError, match=rf"^{variable} = \(not set\)"):
        ProbeSettings.from_environment(rest)


def test_a_run_that_would_outlast_its_function_is_refused() -> None:
    with pytest.raises(SettingError, match=r"^PROBES_PER_RUN = 1000"):
        ProbeSettings.from_environment({**ENVIRONMENT, "PROBES_PER_RUN": "1000", "PROBE_INTERVAL_SECONDS": "60"})
