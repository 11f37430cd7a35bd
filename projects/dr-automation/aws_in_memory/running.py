"""A deployment that runs in memory, and what becomes of it: who takes writes, and under which name."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

from botocore.exceptions import BotoCoreError, ClientError

from aws_in_memory.aws import Aws, Call, no_fault
from aws_in_memory.deployed import SETTINGS, SETTINGS_OF, guard, run
from aws_in_memory.faults import At, Killed, Kind, killed_after
from failover.recorded import StateLostError
from fence_guard.finding import Memory
from function_runtime.control import Control, Instruction, InstructionKind
from function_runtime.sites import Site

BETWEEN_RUNS = 7.0
OWN_GROUP = {site: {f"sg-database-{site}": "active"} for site in Site}
FAILURES = (ClientError, BotoCoreError, StateLostError, LookupError)


class Running:
    """A deployment that runs: both controllers and both guards, each at its schedule.

    Attributes:
        settings: those of each site's controller.
        lost: whether the last run at home found the state lost.
    """

    def __init__(self, aws: Aws, guards: bool = True) -> None:
        self.aws = aws
        self.settings = dict(SETTINGS_OF)
        self.memories = {site: Memory() for site in Site} if guards else {}
        self.lost = False
        self.runs = 0

    def tick(self, times: int = 1, seconds: float = BETWEEN_RUNS) -> None:
        for _ in range(times):
            for site in (self.aws.home, self.aws.home.other):
                self.controller(site)
            for site in self.memories:
                self.guard(site)
            self.aws.sleep(seconds)

    def controller(self, site: Site | None = None) -> str:
        site = self.aws.home if site is None else site
        self.runs += 1
        self.lost = self.lost and site is not self.aws.home
        try:
            return run(self.aws, f"run-{self.runs}", self.settings[site])["code"]
        except StateLostError:
            self.lost = self.lost or site is self.aws.home
            return "lost"
        except (Killed, ClientError, BotoCoreError):
            return "failed"

    def guard(self, site: Site) -> str:
        try:
            return guard(self.aws, site, self.memories[site]).code
        except (Killed, *FAILURES):
            return "failed"


def takes_writes(aws: Aws, site: Site) -> bool:
    """Whether clients can write to a site's database: it is no replica, works, and lets them in."""
    instance = aws.instances[site]
    return instance.takes_writes(aws.now) and instance.groups == OWN_GROUP[site]


def writers(aws: Aws) -> set[Site]:
    return {site for site in Site if takes_writes(aws, site)}


def assert_one_writer(aws: Aws, site: Site | None = None, acting: Site | None = None) -> None:
    """Exactly one database takes writes, under the name and on the record of who acts (at home by default)."""
    found, controller = writers(aws), aws.plain("controller", acting)
    assert len(found) == 1, (found, [message for _, message in aws.messages])
    assert found == {aws.name}
    assert controller["writer_site"] in found
    assert "incident_id" not in controller
    if site is not None:
        assert found == {site}


def subjects(aws: Aws) -> str:
    return "\n".join(subject for _, subject in aws.messages)


def instruct(aws: Aws, kind: InstructionKind, about: str, site: Site | None = None) -> None:
    """A person gives an instruction, at home where no site is given."""
    site = aws.home if site is None else site
    control = Control.from_item(aws.plain("control", site)) if "control" in aws.items_of(site) else Control()
    instruction = Instruction(kind, about, "arn:person", aws.now, aws.now + timedelta(minutes=15))
    aws.put(replace(control.with_instruction(instruction), version=control.version + 1).as_item(), site)


def killed_once(aws: Aws, where: Callable[[Call], bool], kind: Kind = killed_after) -> None:
    """One run of the controller, which is killed right after a call, or before it."""
    aws.fault = At(where, kind)
    with suppress(Killed):
        run(aws, "killed")
    aws.fault = no_fault
    aws.sleep(SETTINGS.lease_seconds + 1)
