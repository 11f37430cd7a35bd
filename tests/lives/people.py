"""What people do to the system: reprotect and deploy, by the product's own code, over AWS in memory.

Their clients are their own, so that one of their commands can be cut off at any of its calls.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any
from unittest.mock import patch

import botocore.session
from botocore.errorfactory import ClientExceptionsFactory
from botocore.exceptions import ClientError, ConnectTimeoutError

from aws_in_memory.aws import Aws
from aws_in_memory.clock import Clock
from aws_in_memory.deployed import REGIONS, SETTINGS_OF
from aws_in_memory.running import Running
from data_layer.declared import database_arn
from data_layer.replacement import refuse_replacement
from deployment import in_aws, judging
from deployment.arguments import Command, Request
from deployment.deployed import Deployed, Survey
from deployment.destroying import refuse_protected
from deployment.engine_events import PlannedStep
from deployment.judging import AUTOMATION, judge
from deployment.preflight import refuse_interrupted
from deployment.replacements import deletes_instance, refuse_losses
from deployment.situation import Holds, Situation, assess
from deployment.situation_in_aws import SHUT_IN, holds
from deployment.state_tables import read_table
from deployment.verdict import DATA
from failover.report import report
from function_runtime.clients import AwsError, code_of
from function_runtime.sites import Site
from operations.access import Role
from operations.console import Console
from operations.errors import RefusedError
from operations.inspect_command import find_instance
from operations.places import Places
from operations.reprotect.data_layer import DataLayer
from operations.reprotect.on_aws import AwsWorld
from shared.environment import Kind
from shared.errors import SettingsError
from shared.layers import LAYERS, layer
from shared.sites import Site as SharedSite
from tests.lives.declared_in_memory import declared, environment, outputs, settings_in
from tests.lives.pulumi_in_memory import PulumiFailedError, Stack
from tests.operations.terminal import ALICE, DEPLOYMENT
from tests.operations.test_restore import OUTPUTS

GROUPS = {
    f"{site}{key}": f"sg-{group}-{site}"
    for site in Site
    for key, group in {"QuarantineSecurityGroupId": "quarantine", "InspectionSecurityGroupId": "inspection"}.items()
}
PLACES = Places.of({**OUTPUTS, **GROUPS})
ALL = tuple(each.name for each in LAYERS)
Strike = Callable[[str], None]


@cache
def exceptions(service: str) -> Any:
    """The exceptions of a service's clients."""
    model = botocore.session.get_session().get_service_model(service)
    return ClientExceptionsFactory().create_client_exceptions(model)


@dataclass(frozen=True)
class Client:
    """A client of a person's."""

    aws: Aws
    service: str
    region: str
    strikes: Strike

    @property
    def exceptions(self) -> Any:
        """As boto3's have them."""
        return exceptions(self.service)

    def get_paginator(self, operation: str) -> Any:
        """One with a single page."""

        class Pages:
            paginate = staticmethod(lambda **asked: [getattr(self, operation)(**asked)])

        return Pages

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        def call(**asked: Any) -> Any:
            self.strikes(operation)
            try:
                answer = getattr(self.aws.of(self.service, self.region), operation)(**asked)
            except ClientError as error:
                raise self.exceptions.from_code(code_of(error))(error.response, operation) from error
            self.strikes(operation)
            return answer

        return call


