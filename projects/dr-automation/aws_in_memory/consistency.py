"""Refuse readings that AWS cannot give: what a test shows with them, it shows of nothing.

After the consistency checker of ops-scenario, which does the same for Juju:
https://github.com/canonical/operator/blob/main/testing/src/scenario/_consistency_checker.py
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple

from failover.policy import Policy
from failover.readings import Readings
from failover.signals import Remembered, Signals, interpret
from function_runtime import rds_status
from function_runtime.readings import Instance, RegionAnswers, Series, Unanswered
from function_runtime.session_outcome import SessionOutcome
from function_runtime.trouble import Trouble

logger = logging.getLogger(__name__)

GROUP_STATES = frozenset({"active", "adding", "removing"})
PROBED = ("active_seen_from_here", "active_seen_from_there", "standby_seen_from_here", "witness")
SESSIONS = ("active_sessions_from_here", "active_sessions_from_there", "standby_sessions")
SHOWN = ("heartbeat", "received", "stream_message")
LAGS = ("lag", "slot_lag")
MEASURED = (*LAGS, "host_load")
EVERY = (*PROBED, *SESSIONS, *SHOWN, *MEASURED)
OUTCOMES = frozenset(SessionOutcome)
NO_LAG = -1
"""What RDS publishes as the lag where it knows none."""
READ_TOGETHER = (
    (
        "active_seen_from_here",
        "active_sessions_from_here",
        "standby_seen_from_here",
        "standby_sessions",
        *SHOWN,
        "lag",
    ),
    ("active_seen_from_there", "active_sessions_from_there", "slot_lag", "host_load"),
)
"""Metrics of one region, which one question asks for."""


class InconsistentReadingsError(Exception):
    """These readings can never be read."""


class Results(NamedTuple):
    """What a check found: what cannot be, and what is unlikely."""

    errors: list[str]
    warnings: list[str]


def check_consistency(readings: Readings, policy: Policy) -> None:
    """Refuse readings that can never be read.

    Readings are inconsistent if AWS, asked as `failover.observe` asks it, cannot answer so: because CloudWatch never
    shows a metric like that, because a metric cannot have that value, because two answers of one service contradict
    each other, or because RDS never describes an instance so. That something is unlikely makes nothing inconsistent.

    Args:
        readings: what was read.
        policy: the periods it was read in.

    Raises:
        InconsistentReadingsError: they are inconsistent; every reason, and what to do about it.
    """
    errors: list[str] = []
    for check in CHECKS:
        found = check(readings, policy)
        errors += found.errors
        for warning in found.warnings:
            logger.warning("Unlikely readings: %s", warning)
    if errors:
        raise InconsistentReadingsError("inconsistent readings: " + "; ".join(errors))


def checked(readings: Readings, policy: Policy) -> Readings:
    """The readings, if they are consistent."""
    check_consistency(readings, policy)
    return readings


def interpreted(
    readings: Readings, policy: Policy, recorded: Trouble | None, replicated_until: datetime | None = None
) -> Signals:
    """The signals of consistent readings."""
    return interpret(checked(readings, policy), policy, Remembered(recorded, replicated_until))


def check_sites(readings: Readings, policy: Policy) -> Results:
    """A controller reads for the writer of the other site."""
    if readings.active is readings.here:
        return _errors(f"active = here = {readings.here}: a writer's own site reads nothing; make here the other site")
    return _errors()


def check_datapoints(readings: Readings, policy: Policy) -> Results:
    """CloudWatch shows one datapoint a period, in order, on the period's own marks, and none of the future."""
    found: list[str] = []
    for name in EVERY:
        seconds = policy.lag_period_seconds if name in MEASURED else policy.fine_period_seconds
        if name == "witness":
            seconds = policy.metric_period_seconds
        period, before = timedelta(seconds=seconds), None
        for point in _series(readings, name):
            if before is not None and point.start <= before:
                found.append(f"{name} at {point.start}: not after {before}; give one datapoint a period, oldest first")
            elif (before is not None and (point.start - before) % period) or (
                before is None and point.start.timestamp() % seconds
            ):
                found.append(f"{name} at {point.start}: off the marks of {seconds} s; begin it where a period begins")
            before = point.start
        if before is not None and before > readings.at:
            found.append(f"{name} at {before}: after {readings.at}, when it was read; leave out what is to come")
    return _errors(*found)


def check_statistics(readings: Readings, policy: Policy) -> Results:
    """A datapoint has samples, and a smallest and a largest of them."""
    found: list[str] = []
    for name in EVERY:
        for point in _series(readings, name):
            if point.minimum > point.maximum:
                found.append(f"{name} at {point.start}: minimum {point.minimum} > maximum {point.maximum}; swap them")
            if point.samples < 1:
                found.append(f"{name} at {point.start}: {point.samples} samples; leave out a period without any")
            elif point.samples == 1 and point.minimum != point.maximum:
                found.append(f"{name} at {point.start}: one sample with two values; make minimum and maximum the same")
    return _errors(*found)


