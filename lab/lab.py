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
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from botocore.exceptions import ConnectTimeoutError

from deployment.flat_outputs import FLAT_OUTPUTS_FILE, merged, write
from lab.applied_layer import DATA, AppliedDataLayer
from lab.aws import ACCOUNT_ID, DnsServer, LabAws, LabClock, LabNetwork, Resolver
from lab.breakable import Breakable
from lab.engine import Counts, Done, LabEngine, configured
from lab.home import ChildProcesses, LabHome
from lab.postgres import PostgresServer, find_binaries, require_small_disks
from lab.preparation import PREPARATION, prepare_database
from lab.pulumi_stand_in.backend import Backend
from lab.pulumi_stand_in.service import Service
from lab.rds import DatabaseFleet, RdsBackend, require_free_port
from lab.settings import LAB_STACK, LabSettings
from lab.target import Credentials, DeployedAutomation, DeployedDatabase, Target
from shared.environment import Environment
from shared.errors import SettingsError
from shared.layers import LAYERS, REPOSITORY_ROOT, Layer, layer
from shared.sites import Site

MASTER_USER = "dr_admin"
PASSWORD_LENGTH = 32
# A new cluster with the WAL that a server keeps (max_wal_size), and some room.
SMALL_DISK_BYTES = 400 * 1024 * 1024
# https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html
SECRET_NAME = re.compile(r"[A-Za-z0-9/_+=.@-]{1,512}")
GLOBAL_SERVICES = ("iam", "route53")

Progress = Callable[[str], None]