@dataclass
class People(Console, DataLayer):
    """The operators: at a terminal, with the data layer's configuration in their checkout.

    Attributes:
        running: the system.
        kind: what the environment is for.
        configuration_of_data: the data layer's, as it is in the checkout.
        data_key: which one of each site's keys the network layer has.
        edit: what a change of the automation layer's program makes anew, and what comes of that; None for no change.
        strikes: is called before and after each of their calls; raises what is to become of it.
    """

    running: Running
    kind: Kind
    written: dict[str, str]
    data_key: str = "1"
    edit: tuple[PlannedStep, Callable[[], None]] | None = None
    strikes: Strike = lambda operation: None
    stack: Stack = field(init=False)

    def __post_init__(self) -> None:
        self.environment = environment(self.kind)
        self.stack = Stack(self)
        settings = settings_in(self.kind, self.written)
        self.stack.adopt(declared(settings), outputs(settings))

    # A terminal

    def say(self, lines: Iterable[str]) -> None:
        """Nobody reads it."""

    def now(self) -> datetime:
        return self.running.aws.now

    def sleep(self, seconds: float) -> None:
        """While they wait, the system runs."""
        self.running.tick(seconds=seconds)

    def client(self, service: str, region_name: str = "", **_: Any) -> Any:
        """As boto3 and its sessions make them."""
        return _Function(self.running.aws, region_name) if service == "lambda" else self._client(service, region_name)

    def _client(self, service: str, region: str) -> Client:
        return Client(self.running.aws, service, region, lambda operation: self.strikes(operation))

    def rds(self, site: SharedSite | Site) -> Client:
        """RDS in a site's region."""
        return self._client("rds", REGIONS[Site(site)])

    @property
    def world(self) -> AwsWorld:
        """As reprotection has it on AWS."""
        dynamodb = {site: self._client("dynamodb", REGIONS[site]) for site in Site}
        role = Role(ALICE, self, dynamodb, {})  # type: ignore[arg-type]
        arns = {site: str(database_arn(self.environment, SharedSite(site))) for site in Site}
        return AwsWorld(ALICE, DEPLOYMENT, role, {site: self.rds(site) for site in Site}, PLACES, arns, self)

    # The data layer, as reprotection works with it

    def configuration(self) -> Mapping[str, str]:
        return dict(self.written)

    def change(self, values: Mapping[str, str | None]) -> str:
        changed = {key: value for key, value in values.items() if self.written.get(key) != value}
        for key, value in changed.items():
            self.strikes("change")
            self.written.pop(key, None)
            if value is not None:
                self.written[key] = value
        return "".join(f"{key}: {value}\n" for key, value in changed.items())

    def deploy(self, say: Callable[[str], None]) -> None:
        try:
            self.deploys(DATA)
        except SettingsError as error:
            raise RefusedError(error.key, error.value, error.remedy) from error
        except PulumiFailedError as error:
            raise RefusedError("deploy", DATA, f"{error}; then call this again") from error

    def instance_id(self, site: Site) -> str | None:
        standing = self.stack.instance(SharedSite(site))
        return None if standing is None else standing.id

    def replicates_backups_of(self, site: Site) -> bool:
        arn = str(database_arn(self.environment, SharedSite(site)))
        return any(each.inputs.get("sourceDbInstanceArn") == arn for each in self.stack.standing.values())

    # Deploys

    def deploys(self, *layers: str) -> None:
        """`./dr deploy`. Network and observability change no database and no name: they are judged.

        Raises:
            SettingsError: it is refused.
            PulumiFailedError: not all of it could be done.
        """
        request = Request(Command.DEPLOY, tuple(layer(name) for name in layers), "lab", yes=True, production=True)
        settings = settings_in(self.kind, self.written)
        refuse_interrupted(request, self.survey())
        situation = self._judge(request)
        if AUTOMATION in layers and self.edit is not None:
            step, comes_of_it = self.edit
            refuse_losses(AUTOMATION, [step], self.environment, situation, None, {})
            comes_of_it()
        if DATA not in layers:
            return
        refuse_replacement(self.stack.outputs, settings, "app")
        program = declared(settings, self.data_key)
        steps = self.stack.preview(program)
        situation = self._judge(request)
        retiring = next((site for site, each in settings.instances.items() if each.role == "retiring"), None)
        refuse_losses(DATA, steps, self.environment, situation, retiring, self.stack.outputs)
        if retiring is not None and any(deletes_instance(each) for each in steps):
            with patch.object(in_aws, "_client", self._client):
                in_aws.refuse_without_snapshot(self.environment, retiring)
        self.stack.up(program, outputs(settings))

    def ups(self) -> None:
        """`pulumi up` by hand in the data layer's folder: nothing but the program and the engine refuses anything.

        Raises:
            SettingsError, PulumiFailedError: as for `deploys`.
        """
        settings = settings_in(self.kind, self.written)
        refuse_replacement(self.stack.outputs, settings, "app")
        self.stack.up(declared(settings, self.data_key), outputs(settings))

    def refreshes(self) -> None:
        """`./dr refresh -- data`.

        Raises:
            SettingsError, PulumiFailedError: as for `deploys`.
        """
        self._judge(Request(Command.REFRESH, (layer(DATA),), "lab", yes=True))
        self.stack.refresh()

    def takes_in(self, site: SharedSite) -> None:
        """`pulumi import` of a site's instance.

        Raises:
            SettingsError: the configuration contradicts itself.
        """
        self.stack.take_in(declared(settings_in(self.kind, self.written), self.data_key), site)

    def would_destroy(self) -> list[Site]:
        """Whose databases `./dr destroy` of everything would delete without a last snapshot. It is not carried out.

        Raises:
            SettingsError: it is refused.
        """
        request = Request(Command.DESTROY, tuple(reversed(LAYERS)), "lab", yes=True, production=True)
        refuse_protected(request, self.survey())
        self._judge(request)
        return [
            site
            for site in Site
            if (found := self.stack.instance(SharedSite(site))) and found.inputs["skipFinalSnapshot"]
        ]

    def survey(self) -> Survey:
        """What is deployed."""
        others = Deployed(exists=True, outputs=GROUPS, resources=("something",))
        return {**dict.fromkeys(ALL, others), DATA: Deployed.of(self.stack.exported())}

    def situation(self) -> Situation:
        """What a deploy meets."""
        tables = {site: read_table(site, self._client("dynamodb", REGIONS[site]), f"state-{site}") for site in Site}
        active = SharedSite(self.written.get("activeSite", "primary"))
        return assess(tables, {SharedSite(site): self._holds(site) for site in Site}, active)

    def _holds(self, site: Site) -> Holds:
        try:
            found = find_instance(self.rds(site), f"database-{site}")
        except AwsError:
            return Holds.UNKNOWN
        return holds(found, frozenset(GROUPS[f"{site}{key}"] for key in SHUT_IN))

    def _judge(self, request: Request) -> Situation:
        situation, survey = self.situation(), self.survey()
        with patch.object(judging, "written_value", lambda folder, stack, key: "false"):
            judge(request, request.layers, situation, survey, self.environment)
        return situation


@dataclass(frozen=True)
class _Function:
    """Lambda with a site's controller, which is asked for reports."""

    aws: Aws
    region: str

    def invoke(self, FunctionName: str, Payload: bytes, **_: Any) -> Any:  # noqa: N803
        (site,) = (site for site in Site if DEPLOYMENT.at[site].failover_function_name == FunctionName)
        if self.region in self.aws.dark:
            raise ConnectTimeoutError(endpoint_url=self.region)
        content = report(self.aws, SETTINGS_OF[site], Clock(self.aws), json.loads(Payload)["report"])
        return {"Payload": io.BytesIO(json.dumps(content).encode())}
