"""What brings a lab from one situation into the next, with the commands that people have, and what ends it again."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from tempfile import TemporaryFile
from typing import IO, Any

from deployment.state_tables import BIRTH, Table, read_table
from function_runtime.sites import Site as FunctionSite
from function_runtime.state import CONTROLLER
from lab.settings import LAB_STACK
from shared.naming import STATE_TABLE
from shared.sites import Site
from tests.pulumi.running_lab import RunningLab
from tests.pulumi.workplace import Workplace
from tests.situations.breakable_lab import tell
from tests.situations.database import takes_writes

P, R = Site.PRIMARY, Site.RECOVERY
REFUSAL = "InternalFailure"
QUICKLY = ("--yes", "--skip-preview")
WELL = ("healthy", "evidence_weak")
# A reprotection deploys the data layer three times, with the CLI and on a busy machine in two minutes each.
SECONDS = 600
KEPT = (CONTROLLER, BIRTH)


@dataclass(frozen=True)
class Place:
    """Where it happens.

    Attributes:
        lab: the lab.
        workplace: where a person works who is not the account's root user: a dark region does not answer them.
    """

    lab: RunningLab
    workplace: Workplace

    def region(self, site: Site) -> str:
        """The site's region."""
        return self.workplace.environment.regions[site]

    def table(self, site: Site) -> Table:
        """What the site's state table says."""
        dynamodb = self.workplace.client("dynamodb", self.region(site))
        return read_table(FunctionSite(site.value), dynamodb, self.table_name(site))

    def table_name(self, site: Site) -> str:
        """What the site's state table is called."""
        return self.workplace.environment.names.of(STATE_TABLE, site)

    @contextmanager
    def operating(self, *words: str) -> Iterator[Operation]:
        """An operators' command that goes on meanwhile, and has come to its end without an error in the end."""
        # No pipe: nobody reads it meanwhile, and what Pulumi prints may fill it.
        with TemporaryFile("w+") as said:
            process = subprocess.Popen(
                self.workplace.command("operations", *words, "--stack", LAB_STACK),
                cwd=self.workplace.checkout.root,
                env=self.workplace.variables,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
            )
            operation = Operation(process, said)
            try:
                yield operation
                with suppress(subprocess.TimeoutExpired):
                    process.wait(SECONDS)
                assert process.returncode == 0, str(operation)
            finally:
                process.kill()
                process.wait()


@dataclass(frozen=True)
class Operation:
    """An operators' command.

    Attributes:
        process: its process.
        said: the file with what it says.
    """

    process: subprocess.Popen[bytes]
    said: IO[str]

    def __str__(self) -> str:
        self.said.seek(0)
        return f"{self.process.args!r}, exit code {self.process.poll()}:\n{self.said.read()}"


Event = Callable[[Place], AbstractContextManager[None]]


@contextmanager
def without_automation(place: Place) -> Iterator[None]:
    """The lower layers alone are deployed."""
    place.workplace.dr("deploy", "network", "data", *QUICKLY)
    yield


@contextmanager
def all_deployed(place: Place) -> Iterator[None]:
    """All layers are."""
    place.workplace.dr("deploy", *QUICKLY)
    _wait_until_well(place)
    yield


@contextmanager
def table_lost(place: Place) -> Iterator[None]:
    """The items of the table that has authority are gone, and come back."""
    dynamodb, name = place.workplace.client("dynamodb", place.region(R)), place.table_name(R)
    keys: list[Mapping[str, Any]] = [{"id": {"S": key}} for key in KEPT]
    items = [dynamodb.get_item(TableName=name, Key=key, ConsistentRead=True)["Item"] for key in keys]
    dynamodb.transact_write_items(TransactItems=[{"Delete": {"TableName": name, "Key": key}} for key in keys])
    yield
    dynamodb.transact_write_items(TransactItems=[{"Put": {"TableName": name, "Item": item}} for item in items])
    _wait_until_well(place)


@contextmanager
def failing_over(place: Place) -> Iterator[None]:
    """A planned failover that cannot end: the new writer takes writes, and its word cannot be published."""
    with place.operating("failover", "--planned", "--yes") as failover:
        _wait("an incident", lambda: _incident(place) is not None, failover)
        tell(place.lab, "refuse_calls", place.region(R), "cloudwatch", "PutMetricData", REFUSAL)
        _wait("the new writer", lambda: takes_writes(place.workplace, R), failover)
        yield
        assert _incident(place) is not None, "the failover came to its end"
        tell(place.lab, "answer_calls", place.region(R))


@contextmanager
def failed_over(place: Place) -> Iterator[None]:
    """It is over."""
    assert _incident(place) is None
    yield


@contextmanager
def old_region_dark(place: Place) -> Iterator[None]:
    """The old writer's region does not answer."""
    tell(place.lab, "darken", place.region(P))
    yield


@contextmanager
def old_region_dark_and_configured(place: Place) -> Iterator[None]:
    """So it goes on, and somebody has configured what docs/deploying.md says; then it answers again."""
    file = place.workplace.checkout.stack_file("data", LAB_STACK)
    with place.workplace.edited(file):
        place.workplace.checkout.configure("data", LAB_STACK, activeSite="recovery", backupReplicationRetentionDays=0)
        yield
    tell(place.lab, "lighten", place.region(P))


@contextmanager
def handing_over(place: Place) -> Iterator[None]:
    """A reprotection that waits for authority to move: whether a word is out cannot be seen."""
    with place.operating("reprotect", "--yes") as reprotection:
        _wait("a handover", lambda: place.table(R).handover is not None, reprotection)
        for site in Site:
            tell(place.lab, "refuse_calls", place.region(site), "cloudwatch", "DescribeAlarms", REFUSAL)
        yield
        assert place.table(R).handover is not None, "the handover came to its end"
        for site in Site:
            tell(place.lab, "answer_calls", place.region(site))


@contextmanager
def reprotected(place: Place) -> Iterator[None]:
    """It has moved."""
    _wait_until_well(place)
    yield


def _incident(place: Place) -> str | None:
    controller = place.table(R).controller
    return None if controller is None else controller.incident_id


def _wait_until_well(place: Place) -> None:
    def decision() -> str:
        return str(json.loads(place.workplace.operate("status", "--json").out)["decision"]["code"])

    _wait("a healthy system", lambda: decision() in WELL)


def _wait(what: str, look: Callable[[], bool], operation: Operation | None = None) -> None:
    deadline = time.monotonic() + SECONDS
    while not look():
        ended = operation is not None and operation.process.poll() is not None
        assert not ended, f"no {what}: {operation}"
        assert time.monotonic() < deadline, f"waited {SECONDS} s in vain for {what}: {operation}"
        time.sleep(0.2)
