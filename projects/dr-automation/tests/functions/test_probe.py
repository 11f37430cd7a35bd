"""One run of the probe: each database at its own pace, each reading published at once (R4, R6)."""

from __future__ import annotations

import json
import re
import time
from typing import Any

import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext

from function_runtime.clients import AwsClients
from function_runtime.environment import SettingError
from function_runtime.probe_answer import ProbeAnswer, ProbeEventError, database_of, question
from function_runtime.session_outcome import SessionOutcome
from function_runtime.sites import Site
from health_probe import handler, probe
from health_probe.handshake import Handshake, Reason
from health_probe.login_token import Keys
from health_probe.probe import ProbeResult
from health_probe.rounds import Reading, readings
from health_probe.session import Login, SessionResult
from health_probe.settings import ProbeSettings, Target

TARGETS = {
    Site.PRIMARY: Target("dead", 5432, "ap-southeast-2"),
    Site.RECOVERY: Target("alive", 5432, "ap-southeast-1"),
}
LOGINS = {site: Login(target, Site.RECOVERY, None) for site, target in TARGETS.items()}
ENVIRONMENT = {
    "METRIC_NAMESPACE": "PostgresDR/test",
    "SITE": "recovery",
    "PRIMARY_REGION": "ap-southeast-2",
    "RECOVERY_REGION": "ap-southeast-1",
    "DATABASES": json.dumps({site: {"host": target.host, "port": target.port} for site, target in TARGETS.items()}),
    "PROBES_PER_RUN": "2",
    "PROBE_INTERVAL_SECONDS": "0.1",
    "PROBE_TIMEOUT_SECONDS": "0.1",
    # Powertools would add it to the dimensions.
    "POWERTOOLS_SERVICE_NAME": "health-probe",
}
ANSWERED = Handshake(Reason.ASKED_FOR_AUTHENTICATION, "authentication request 10", 1.5)
WRITER = ProbeResult(ANSWERED, SessionResult(SessionOutcome.WORKS, committed_at=1764320000.25))
REPLICA = ProbeResult(
    ANSWERED,
    SessionResult(
        SessionOutcome.WORKS,
        heartbeat_at=1764320000.0,
        received_position=300,
        replayed_position=200,
        stream_message_at=1764320001.0,
    ),
)
HUNG = ProbeResult(ANSWERED, SessionResult(SessionOutcome.HUNG, "the commit of a heartbeat is not answered"))
DEAD = ProbeResult(Handshake(Reason.NO_ANSWER, "timed out", 100.0), None)


def one_dead(login: Login, timeout_seconds: float) -> ProbeResult:
    if login.target.host == "alive":
        return WRITER
    time.sleep(timeout_seconds)
    return DEAD


def test_a_dead_database_does_not_slow_the_probes_of_the_other() -> None:
    order = [
        reading.database
        for reading in readings(LOGINS, count=3, interval_seconds=0.01, timeout_seconds=0.2, prober=one_dead)
    ]
    assert order == [Site.RECOVERY] * 3 + [Site.PRIMARY] * 3


def test_probes_of_a_database_begin_an_interval_apart() -> None:
    begun: list[float] = []

    def note(login: Login, timeout_seconds: float) -> ProbeResult:
        begun.append(time.monotonic())
        return WRITER

    only = {Site.RECOVERY: LOGINS[Site.RECOVERY]}
    called_at = time.monotonic()
    assert len(list(readings(only, count=3, interval_seconds=0.05, timeout_seconds=1, prober=note))) == 3
    assert begun[2] - called_at >= 0.1


def test_a_fault_of_the_probe_itself_ends_the_run_with_an_error() -> None:
    def broken(login: Login, timeout_seconds: float) -> ProbeResult:
        raise RuntimeError(login.target.host)

    with pytest.raises(RuntimeError, match=r"dead|alive"):
        list(readings(LOGINS, count=2, interval_seconds=0.01, timeout_seconds=0.1, prober=broken))


def metrics_in(printed: str) -> list[dict[str, Any]]:
    return [line for line in map(json.loads, printed.splitlines()) if "_aws" in line]


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> ProbeSettings:
    for name, text in ENVIRONMENT.items():
        monkeypatch.setenv(name, text)
    return ProbeSettings.from_environment(ENVIRONMENT)


