"""AWS in memory: two sites, and every call that a function makes, at which anything can be made to go wrong."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache, partial
from typing import Any

import botocore.session
from botocore import xform_name
from botocore.exceptions import ConnectTimeoutError
from botocore.validate import validate_parameters

from aws_in_memory.clock import START, moment, seconds_of
from aws_in_memory.instance import DatabaseInstance, covering
from aws_in_memory.metric import Probes, Rhythm, Sampled, Sessions
from aws_in_memory.replication import Found
from aws_in_memory.services import CloudWatch, DynamoDb, Lambda, Rds, SecretsManager, Sns, Sts
from function_runtime.items import plain, serialized
from function_runtime.metric_names import (
    ANSWERS,
    COMMITTED,
    HEARTBEAT,
    RECEIVED_POSITION,
    SESSION,
    STREAM_MESSAGE,
    WITNESS_SEES,
)
from function_runtime.probe_answer import ProbeAnswer
from function_runtime.session_outcome import SessionOutcome
from function_runtime.sites import Site

EVERY_SECOND = Rhythm(schedule_seconds=1, probes=1, interval_seconds=1, timeout_seconds=0.05)
TakeEffect = Callable[[], Any]


@dataclass(frozen=True)
class Call:
    """One call of a function. Its name does not depend on the order in which a run's threads get to make their calls.

    Attributes:
        operation: service and operation.
        region: where.
        occurrence: the how many-th of its kind, from 1.
        number: the how many-th of all.
    """

    operation: str
    region: str
    occurrence: int
    number: int = field(compare=False, default=0)

    def __str__(self) -> str:
        return f"{self.operation} in {self.region}, number {self.occurrence}"


Fault = Callable[[Call, TakeEffect], Any]
"""What becomes of a call: is given the call and what makes it take effect, and returns or raises its answer."""


def no_fault(call: Call, take_effect: TakeEffect) -> Any:
    """A call that goes well."""
    return take_effect()


@cache
def input_shape(service: str, operation: str) -> Any:
    """What botocore knows of an operation's parameters."""
    model = botocore.session.get_session().get_service_model(service)
    (name,) = (name for name in model.operation_names if xform_name(name) == operation)
    return model.operation_model(name).input_shape


