"""Where the writer's and the reader's name lead, for every state of what the health checks follow.

The records and checks are the real program's, judged by the lab's Route 53.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import Any

import pytest

from lab.aws.health_checks import HealthCheck as LabHealthCheck
from lab.aws.health_checks import calculated
from lab.engine.recording import RecordedProgram, run_recorded
from shared.contracts import DataContract
from shared.sites import Site
from tests.contracts.made_up import made_up

REGIONS = {Site.PRIMARY: "ap-southeast-2", Site.RECOVERY: "ap-southeast-1"}
ADDRESSES = {site: f"{site}databaseaddress" for site in Site}
ANSWERS = {site: f"{site}-answers-{site.other}-lab" for site in Site}

# What was deployed before a handover of authority was possible, and what has become of it. Add what is deployed later.
DEPLOYED_BEFORE = {
    "primary-answers": "primary-answers",
    "replica-answers": "recovery-answers",
}
# Its type could not be changed: deployed while the primary is the writer only, see `automation_layer.preflight`.
REPLACED = "writer-is-primary"


@pytest.fixture(scope="module")
def below() -> Mapping[str, Mapping[str, Any]]:
    return {"network": run_recorded("network").outputs, "data": made_up(DataContract)}


@pytest.fixture(scope="module")
def program(below: Mapping[str, Mapping[str, Any]]) -> RecordedProgram:
    return run_recorded("dr-automation", below=below)


class Route53:
    """Route 53 with the program's checks and records, over alarms that are in alarm or not."""

    def __init__(self, program: RecordedProgram, in_alarm: set[str]) -> None:
        self._program = program
        self._checks = {check.id: check.inputs for check in program.of_type("HealthCheck")}
        self._in_alarm = in_alarm

    def is_healthy(self, identifier: str) -> bool:
        check = self._checks[identifier]
        if check["type"] == "CLOUDWATCH_METRIC":
            return check["cloudwatchAlarmName"] not in self._in_alarm
        above = LabHealthCheck(
            identifier,
            1,
            check["type"],
            children=tuple(check["childHealthchecks"]),
            health_threshold=check["childHealthThreshold"],
        )
        return calculated(above, self.is_healthy)

    def answer(self, name: str) -> str:
        """Where a name leads: with both records unhealthy, to the first."""
        first, second = (records(self._program, name)[rank] for rank in ("PRIMARY", "SECONDARY"))
        healthy = [each for each in (first, second) if self._is_record_healthy(each)]
        (address,) = (healthy or [first])[0]["records"]
        return str(address)

    def _is_record_healthy(self, record: Mapping[str, Any]) -> bool:
        check = record.get("healthCheckId")
        return check is None or self.is_healthy(check)


def records(program: RecordedProgram, name: str) -> dict[str, Mapping[str, Any]]:
    return {
        record.inputs["failoverRoutingPolicies"][0]["type"]: record.inputs
        for record in program.of_type("Record")
        if record.inputs["name"] == program.outputs[name]
    }


def words_in_alarm(program: RecordedProgram, primary: int, recovery: int) -> set[str]:
    """The word alarms that are in alarm, by what the two controllers said last."""
    return {
        name
        for site, word in ((Site.PRIMARY, primary), (Site.RECOVERY, recovery))
        for threshold, name in enumerate(program.outputs[f"{site}WordAlarmNames"], start=1)
        if word >= threshold
    }


def answering(states: Mapping[Site, bool]) -> set[str]:
    """The alarms on databases that are in alarm."""
    return {ANSWERS[site] for site, answers in states.items() if not answers}


@pytest.mark.parametrize(
    ("primary", "recovery", "writer"),
    [
        # The recovery site's controller has the say.
        (0, 0, Site.PRIMARY),
        (1, 0, Site.PRIMARY),
        (0, 2, Site.RECOVERY),
        (1, 2, Site.RECOVERY),
        # The primary site's has.
        (0, 1, Site.PRIMARY),
        (1, 1, Site.RECOVERY),
    ],
)
def test_the_writers_name_follows_the_word_of_whoever_has_the_say(
    program: RecordedProgram, primary: int, recovery: int, writer: Site
) -> None:
    for states in product((True, False), repeat=2):
        dead_or_alive = answering(dict(zip(Site, states, strict=True)))
        route53 = Route53(program, words_in_alarm(program, primary, recovery) | dead_or_alive)
        assert route53.answer("writerName") == ADDRESSES[writer]


