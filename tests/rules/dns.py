"""Rules for Route 53: health checks and records."""

from __future__ import annotations

import re

from lab.engine.recording import RecordedResource
from tests.rules.graph import Resources, looked_at, maybe, some, text, violations

TTL_SECONDS = 60
STANDARD_RESOLUTION_SECONDS = 60
CALCULATED = "CALCULATED"
STATISTICS = ("Average", "Minimum", "Maximum", "Sum", "SampleCount")
HOST = re.compile(r"[A-Za-z0-9.-]+")


def _alarm(resources: Resources, check: RecordedResource) -> RecordedResource | None:
    named = (check.inputs.get("cloudwatchAlarmRegion"), check.inputs.get("cloudwatchAlarmName"))
    found = [one for one in some(resources, "MetricAlarm") if (one.region, one.inputs["name"]) == named]
    return found[0] if found else None


def _of_alarms(resources: Resources) -> list[RecordedResource]:
    """The checks that look at something themselves; the others count these."""
    return [one for one in some(resources, "HealthCheck") if one.inputs["type"] != CALCULATED]


def _counting(resources: Resources) -> list[RecordedResource]:
    return [one for one in some(resources, "HealthCheck") if one.inputs["type"] == CALCULATED]


def _below(checks: set[object], resources: Resources) -> set[object]:
    """These checks and those that they count."""
    counted = {child for one in _counting(resources) if one.id in checks for child in _children(one)}
    return checks | counted


def _children(one: RecordedResource) -> list[object]:
    return list(one.inputs.get("childHealthchecks", []))


def health_checks_follow_alarms(resources: Resources) -> list[str]:
    """Checkers sit outside every VPC: only CLOUDWATCH_METRIC sees a private database, updated when its alarm changes.

    https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/dns-failover-private-hosted-zones.html and
    https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/health-checks-creating-values.html
    """
    lines: list[str] = []
    for one in _of_alarms(resources):
        parts = {
            "its type is not CLOUDWATCH_METRIC": one.inputs["type"] == "CLOUDWATCH_METRIC",
            "no alarm of that name in that region": _alarm(resources, one) is not None,
            "no triggers": bool(one.inputs.get("triggers")),
            "insufficientDataHealthStatus is not decided": "insufficientDataHealthStatus" in one.inputs,
        }
        lines += [f"{text(one)}: {what}" for what, right in parts.items() if not right]
    return lines


def health_checks_count_others_that_look_themselves(resources: Resources) -> list[str]:
    """A calculated check without children monitors nothing, and one under another is not documented.

    A child that is named twice counts once, so a threshold above the number of children is never reached.
    https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/health-checks-creating-values.html
    """
    looking = {one.id for one in _of_alarms(resources)}

    def wrong(one: RecordedResource) -> bool:
        children = _children(one)
        reachable = 0 < one.inputs.get("childHealthThreshold", 0) <= len(set(children))
        return not reachable or len(set(children)) < len(children) or not set(children) <= looking

    return violations(
        looked_at(_counting(resources), "calculated health check"), wrong, "does not count checks that look themselves"
    )


def every_health_check_is_used(resources: Resources) -> list[str]:
    """A check that no record refers to, by itself or through one that counts it, moves nothing.

    https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/dns-failover-configuring.html
    """
    used = _below({one.inputs.get("healthCheckId") for one in some(resources, "Record")}, resources)
    return violations(some(resources, "HealthCheck"), lambda one: one.id not in used, "no record refers to it")


def _watched_alarms(resources: Resources) -> list[RecordedResource]:
    alarms = [_alarm(resources, check) for check in _of_alarms(resources)]
    return looked_at([one for one in alarms if one is not None], "alarm behind a health check")


def alarms_of_health_checks_are_plain(resources: Resources) -> list[str]:
    """Route 53 supports no metric math, extended statistics or M-of-N alarms.

    https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/health-checks-types.html
    """

    def wrong(one: RecordedResource) -> bool:
        intervals = one.inputs["evaluationPeriods"]
        derived = {"metricQueries", "extendedStatistic", "thresholdMetricId"} & one.inputs.keys()
        plain = one.inputs.get("statistic") in STATISTICS
        return bool(derived) or not plain or one.inputs.get("datapointsToAlarm", intervals) != intervals

    return violations(_watched_alarms(resources), wrong, "Route 53 cannot follow it")


def alarms_of_health_checks_have_standard_resolution(resources: Resources) -> list[str]:
    """High-resolution metrics are not supported: a minute at least. The lab's own stack goes faster, so not there.

    https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/health-checks-types.html
    """
    return violations(
        _watched_alarms(resources),
        lambda one: one.inputs["period"] < STANDARD_RESOLUTION_SECONDS,
        "its period is below a minute",
    )


def _names(resources: Resources) -> list[RecordedResource]:
    return looked_at([one for one in some(resources, "Record") if one.inputs["type"] == "CNAME"], "CNAME record")


def names_carry_hosts(resources: Resources) -> list[str]:
    """A CNAME takes a host, without the port of an RDS `endpoint`.

    https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/ResourceRecordTypes.html#CNAMEFormat
    """
    return violations(
        _names(resources),
        lambda one: not all(HOST.fullmatch(str(each)) for each in one.inputs["records"]),
        "carries something that is no host",
    )


def names_are_short_lived(resources: Resources) -> list[str]:
    """Clients keep an answer for the TTL, which the recovery time counts: a minute at most.

    https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/best-practices-dns.html
    """
    return violations(_names(resources), lambda one: one.inputs.get("ttl", 300) > TTL_SECONDS, "lives over a minute")


def silence_does_not_move_the_writer(resources: Resources) -> list[str]:
    """What the writer's check counts keeps its last known status: only the controllers' words move the name.

    https://docs.aws.amazon.com/Route53/latest/APIReference/API_HealthCheckConfig.html
    """
    used: set[object] = {
        one.inputs.get("healthCheckId")
        for one in maybe(resources, "Record")
        if one.inputs["name"].startswith("writer.")
    }
    checks = [one for one in _of_alarms(resources) if one.id in _below(used, resources)]
    return violations(
        looked_at(checks, "health check of the writer's name"),
        lambda one: one.inputs.get("insufficientDataHealthStatus") != "LastKnownStatus",
        "silence moves the writer",
    )