class Aws:
    """Two sites in two regions. One site's database is the writer and the other's its replica.

    Args:
        variables: a function's environment: what it calls things is what they are called here.
        now: the time.
        writer: the site whose database is the writer in the beginning; the other site's controller has the authority.
        probes: how each site's probes are timed.
        rds_period_seconds: from one sample of RDS's metrics to the next.
        history_seconds: how long before START everything has been healthy.

    Attributes:
        instances: the database of each site.
        dark: the regions that answer nothing.
        broken_probes: the sites whose probes reach no database.
        witness_sees: what a witness says of each database, None where there is none.
        called: every call's operation, in order.
        counted: how often each operation was called in each region.
        events: what was done to databases.
        messages: topic and subject of what people were told.
        texts: the texts of the same.
        gone_topics: topics that were deleted.
        rds: RDS in each site.
        secrets: Secrets Manager in each site.
        fault: what becomes of each call.
        validates: whether botocore checks the parameters of each.
    """

    def __init__(
        self,
        variables: Mapping[str, str],
        now: datetime = START,
        writer: Site = Site.PRIMARY,
        probes: Rhythm = EVERY_SECOND,
        rds_period_seconds: int = 1,
        history_seconds: float = 30.0,
    ) -> None:
        self.now = now
        self.regions = {site: variables[f"{site.name}_REGION"] for site in Site}
        self.instances = {
            site: DatabaseInstance(
                variables[f"{site.name}_INSTANCE_ID"],
                variables[f"{site.name}_DATABASE_GROUP_ID"],
                variables[f"{site.name}_QUARANTINE_GROUP_ID"],
                source=None if site is writer else f"arn:{variables[f'{writer.name}_INSTANCE_ID']}",
            )
            for site in Site
        }
        self.dark: set[str] = set()
        self.broken_probes: set[Site] = set()
        self.witness_sees: float | None = None
        self.called: list[str] = []
        self.counted: Counter[tuple[str, str]] = Counter()
        self.events: list[str] = []
        self.messages: list[tuple[str, str]] = []
        self.texts: list[str] = []
        self.gone_topics: set[str] = set()
        self.fault: Fault = no_fault
        self.validates = True
        self._writer = writer
        self._lock = threading.RLock()
        elsewhere = {variables[name] for name in ("REFERENCE_REGION", "WITNESS_REGION") if name in variables}
        self._cloudwatch = {region: CloudWatch(self) for region in (*self.regions.values(), *elsewhere)}
        self.tables = {site: DynamoDb() for site in Site}
        self.secrets = {site: SecretsManager() for site in Site}
        self._services: dict[tuple[str, str], Any] = {}
        self.rds: dict[Site, Rds] = {}
        for region in self._cloudwatch:
            self._services["sts", region] = Sts()
            self._services["cloudwatch", region] = self._cloudwatch[region]
        for site, region in self.regions.items():
            self.rds[site] = Rds(self, region, self.instances[site])
            self.rds[site].find, self.rds[site].source_of = self._snapshot, self._instance
            self._services["rds", region] = self.rds[site]
            self._services["dynamodb", region] = self.tables[site]
            self._services["secretsmanager", region] = self.secrets[site]
            self.secrets[site].secrets[variables["MASTER_SECRET_ID"]] = {}
            self._services["sns", region] = Sns(self)
            probe = variables[f"{site.name}_PROBE_FUNCTION"]
            self._services["lambda", region] = Lambda(probe, partial(self._probed, site))
        for site, region in self.regions.items():
            names = variables[f"{site.name}_WORD_ALARMS"].split(",")
            self._cloudwatch[region].word_alarms = {name: number for number, name in enumerate(names, start=1)}
            birth = {"id": "birth", "version": 1, "writer_site": writer.value, "authority": writer.other.value}
            self.put(birth, site)
        self._begin_metrics(probes, rds_period_seconds, -history_seconds)

    def of(self, service: str, region: str) -> Any:
        """The client of a service in a region."""
        return _Client(self, service, region)

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.now += timedelta(seconds=seconds)

    def call(self, service: str, region: str, operation: str, parameters: dict[str, Any]) -> Any:
        """Make a call."""
        name = f"{service}.{operation}"
        with self._lock:
            self.called.append(name)
            self.counted[name, region] += 1
            made = Call(name, region, self.counted[name, region], len(self.called))

        def take_effect() -> Any:
            with self._lock:
                if region in self.dark:
                    raise ConnectTimeoutError(endpoint_url=region)
                if self.validates:
                    validate_parameters(parameters, input_shape(service, operation))
                return getattr(self._services[service, region], operation)(**parameters)

        return self.fault(made, take_effect)

    def _snapshot(self, arn: str) -> dict[str, Any] | None:
        every = (each for rds in self.rds.values() for each in rds.snapshots.values())
        return next((each for each in every if each["DBSnapshotArn"] == arn), None)

    def _instance(self, arn: str) -> DatabaseInstance | None:
        every = (each for each in self.instances.values() if each.exists)
        return next((each for each in every if arn.endswith(f":{each.identifier}")), None)

    # What tests look at

    @property
    def writer(self) -> DatabaseInstance:
        """The instance that was the writer in the beginning."""
        return self.instances[self._writer]

    @property
    def standby(self) -> DatabaseInstance:
        """The other one."""
        return self.instances[self._writer.other]

    @property
    def home(self) -> Site:
        """The standby's site in the beginning, whose table `items` and `incidents` are about."""
        return self._writer.other

    def items_of(self, site: Site) -> dict[str, dict[str, Any]]:
        """The items of a site's state table, by id."""
        return self.tables[site].items

    @property
    def items(self) -> dict[str, dict[str, Any]]:
        """Those at home."""
        return self.items_of(self.home)

    def words(self, site: Site) -> list[tuple[datetime, float]]:
        """A site's words and their times, in the order they came in."""
        return self._cloudwatch[self.regions[site]].published

    def alarms(self, site: Site) -> CloudWatch:
        """What evaluates a site's word."""
        return self._cloudwatch[self.regions[site]]

    @property
    def published(self) -> list[tuple[datetime, float]]:
        """Those at home."""
        return self.words(self.home)

    @property
    def latch(self) -> list[float]:
        """Its values in the order CloudWatch has them in."""
        return [value for _, value in sorted(self.published)]

    @property
    def name(self) -> Site:
        """Where the writer's name leads, where Route 53 has copied every word: two of three decide."""
        # Who has not spoken yet says what the beginning is: the standby's controller has the say.
        at_first = START, float(self._writer is Site.RECOVERY)
        newest = {site: max(self.words(site), default=at_first)[1] for site in Site}
        healthy = [newest[Site.RECOVERY] < 1, newest[Site.RECOVERY] < 2, newest[Site.PRIMARY] < 1]
        return Site.PRIMARY if sum(healthy) >= 2 else Site.RECOVERY

    @property
    def controller(self) -> dict[str, Any]:
        """The controller's record."""
        return self.plain("controller")

    @property
    def incidents(self) -> list[dict[str, Any]]:
        """Every incident on record."""
        return self.incidents_of(self.home)

    def incidents_of(self, site: Site) -> list[dict[str, Any]]:
        """Those in a site's table."""
        return [self.plain(key, site) for key in self.items_of(site) if key.startswith("incident#")]

    def put(self, item: Mapping[str, Any], site: Site | None = None) -> None:
        """Write an item as somebody else does; at home where no site is given."""
        self.items_of(self.home if site is None else site)[item["id"]] = serialized(item)

    def plain(self, key: str, site: Site | None = None) -> dict[str, Any]:
        """An item."""
        return plain(self.items_of(self.home if site is None else site)[key])

    # What can be read in CloudWatch

    def _begin_metrics(self, probes: Rhythm, rds_period_seconds: int, since: float) -> None:
        chance = random.Random(0)  # noqa: S311 - no secret
        for observer in Site:
            cloudwatch = self._cloudwatch[self.regions[observer]]
            for database in Site:
                dimensions, reaches = {"Database": database, "Observer": observer}, self._reaches(observer, database)
                cloudwatch.add(ANSWERS, dimensions, Probes(chance, probes, 0.0, since, reaches))
                for name, of in {
                    SESSION: Found.session,
                    COMMITTED: Found.committed,
                    HEARTBEAT: Found.heartbeat,
                    RECEIVED_POSITION: Found.received,
                    STREAM_MESSAGE: Found.message,
                }.items():
                    found = partial(of, Found(self.instances[database], self.instances[database.other]))
                    cloudwatch.add(name, dimensions, Sessions(chance, probes, 0.0, since, reaches, found))
            own = {"DBInstanceIdentifier": self.instances[observer].identifier}
            measured = {
                "ReplicaLag": self._lag,
                "OldestReplicationSlotLag": self._slot_lag,
                "CPUUtilization": self._load,
            }
            for name, value in measured.items():
                cloudwatch.add(name, own, Sampled(chance, since, value(observer), rds_period_seconds))
        for region in self._cloudwatch.keys() - set(self.regions.values()):
            for database in Site:
                seen = Sampled(chance, since, lambda _: self.witness_sees, rds_period_seconds)
                self._cloudwatch[region].add(WITNESS_SEES, {"Database": database}, seen)

    def _reaches(self, observer: Site, database: Site) -> Callable[[float], bool]:
        return lambda at: observer not in self.broken_probes and self.instances[database].is_reached(moment(at))

    def _probed(self, observer: Site, database: Site) -> ProbeAnswer:
        """What one probe finds at this moment."""
        instance, at = self.instances[database], seconds_of(self.now)
        instance.settle(self.now)
        if not self._reaches(observer, database)(at):
            return ProbeAnswer(observer, database, False, "no_answer", None, False, "timed out")
        outcome = SessionOutcome(int(Found(instance, self.instances[database.other]).session(at)))
        commits = outcome is SessionOutcome.WORKS and instance.source is None
        return ProbeAnswer(observer, database, True, "asked_for_authentication", outcome, commits, "")

    def _lag(self, site: Site) -> Callable[[float], float | None]:
        """It climbs while the source does not commit: it is the age of the last commit that was replayed."""
        replica, source = self.instances[site], self.instances[site.other]

        def lag(at: float) -> float | None:
            if replica.source is None:
                return None
            if replica.lag_seconds < 0:
                return replica.lag_seconds  # RDS knows none
            outage = source.outage(moment(at)) or covering(source.hung, moment(at))
            return replica.lag_seconds + (0.0 if outage is None else (moment(at) - outage.begins).total_seconds())

        return lag

    def _slot_lag(self, site: Site) -> Callable[[float], float | None]:
        instance = self.instances[site]
        return lambda at: None if instance.outage(moment(at)) else instance.slot_lag_bytes

    def _load(self, site: Site) -> Callable[[float], float | None]:
        instance = self.instances[site]
        return lambda at: None if instance.host_lost is not None and moment(at) >= instance.host_lost else 20.0


class _Client:
    """One service of one region, as boto3's clients look."""

    def __init__(self, aws: Aws, service: str, region: str) -> None:
        self._aws, self._service, self._region = aws, service, region

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        return lambda **parameters: self._aws.call(self._service, self._region, operation, parameters)