def test_in_the_first_moment_every_check_is_healthy_and_the_primary_is_the_writer(program: RecordedProgram) -> None:
    assert Route53(program, set()).answer("writerName") == ADDRESSES[Site.PRIMARY]


@pytest.mark.parametrize(("primary", "recovery", "writer"), [(0, 0, "primary"), (0, 2, "recovery"), (1, 1, "recovery")])
@pytest.mark.parametrize("primary_answers", [True, False])
@pytest.mark.parametrize("recovery_answers", [True, False])
def test_the_readers_name_is_the_standby_while_it_answers_else_the_writer(
    program: RecordedProgram, primary: int, recovery: int, writer: str, primary_answers: bool, recovery_answers: bool
) -> None:
    states = {Site.PRIMARY: primary_answers, Site.RECOVERY: recovery_answers}
    active = Site(writer)
    route53 = Route53(program, words_in_alarm(program, primary, recovery) | answering(states))
    # Where neither answers, both records are unhealthy.
    answering_sites = [site for site in (active.other, active) if states[site]] or [Site.RECOVERY]
    assert route53.answer("readerName") == ADDRESSES[answering_sites[0]]


def test_what_a_database_answers_is_seen_from_the_other_site_and_kept_while_that_is_silent(
    program: RecordedProgram,
) -> None:
    """A dark observer must not move the reader from a standby that lives, or to one that does not."""
    for site in Site:
        alarm = program.resource(ANSWERS[site], "MetricAlarm")
        assert alarm.region == REGIONS[site.other]
        assert alarm.inputs["dimensions"] == {"Database": site, "Observer": site.other}
        assert alarm.inputs["treatMissingData"] == "ignore"


def test_no_check_counts_a_calculated_one_and_none_counts_a_child_twice(program: RecordedProgram) -> None:
    checks = {check.id: check.inputs for check in program.of_type("HealthCheck")}
    for check in checks.values():
        children = check.get("childHealthchecks", [])
        assert len(set(children)) == len(children)
        assert {checks[child]["type"] for child in children} <= {"CLOUDWATCH_METRIC"}


def test_the_contract_names_the_checks_of_the_first_records(program: RecordedProgram) -> None:
    for what in ("writer", "reader"):
        assert records(program, f"{what}Name")["PRIMARY"]["healthCheckId"] == program.outputs[f"{what}HealthCheckId"]


def test_a_health_check_is_updated_when_its_alarm_changes(below: Mapping[str, Mapping[str, Any]]) -> None:
    def triggers(**overrides: object) -> object:
        changed = run_recorded("dr-automation", overrides, below)
        return changed.resource("primary-answers-dr-automation-lab").inputs["triggers"]

    assert triggers(triggerEvaluationPeriods=3) != triggers()


@pytest.mark.parametrize(("before", "now"), DEPLOYED_BEFORE.items())
def test_no_health_check_of_an_earlier_deployment_is_replaced(program: RecordedProgram, before: str, now: str) -> None:
    """A new one starts healthy. Type, provider and parents make up the identity, and the name or an alias of it."""
    check = program.resource(f"{now}-dr-automation-lab", "HealthCheck")
    urn = (
        "urn:pulumi:lab::postgres-dr-automation::"
        "postgres-dr:automation:HealthChecks$aws:route53/healthCheck:HealthCheck::"
        f"{before}-dr-automation-lab"
    )
    assert urn in {check.urn, *check.registration.aliases}
    assert check.inputs["type"] == "CLOUDWATCH_METRIC"
    assert check.provider is not None
    assert check.provider.name == "aws-recovery-lab"


def test_the_check_whose_type_had_to_change_has_another_name(program: RecordedProgram) -> None:
    known = {name for one in program.of_type("HealthCheck") for name in (one.urn, *one.registration.aliases)}
    assert not [name for name in known if name.endswith(f"::{REPLACED}-dr-automation-lab")]