def published(result: ProbeResult, settings: ProbeSettings, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    handler.publish(Reading(Site.PRIMARY, result), settings)
    (metric,) = metrics_in(capsys.readouterr().out)
    return metric


OF_THE_HANDSHAKE = {"DatabaseReachable": [1.0], "DatabaseAnswers": [1.0], "ProbeLatency": [1.5]}


@pytest.mark.parametrize(
    ("result", "values"),
    [
        (DEAD, {"DatabaseReachable": [0.0], "DatabaseAnswers": [0.0]}),
        (WRITER, {**OF_THE_HANDSHAKE, "SessionOutcome": [0.0], "CommittedAt": [1764320000.25]}),
        (HUNG, {**OF_THE_HANDSHAKE, "SessionOutcome": [8.0]}),
        (
            REPLICA,
            {
                **OF_THE_HANDSHAKE,
                "SessionOutcome": [0.0],
                "HeartbeatAt": [1764320000.0],
                "ReceivedPosition": [300.0],
                "ReplayedPosition": [200.0],
                "StreamMessageAt": [1764320001.0],
            },
        ),
    ],
    ids=["dead", "writer", "hung", "replica"],
)
def test_a_reading_is_printed_with_exactly_its_two_dimensions_and_what_it_found(
    result: ProbeResult, values: dict[str, list[float]], settings: ProbeSettings, capsys: pytest.CaptureFixture[str]
) -> None:
    metric = published(result, settings, capsys)
    (directive,) = metric["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == "PostgresDR/test"
    assert [sorted(dimensions) for dimensions in directive["Dimensions"]] == [["Database", "Observer"]]
    assert (metric["Database"], metric["Observer"]) == ("primary", "recovery")
    assert {each["Name"]: metric[each["Name"]] for each in directive["Metrics"]} == values


def test_what_is_wrong_is_logged_without_a_token(settings: ProbeSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    logged: list[dict[str, object]] = []
    monkeypatch.setattr(handler.logger, "warning", lambda text, **fields: logged.append(fields))
    for result in (DEAD, HUNG, WRITER):
        handler.warn(Reading(Site.PRIMARY, result), settings)
    dead, hung = logged
    assert (dead["reason"], hung["outcome"]) == (Reason.NO_ANSWER, "hung")
    monkeypatch.setattr(probe, "shake_hands", lambda *asked: ANSWERED)
    keys = Keys("AKIDEXAMPLE", "secret-key", "session-token")
    # Port 1 of the loopback: nobody listens there.
    result = probe.probe(Login(Target("127.0.0.1", 1, "ap-southeast-2"), Site.PRIMARY, keys), 1.0)
    handler.warn(Reading(Site.PRIMARY, result), settings)
    assert logged[-1]["outcome"] == "not_ended"
    assert not [each for each in ("secret-key", "session-token", "X-Amz") if each in str(logged)]


def test_a_database_that_does_not_answer_is_not_logged_in_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe.SESSIONS, "ask", lambda *asked: pytest.fail("logged in"))
    monkeypatch.setattr(probe, "shake_hands", lambda *asked: DEAD.handshake)
    assert probe.probe(LOGINS[Site.PRIMARY], 1.0) == DEAD


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


def asked_once(monkeypatch: pytest.MonkeyPatch, database: Site, result: ProbeResult) -> dict[str, Any]:
    for name, text in ENVIRONMENT.items():
        monkeypatch.setenv(name, text)
    asked: list[Login] = []

    def probe_once(login: Login, timeout_seconds: float) -> ProbeResult:
        asked.append(login)
        return result

    monkeypatch.setattr(handler, "probe", probe_once)
    answer = handler.handle(question(database), LambdaContext())
    assert [login.target.host for login in asked] == [TARGETS[database].host], "one probe, of that database alone"
    handed_on: dict[str, Any] = json.loads(json.dumps(answer))  # as Lambda does
    return handed_on


@pytest.mark.parametrize(
    ("result", "answers", "session"),
    [
        (WRITER, True, SessionOutcome.WORKS),
        (REPLICA, True, SessionOutcome.WORKS),
        (HUNG, True, SessionOutcome.HUNG),
        (DEAD, False, None),
    ],
)
def test_a_probe_that_is_asked_for_directly_is_published_and_answers_what_it_found(
    result: ProbeResult,
    answers: bool,
    session: SessionOutcome | None,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answer = ProbeAnswer.from_item(asked_once(monkeypatch, Site.PRIMARY, result))
    assert (answer.observer, answer.database) == (Site.RECOVERY, Site.PRIMARY)
    assert (answer.answers, answer.session) == (answers, session)
    # A session that works on a replica has read, and has committed nothing.
    assert answer.has_committed is (result is WRITER)
    (printed,) = metrics_in(capsys.readouterr().out)
    assert printed["DatabaseAnswers"] == [float(answers)]


@pytest.mark.parametrize(
    ("event", "named"),
    [
        ({"probe": "once"}, "event.database = '(not set)'"),
        ({"probe": "twice", "database": "primary"}, "event.probe = 'twice'"),
        ({"probe": "once", "database": "sydney"}, "event.database = 'sydney'"),
        ({"database": "primary"}, "event.probe = '(not set)'"),
        ({"probe": "once", "database": "primary", "count": 3}, "event.count = 3"),
        ({"report": {}}, "event.report = {}"),
    ],
)
def test_an_event_that_asks_for_something_else_is_refused(event: dict[str, Any], named: str) -> None:
    with pytest.raises(ProbeEventError, match=re.escape(named)) as refusal:
        handler.handle(event, LambdaContext())
    assert 'give {"probe": "once", "database": "primary"}' in str(refusal.value)


@pytest.mark.parametrize("event", [{}, {"detail-type": "Scheduled Event", "source": "aws.events", "detail": {}}])
def test_the_schedules_event_asks_for_a_whole_run(event: dict[str, Any]) -> None:
    assert database_of(event) is None


@pytest.mark.parametrize(
    "item",
    [
        None,
        [],
        {"primary": {"no_answer": 5}},
        {**question(Site.PRIMARY)},
        {
            "observer": "recovery",
            "database": "primary",
            "answers": False,
            "handshake": "no_answer",
            "session": None,
            "has_committed": True,
            "detail": "",
        },
    ],
)
def test_what_is_no_answer_of_a_probe_is_not_taken_for_one(item: object) -> None:
    with pytest.raises(ValueError, match="the probe answered"):
        ProbeAnswer.from_item(item)


@pytest.mark.parametrize("home", ["ap-southeast-1", "ap-southeast-2"])
def test_a_probe_may_start_cold_and_is_asked_once(home: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "-")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "-")
    config = AwsClients(home).of("lambda", "ap-southeast-1").meta.config
    assert config.read_timeout >= 10
    assert config.retries["total_max_attempts"] == 1


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("METRIC_NAMESPACE", " "),
        ("SITE", "sydney"),
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
