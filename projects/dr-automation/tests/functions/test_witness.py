"""What the witness swears to: a database's life by its own probe, a region's darkness by silence, else nothing."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, tzinfo

import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext
from hypothesis import given
from hypothesis import strategies as st

from aws_in_memory import deployed
from aws_in_memory.aws import Aws, Call
from aws_in_memory.clock import START as NOW
from aws_in_memory.deployed import REGIONS
from aws_in_memory.faults import before
from aws_in_memory.refusals import refusal
from function_runtime.embedded_metrics import emit
from function_runtime.environment import SettingError
from function_runtime.readings import Datapoint, RegionAnswers, Series, Unanswered
from function_runtime.sites import Site
from witness import handler
from witness.look import Look, SiteLook, look
from witness.settings import WitnessSettings
from witness.verdict import verdict

OWN = "ap-northeast-1"
ENVIRONMENT = {
    "METRIC_NAMESPACE": "PostgresDR/test",
    "METRIC_PERIOD_SECONDS": "60",
    "WITNESS_REGION": OWN,
    "PRIMARY_REGION": REGIONS[Site.PRIMARY],
    "RECOVERY_REGION": REGIONS[Site.RECOVERY],
    "PRIMARY_INSTANCE_ID": "database-primary",
    "RECOVERY_INSTANCE_ID": "database-recovery",
    "OUTAGE_SECONDS": "120",
}
SETTINGS = WitnessSettings.from_environment(ENVIRONMENT)
SERVICES = ("cloudwatch", "rds", "sts")


def minutes(*values: float, newest_ago: int = 1, probes: float = 5) -> Series:
    """One datapoint a minute, the newest last; it began so many minutes ago."""
    first = NOW - timedelta(minutes=newest_ago + len(values) - 1)
    return tuple(
        Datapoint(first + timedelta(minutes=number), maximum=value, minimum=0.0, samples=probes)
        for number, value in enumerate(values)
    )


def lives(probed: Series | Unanswered, *, silent: tuple[str, ...] = (), own: bool = True) -> bool | None:
    answered = tuple(service for service in SERVICES if service not in silent)
    seen = Look(NOW, {site: SiteLook(probed, RegionAnswers(answered, silent)) for site in Site}, own_region_answers=own)
    return verdict(Site.PRIMARY, seen, SETTINGS).lives


def test_a_probe_that_reaches_it_is_life() -> None:
    assert lives(minutes(1, 1)) is True
    assert lives(minutes(0, 0, 0, 1)) is True


def test_a_success_that_failures_followed_is_no_life_and_not_yet_death() -> None:
    assert lives(minutes(1, 1, 0)) is None


def test_probes_that_fail_for_a_whole_outage_are_death() -> None:
    assert lives(minutes(1, 0, 0)) is False
    assert lives(minutes(1, 0, 0, probes=1)) is None


def test_a_silent_probe_says_nothing() -> None:
    assert lives(()) is None
    assert lives(minutes(1, newest_ago=5)) is None
    assert lives(minutes(0, 0, 0, newest_ago=5)) is None


def test_a_reading_counts_as_long_as_it_is_recent_and_three_failed_probes_are_enough() -> None:
    assert lives(minutes(1, newest_ago=4)) is True
    assert lives(minutes(1, newest_ago=5)) is None
    assert lives(minutes(1, 0, 0, probes=1.5)) is False


def test_failures_before_a_long_silence_are_not_counted() -> None:
    for newest_ago, said in ((5, False), (6, None)):
        assert lives((*minutes(0, newest_ago=newest_ago), *minutes(0))) is said
    early = minutes(0, 0, newest_ago=9)
    assert lives((*early, *minutes(0, newest_ago=1))) is None


def test_a_region_that_is_silent_in_every_service_is_dark() -> None:
    gone = Unanswered("timeout", service_answered=False)
    assert lives(gone, silent=SERVICES) is False


def test_silence_all_around_is_the_witnesss_own() -> None:
    gone = Unanswered("timeout", service_answered=False)
    assert lives(gone, silent=SERVICES, own=False) is None


@pytest.mark.parametrize("alive", SERVICES)
def test_one_service_that_answers_is_no_darkness(alive: str) -> None:
    gone = Unanswered("timeout", service_answered=False)
    assert lives(gone, silent=tuple(service for service in SERVICES if service != alive)) is None


@given(
    values=st.lists(st.sampled_from([0.0, 1.0]), max_size=8),
    newest_ago=st.integers(min_value=1, max_value=8),
    probes=st.sampled_from([1.0, 5.0]),
)
def test_death_is_never_sworn_to_beside_a_recent_success(values: list[float], newest_ago: int, probes: float) -> None:
    series = minutes(*values, newest_ago=newest_ago, probes=probes)
    said = lives(series)
    if said is False:
        assert all(point.maximum < 1 for point in series if NOW - point.start <= timedelta(seconds=120))
    if said is True:
        assert series[-1].maximum >= 1
    if not series:
        assert said is None


def aws_seen(*, dark: tuple[str, ...] = (), refusing: tuple[str, ...] = ()) -> Aws:
    """An AWS of which some regions are dark, and in which some services refuse."""
    aws = Aws({**deployed.ENVIRONMENT, **ENVIRONMENT}, NOW, history_seconds=300)
    aws.dark |= set(dark)

    def refuse(call: Call) -> None:
        if call.operation.partition(".")[0] in refusing and call.region not in dark:
            raise refusal("AccessDenied", 403)

    aws.fault = before(refuse)
    return aws


def test_each_site_is_asked_three_services_and_the_own_region_one() -> None:
    aws = aws_seen()
    seen = look(aws, SETTINGS, NOW)
    asked = {(region, operation.partition(".")[0]): count for (operation, region), count in aws.counted.items()}
    assert asked == {**{(region, service): 1 for region in REGIONS.values() for service in SERVICES}, (OWN, "sts"): 1}
    assert all(verdict(site, seen, SETTINGS).lives for site in Site)


def test_a_dark_region_is_a_reading_and_the_other_site_is_seen_as_ever() -> None:
    seen = look(aws_seen(dark=(REGIONS[Site.PRIMARY],)), SETTINGS, NOW)
    assert verdict(Site.PRIMARY, seen, SETTINGS).lives is False
    assert verdict(Site.RECOVERY, seen, SETTINGS).lives is True


def test_a_witness_that_is_cut_off_says_nothing() -> None:
    seen = look(aws_seen(dark=(*REGIONS.values(), OWN)), SETTINGS, NOW)
    assert [verdict(site, seen, SETTINGS).lives for site in Site] == [None, None]


def test_a_refusal_is_an_answer() -> None:
    seen = look(aws_seen(refusing=SERVICES), SETTINGS, NOW)
    assert seen.own_region_answers
    assert [verdict(site, seen, SETTINGS).lives for site in Site] == [None, None]


def metrics_of(printed: str) -> dict[str, int]:
    lines = [json.loads(line) for line in printed.splitlines() if '"_aws"' in line]
    assert all(line["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["Database"]] for line in lines)
    return {line["Database"]: line["WitnessSeesDatabase"][0] for line in lines}


@pytest.mark.parametrize(
    ("dark", "expected"),
    [
        ((), {"primary": 1, "recovery": 1}),
        ((REGIONS[Site.PRIMARY],), {"primary": 0, "recovery": 1}),
        ((*REGIONS.values(), OWN), {}),
    ],
    ids=["calm", "primary dark", "cut off"],
)
def test_a_run_publishes_what_it_can_say_and_never_fails(
    dark: tuple[str, ...],
    expected: dict[str, int],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    class Stopped:
        @staticmethod
        def now(zone: tzinfo) -> datetime:
            return NOW.astimezone(zone)

    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(handler, "_clients", lambda home: aws_seen(dark=dark))
    monkeypatch.setattr(handler, "datetime", Stopped)
    handler.handle({}, LambdaContext())
    assert metrics_of(capsys.readouterr().out) == expected


def test_what_is_read_by_the_second_is_published_by_the_second(capsys: pytest.CaptureFixture[str]) -> None:
    for seconds, resolution in ((1, 1), (60, None)):
        emit("PostgresDR/test", {"Database": "primary"}, {"WitnessSeesDatabase": 1}, seconds)
        (metric,) = json.loads(capsys.readouterr().out)["_aws"]["CloudWatchMetrics"][0]["Metrics"]
        assert metric.get("StorageResolution") == resolution


@pytest.mark.parametrize(
    ("variable", "value"),
    [("WITNESS_REGION", "ap-southeast-1"), ("OUTAGE_SECONDS", "0"), ("PRIMARY_INSTANCE_ID", "")],
)
def test_a_setting_that_cannot_be_used_is_named(variable: str, value: str) -> None:
    with pytest.raises(SettingError) as caught:
        WitnessSettings.from_environment({**ENVIRONMENT, variable: value})
    assert caught.value.variable == variable