class Lab(Breakable):
    """One lab. Use it as a context manager: whatever happens, nothing is left behind.

    Args:
        settings: the lab's settings.
        progress: is given lines that say what the lab does.
        empty: apply no program, for those who deploy with the Pulumi CLI.
        prepared: prepare the database for probes that log in, as its owner does.
        small_disks: give each server a disk of its own that can be filled; `NoSmallDiskError` where none can be made.

    Attributes:
        home: the lab's folder.
        aws: the AWS account.
        network: who reaches whom.
        engine: what the programs made.
        data_layer: the data layer, for who changes its configuration and deploys it while the lab runs.
        pulumi: the stand-in for the Pulumi CLI.
        layer_seconds: how long each layer's program took.
        outputs: the flat outputs of all layers.
        outputs_file: where the outputs are: the checkout's file, or a file of the lab's own in its home where another
            lab of this checkout may use that one.
    """

    home: LabHome
    engine: LabEngine
    data_layer: AppliedDataLayer
    pulumi: Service
    outputs_file: Path
    _dns: DnsServer

    def __init__(
        self,
        settings: LabSettings,
        progress: Progress,
        *,
        empty: bool = False,
        prepared: bool = True,
        small_disks: bool = False,
    ) -> None:
        self._settings = settings
        self._empty = empty
        self._prepared = prepared
        self._small_disks = small_disks
        self._progress = progress
        self._closing = ExitStack()
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
    def dns_server(self) -> tuple[str, int]:
        """Address and port of the resolver, for UDP and TCP."""
        return self._dns.address

    @property
    def target(self) -> Target:
        """What is deployed."""
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
            automation={
                site: DeployedAutomation(
                    failover_function_name=flat[f"{site}FailoverFunctionName"],
                    probe_function_name=flat[f"{site}ProbeFunctionName"],
                    failures_topic_arn=flat[f"{site}FailuresTopicArn"],
                    recoveries_topic_arn=flat[f"{site}RecoveriesTopicArn"],
                    state_table_name=flat[f"{site}StateTableName"],
                    trigger_alarm_name=flat[f"{site}TriggerAlarmName"],
                    word_alarm_names=tuple(flat[f"{site}WordAlarmNames"]),
                )
                for site in Site
            },
            database_name=flat["databaseName"],
            database_port=flat["databasePort"],
            credentials=Credentials(MASTER_USER, self._password),
            writer_name=flat["writerName"],
            writer_uri=flat["writerUri"],
            writer_libpq_uri=flat["writerLibpqUri"],
            writer_jdbc_url=flat["writerJdbcUrl"],
            writer_hosts=tuple(flat["writerHosts"]),
            reader_name=flat["readerName"],
        )

    @property
    def authority_file(self) -> Path:
        """Certificates of the authority that the databases' certificates are of (PEM)."""
        return self._fleet.authority.certificate_file

    def client(self, service: str, region: str) -> Any:
        """A boto3 client with all rights in the lab's account."""
        return self.aws.client(service, region)

    def server(self, region: str, identifier: str) -> PostgresServer:
        """The server behind an RDS instance."""
        return self._fleet.server(region, identifier)

    def versions(self) -> Mapping[str, str]:
        """The versions of what runs here."""
        return {
            "project": version("postgres-dr"),
            "python": platform.python_version(),
            "postgresql": ".".join(map(str, self._fleet.binaries.version)),
            "ministack": version("ministack"),
            "pulumi": version("pulumi"),
            "pulumi-aws": version("pulumi-aws"),
        }

    def destroy(self) -> None:
        """Remove everything the programs made, last layer first.

        Raises:
            EngineError: something is protected; nothing was removed.
            DestroyError: something could not be removed.
        """
        self.engine.destroy(
            told=lambda gone: self._progress(f"  gone: {gone.registration.type} {gone.registration.name}")
        )

    def apply(self, of: Layer) -> Counts:
        """Apply one layer's program, again or for the first time.

        Returns:
            how many resources each kind of step was about.

        Raises:
            Exception: what the program or the engine raised. What was done until then stays.
        """
        files = self.data_layer.folder if of == DATA else None
        counts = self.engine.apply(of, LAB_STACK, self.overrides(of), files=files)
        self.take_outputs()
        return counts

    def take_outputs(self) -> None:
        """Let the lab say what the layers say now, and its outputs' file, once all layers are there."""
        known = {each.name: self.engine.outputs(each) for each in LAYERS if each.name in self.engine.states}
        self.outputs = merged(LAB_STACK, known)
        if all(known.get(each.name) for each in LAYERS):
            write(self.outputs, self.outputs_file)

    def overrides(self, of: Layer) -> Mapping[str, object]:
        """What this lab's settings say instead of a layer's and the environment's files."""
        return self.data_layer.overrides if of == DATA else self._configuration(of)

    def _start(self) -> None:
        started = time.monotonic()
        require_free_port(int(self._values("network")["databasePort"]))
        self.home = home = self._closing.enter_context(LabHome.open())
        self.outputs_file = FLAT_OUTPUTS_FILE if home.is_first else home.path / FLAT_OUTPUTS_FILE.name
        if self._small_disks:
            require_small_disks(home.path)
        binaries = find_binaries(home.path)
        children = ChildProcesses(home)
        self._closing.callback(children.close)
        self.aws = aws = LabAws(home, self._settings.port)
        self._closing.callback(aws.close)
        self.network = LabNetwork(aws.client, self.regions)
        self._fleet = DatabaseFleet(
            home.directory("databases"),
            binaries,
            children,
            self.network,
            lambda login: aws.refusal_of_login(asdict(login)),
            SMALL_DISK_BYTES if self._small_disks else None,
        )
        secret = secrets.token_hex(16)
        self._backend = RdsBackend(self._fleet, self.network, aws.client, self._rds_regions(), secret)
        port = self._backend.start()
        self._closing.callback(self._backend.stop)
        aws.start(f"http://127.0.0.1:{port}", secret, self._fleet.authority.certificate_file)
        clock = LabClock(aws.client, tuple(self.regions.values()), aws.high_resolution_metrics)
        clock.start()
        self._closing.callback(clock.stop)
        resolver = Resolver(aws.client("route53", self.regions[Site.RECOVERY]), clock.health_status)
        self._dns = DnsServer(resolver, self._settings.dns_port)
        self._dns.start()
        self._closing.callback(self._dns.stop)
        self.engine = LabEngine(self._client_of_programs, ACCOUNT_ID, self._told)
        self.data_layer = AppliedDataLayer(
            home.directory("data-layer"),
            self.engine,
            self._environment,
            self._configuration(DATA),
            self.take_outputs,
        )
        self.pulumi = Service(home, Backend(self.engine, self.overrides, self.take_outputs, f"lab:{home.path}"))
        self._closing.callback(self.pulumi.close)
        self._progress(f"AWS is up on {aws.endpoint_url} ({time.monotonic() - started:.1f} s)")

    def _apply(self) -> None:
        for each in LAYERS:
            started = time.monotonic()
            self._progress(f"applying {each.name}: {each.purpose}")
            counts = self.apply(each)
            self.layer_seconds[each.name] = time.monotonic() - started
            self._progress(
                f"applied {each.name}: {counts['create']} resources in {self.layer_seconds[each.name]:.1f} s"
            )
            if each.name == "data" and self._prepared:
                self._prepare(self.outputs)

    def _prepare(self, outputs: Mapping[str, Any]) -> None:
        """Do what the database's owner does after it was made."""
        credentials, authority = Credentials(MASTER_USER, self._password), self.authority_file
        writer = outputs[f"{outputs['activeSite']}DatabaseAddress"]
        prepare_database(writer, outputs["databasePort"], credentials, authority)
        file = PREPARATION.relative_to(REPOSITORY_ROOT)
        self._progress(f"prepared the database: {file} was run as {MASTER_USER}, which is no superuser")

    def _put_master_secret(self) -> None:
        """Create the secret that must exist in both regions before the stacks (P4)."""
        name = self._values("data")["secretId"]
        if not SECRET_NAME.fullmatch(name):
            raise SettingsError("secretId", name, "give a name of letters, digits and /_+=.@- as Secrets Manager takes")
        for region in self.regions.values():
            self.aws.client("secretsmanager", region).create_secret(
                Name=name, SecretString=json.dumps({"username": MASTER_USER, "password": self._password})
            )

    def _rds_regions(self) -> tuple[str, ...]:
        """The sites' regions, and the witness's, whose RDS has no instance."""
        witness = self._environment.witness_region
        return (*self.regions.values(), *(() if witness is None else (witness,)))

    def _values(self, layer_name: str) -> dict[str, str]:
        """A layer's configuration, by keys without the project's name."""
        of = layer(layer_name)
        configuration, _ = configured(of.folder, LAB_STACK, self._configuration(of))
        return {key.removeprefix(f"{of.project}:"): value for key, value in configuration.values.items()}

    def _shared_settings(self) -> Environment:
        of = layer("network")
        _, values = configured(of.folder, LAB_STACK, self._configuration(of))
        return Environment.overridden(LAB_STACK, values)

    def _client_of_programs(self, service: str, region: str) -> Any:
        """A client for who deploys: other than the lab's own it gets no answer of a dark region."""
        if service not in GLOBAL_SERVICES and self.network.is_dark_for("outside", region):
            raise ConnectTimeoutError(endpoint_url=f"https://{service}.{region}.amazonaws.com")
        return self.aws.client(service, region)

    def _configuration(self, of: Layer) -> Mapping[str, object]:
        return self._settings.configuration.get(of.name, {})

    def _told(self, step: Done) -> None:
        if step.seconds >= 1:
            done = "" if step.kind == "create" else f"{step.kind} "
            of = step.registration
            self._progress(f"  {done}{of.type.rpartition(':')[2]} {of.name} ({step.seconds:.1f} s)")
