"""The lab as a whole: an AWS in a process, real PostgreSQL servers, and the four programs applied to them."""

from __future__ import annotations

import json
import platform
import re
import secrets
import string
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.metadata import version
from types import TracebackType
from typing import Any, Self

from deployment.flat_outputs import FLAT_OUTPUTS_FILE, merged, write
from lab.aws import ACCOUNT_ID, DnsServer, LabAws, LabClock, LabNetwork, Resolver
from lab.database_port import refuse_taken_port
from lab.engine.lab_engine import LabEngine
from lab.engine.program import configured, run_program
from lab.engine.registration import Registration
from lab.home import LabHome
from lab.postgres.binaries import PostgresBinaries, find_binaries
from lab.postgres.server import PostgresServer
from lab.processes import ChildProcesses
from lab.rds.backend import RdsBackend
from lab.rds.fleet import DatabaseFleet
from lab.settings import LAB_STACK, LabSettings
from lab.target import Credentials, DeployedDatabase, Target
from shared.environment import Environment
from shared.errors import SettingsError
from shared.layers import LAYERS, Layer, layer
from shared.sites import Site

MASTER_USER = "dr_admin"
PASSWORD_LENGTH = 32
# https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html
SECRET_NAME = re.compile(r"[A-Za-z0-9/_+=.@-]{1,512}")

Progress = Callable[[str], None]


@dataclass(frozen=True)
class _Parts:
    """What runs while a lab is up."""

    aws: LabAws
    fleet: DatabaseFleet
    backend: RdsBackend
    network: LabNetwork
    clock: LabClock
    dns: DnsServer
    engine: LabEngine
    binaries: PostgresBinaries