def check_values(readings: Readings, policy: Policy) -> Results:
    """A probe is answered or not; a lag is -1, for unknown, or not negative."""
    found = [
        f"{name} at {point.start}: {point.minimum} to {point.maximum}; a probe's values lie within 0 and 1"
        for name in PROBED
        for point in _series(readings, name)
        if point.minimum < 0 or point.maximum > 1
    ]
    found += [
        f"{name} at {point.start}: {point.minimum}; give {NO_LAG} for an unknown lag, or one of 0 and more"
        for name in LAGS
        for point in _series(readings, name)
        if point.minimum < 0 and point.minimum != NO_LAG
    ]
    found += [
        f"{name} at {point.start}: {point.minimum}; give a SessionOutcome"
        for name in SESSIONS
        for point in _series(readings, name)
        if point.minimum not in OUTCOMES or point.maximum not in OUTCOMES
    ]
    return _errors(*found)


def check_shown(readings: Readings, policy: Policy) -> Results:
    """What a replica shows of its source never goes back, and comes from a session that read it."""
    found: list[str] = []
    read = {point.start for point in _series(readings, "standby_sessions") if point.minimum == SessionOutcome.WORKS}
    for name in SHOWN:
        before = None
        for point in _series(readings, name):
            if point.start not in read:
                found.append(f"{name} at {point.start}: no session that worked has read it; add one, or leave it out")
            if before is not None and point.minimum < before:
                found.append(f"{name} at {point.start}: {point.minimum} after {before}; let it stand or grow")
            before = point.maximum
    return _errors(*found)


def check_read_together(readings: Readings, policy: Policy) -> Results:
    """What one question asks for is answered as a whole or not at all; a metric without datapoints is an empty one."""
    found = []
    for names in READ_TOGETHER:
        unanswered = [getattr(readings, name) for name in names if isinstance(getattr(readings, name), Unanswered)]
        if unanswered and (len(unanswered) < len(names) or len({each.service_answered for each in unanswered}) > 1):
            found.append(f"{', '.join(names)}: one question reads them; make all of them the same Unanswered, or none")
    return _errors(*found)


def check_services(readings: Readings, policy: Policy) -> Results:
    """A service answers or is silent, and what was read of it agrees with that."""
    region = readings.active_region
    found = [
        f"{name}: {service} both answered and was silent; leave it out of one of them"
        for name, each in {"active_region": region, "reference_region": readings.reference_region}.items()
        for service in ([] if each is None else sorted({*each.answered} & {*each.silent}))
    ]
    answers = {"rds": readings.active_instance, "cloudwatch": readings.active_seen_from_there}
    for service, answer in answers.items():
        silent = isinstance(answer, Unanswered) and not answer.service_answered
        if silent != (service in region.silent) or silent == (service in region.answered):
            told = "silent" if silent else "answered"
            found.append(f"active_region: {service} {told}, by what was read of it; name it in {told} only")
    return _errors(*found)


def check_second_look(readings: Readings, policy: Policy) -> Results:
    """STS and a reference region are asked for where the active region's other services were silent, and only there."""
    asked_again = not ({"rds", "cloudwatch"} & {*readings.active_region.answered})
    region, reference = readings.active_region, readings.reference_region
    found = []
    if asked_again != (reference is not None):
        to_do = "say what the reference region answered" if asked_again else "make it None"
        found.append(f"reference_region = {reference}: {to_do}, for {_told(region)} in the active region")
    if asked_again != ("sts" in (*region.answered, *region.silent)):
        to_do = "say whether sts answered" if asked_again else "leave sts out"
        found.append(f"active_region: {to_do}, for {_told(region)}")
    return _errors(*found)


def check_instances(readings: Readings, policy: Policy) -> Results:
    """What RDS says of an instance agrees with itself, and two instances do not replicate each other."""
    errors, warnings = [], []
    instances = {"active_instance": readings.active_instance, "standby_instance": readings.standby_instance}
    described = {name: each for name, each in instances.items() if isinstance(each, Instance)}
    for name, each in described.items():
        if each.replication_ended and each.replica_of is None:
            errors.append(
                f"{name}: its replication has ended, and it has no source; give it replica_of, or leave it out"
            )
        for group, state in each.security_groups.items():
            if state not in GROUP_STATES:
                errors.append(f"{name}: group {group} is {state}; give one of {', '.join(sorted(GROUP_STATES))}")
        known = each.status in rds_status.WORKING | rds_status.FAILED or rds_status.is_maintenance(each.status)
        if not known:
            warnings.append(f"{name}: RDS has no status {each.status} today")
    if len([each for each in described.values() if each.replica_of is not None]) > 1:
        errors.append("active_instance and standby_instance: both are replicas; make replica_of of the active one None")
    return Results(errors, warnings)


Check = Callable[[Readings, Policy], Results]
CHECKS: tuple[Check, ...] = (
    check_sites,
    check_datapoints,
    check_statistics,
    check_values,
    check_shown,
    check_read_together,
    check_services,
    check_second_look,
    check_instances,
)


def _errors(*found: str) -> Results:
    return Results(list(found), [])


def _series(readings: Readings, name: str) -> Series:
    reading = getattr(readings, name)
    return () if reading is None or isinstance(reading, Unanswered) else reading


def _told(region: RegionAnswers) -> str:
    return f"answered {', '.join(region.answered) or 'nothing'} and silent {', '.join(region.silent) or 'nothing'}"