class Lab:
    """One lab. Use it as a context manager: whatever happens, nothing is left behind.

    Args:
        settings: the person's choices.
        progress: takes lines that say what happens now.
        empty: apply no program, for those who deploy with the Pulumi CLI.

    Attributes:
        layer_seconds: how long each layer's program took.
        outputs: the flat outputs of all layers.
    """

    def __init__(self, settings: LabSettings, progress: Progress, *, empty: bool = False) -> None:
        self._settings = settings
        self._empty = empty
        self._progress = progress
        self._closing = ExitStack()
        self._parts: _Parts | None = None
        self._password = "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(PASSWORD_LENGTH))
        self.layer_seconds: dict[str, float] = {}
        self.outputs: dict[str, Any] = {}
        self._environment = self._shared_settings()
        self.regions: Mapping[Site, str] = self._environment.regions

    def __enter__(self) -> Self:
        try:
            self._start()
            self._put_master_secret()
            if not self._empty:
                self._apply()
        except BaseException:
            self._closing.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.close()

    @property
    def aws(self) -> LabAws:
        """The lab's AWS account."""
        return self._running.aws

    @property
    def network(self) -> LabNetwork:
        """Who reaches whom."""
        return self._running.network

    @property
    def engine(self) -> LabEngine:
        """What the programs made."""
        return self._running.engine

    @property
    def dns_server(self) -> tuple[str, int]:
        """Address and UDP port of the resolver."""
        return self._running.dns.address

    @property
    def target(self) -> Target:
        """What is deployed, for a drill."""
        flat = self.outputs
        return Target(
            databases={
                site: DeployedDatabase(
                    region=self.regions[site],
                    identifier=flat[f"{site}DatabaseId"],
                    address=flat[f"{site}DatabaseAddress"],
                )
                for site in Site
            },
            database_name=flat["databaseName"],
            database_port=flat["databasePort"],
            credentials=Credentials(MASTER_USER, self._password),
            writer_name=flat["writerName"],
            writer_uri=flat["writerUri"],
            reader_name=flat["readerName"],
            failover_function_name=flat["failoverFunctionName"],
            probe_function_names={site: flat[f"{site}ProbeFunctionName"] for site in Site},
            failures_topic_arn=flat["failuresTopicArn"],
            recovery_topic_arn=flat["recoveryTopicArn"],
            state_table_name=flat["stateTableName"],
            trigger_alarm_name=flat["triggerAlarmName"],
            latch_alarm_name=flat["latchAlarmName"],
        )

    def client(self, service: str, region: str) -> Any:
        """A boto3 client with all rights in the lab's account."""
        return self.aws.client(service, region)

    def server(self, region: str, identifier: str) -> PostgresServer:
        """The server behind an RDS instance."""
        return self._running.fleet.server(region, identifier)

    def darken(self, region: str, *, seen_from: str | None = None) -> None:
        """Let a region be gone, for everybody or for another region alone.

        For everybody: no role's call is answered there, its functions are killed and not run, its databases' doors are
        closed and its connections dropped, nothing is replicated from or to it. `client` still sees all of it.

        Args:
            region: the region.
            seen_from: the region that no longer sees it: its functions' calls get no answer, its network's connections
                to the databases there are dropped, what is replicated from there stops. Nothing else changes.
        """
        self.network.darken(region, seen_from=seen_from)
        self.aws.darken(region, seen_from=seen_from)
        self._running.fleet.follow_interruptions()

    def lighten(self, region: str) -> None:
        """Let a region be back, for everybody; a link that was cut stays cut."""
        self.network.lighten(region)
        self.aws.lighten(region)
        self._running.fleet.follow_interruptions()

    def cut_link(self) -> None:
        """Interrupt the peering of the sites' networks; what is established is dropped. Replication goes on."""
        self.network.cut(Site.PRIMARY, Site.RECOVERY)
        self._running.fleet.follow_interruptions()

    def heal_link(self) -> None:
        """Undo `cut_link`."""
        self.network.heal()

    def kill_function(self, region: str, name: str) -> bool:
        """End every process of a function at once; tells whether one was in the middle of a run."""
        return self.aws.kill_function(region, name)

    def slow_reboots(self, seconds: float) -> None:
        """Let every reboot asked for from now on keep its server down for so long; 0 ends it."""
        self._running.backend.slow_reboots(seconds)

    def versions(self) -> Mapping[str, str]:
        """What runs here."""
        return {
            "project": version("postgres-dr"),
            "python": platform.python_version(),
            "postgresql": ".".join(map(str, self._running.binaries.version)),
            "ministack": version("ministack"),
            "pulumi": version("pulumi"),
            "pulumi-aws": version("pulumi-aws"),
        }

    def destroy(self) -> None:
        """Remove everything the programs made, last layer first.

        Raises:
            DestroyError: something could not be removed.
        """
        self.engine.destroy(lambda gone: self._progress(f"  gone: {gone.type} {gone.name}"))

    @property
    def _running(self) -> _Parts:
        if self._parts is None:
            raise RuntimeError("the lab is not up")
        return self._parts

    def _start(self) -> None:
        started = time.monotonic()
        values = self._values("network")
        refuse_taken_port(int(values["databasePort"]), [values[f"{site}VpcCidr"] for site in Site])
        home = self._closing.enter_context(LabHome.open())
        binaries = find_binaries(home.path)
        processes = ChildProcesses(home)
        self._closing.callback(processes.close)
        aws = LabAws(home, self._settings.port)
        self._closing.callback(aws.close)
        network = LabNetwork(aws.client, self.regions)
        fleet = DatabaseFleet(home.directory("databases"), binaries, processes, network)
        secret = secrets.token_hex(16)
        backend = RdsBackend(fleet, network, aws.client, self._rds_regions(), secret, account_id=ACCOUNT_ID)
        port = backend.start()
        self._closing.callback(backend.stop)
        aws.start(f"http://127.0.0.1:{port}", secret)
        clock = LabClock(aws.client, tuple(self.regions.values()))
        clock.start()
        self._closing.callback(clock.stop)
        resolver = Resolver(aws.client("route53", self.regions[Site.RECOVERY]), clock.health_status)
        dns = DnsServer(resolver)
        dns.start()
        self._closing.callback(dns.stop)
        engine = LabEngine(aws.client, ACCOUNT_ID, self._made)
        self._parts = _Parts(aws, fleet, backend, network, clock, dns, engine, binaries)
        self._progress(f"AWS is up on {aws.endpoint_url} ({time.monotonic() - started:.1f} s)")

    def _apply(self) -> None:
        outputs: dict[str, dict[str, Any]] = {}
        for each in LAYERS:
            started = time.monotonic()
            self._progress(f"applying {each.name}: {each.purpose}")
            outputs[each.name] = run_program(each, LAB_STACK, self.engine, self._configuration(each))
            self.layer_seconds[each.name] = time.monotonic() - started
            count = sum(kept.registration.layer == each.name for kept in self.engine.kept)
            self._progress(f"applied {each.name}: {count} resources in {self.layer_seconds[each.name]:.1f} s")
        self.outputs = merged(LAB_STACK, outputs)
        write(self.outputs, FLAT_OUTPUTS_FILE)

    def _put_master_secret(self) -> None:
        """The secret that exists before any stack does (P4)."""
        name = self._values("data")["secretId"]
        if not SECRET_NAME.fullmatch(name):
            raise SettingsError("secretId", name, "give a name of letters, digits and /_+=.@- as Secrets Manager takes")
        self.aws.client("secretsmanager", self.regions[Site.PRIMARY]).create_secret(
            Name=name, SecretString=json.dumps({"username": MASTER_USER, "password": self._password})
        )

    def _rds_regions(self) -> tuple[str, ...]:
        """The sites' regions, and the witness's, whose RDS answers and has no instance."""
        witness = self._environment.witness_region
        return (*self.regions.values(), *(() if witness is None else (witness,)))

    def _values(self, layer_name: str) -> dict[str, str]:
        """A layer's configuration by its own keys."""
        of = layer(layer_name)
        configuration, _ = configured(of.folder, LAB_STACK, self._configuration(of))
        return {key.removeprefix(f"{of.project}:"): value for key, value in configuration.values.items()}

    def _shared_settings(self) -> Environment:
        of = layer("network")
        _, values = configured(of.folder, LAB_STACK, self._configuration(of))
        return Environment.overridden(LAB_STACK, values)

    def _configuration(self, of: Layer) -> Mapping[str, object]:
        return self._settings.configuration.get(of.name, {})

    def _made(self, registration: Registration, seconds: float) -> None:
        if seconds >= 1:
            self._progress(f"  {registration.type.rpartition(':')[2]} {registration.name} ({seconds:.1f} s)")
