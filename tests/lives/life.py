"""One world in which everything happens: both sites' functions, the operators' commands, disasters and deploys."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

from aws_in_memory.clock import Clock
from aws_in_memory.deployed import COPIER_ENVIRONMENT, REGIONS, SETTINGS_OF, healthy
from aws_in_memory.faults import Killed
from aws_in_memory.handovers import acting, newest, order_failover, watched, writer_of
from aws_in_memory.running import FAILURES, instruct, subjects, writers
from data_layer.declared import database_arn
from deployment.engine_events import PlannedStep
from deployment.replacements import HEALTH_CHECK, TABLE
from function_runtime.control import ABOUT_HANDOVER, Control, InstructionKind, OrderKind, Pause
from function_runtime.sites import Site
from function_runtime.state import Controller
from operations.errors import RefusedError
from operations.reprotect.refusals import Words
from operations.reprotect.runner import reprotect, undo
from shared.environment import Kind
from shared.errors import SettingsError
from shared.naming import STATE_TABLE
from shared.sites import Site as SharedSite
from snapshot_copier.copier import Copier
from snapshot_copier.settings import CopierSettings
from tests.lives.always import GUARDS_NEED, Always
from tests.lives.declared_in_memory import environment
from tests.lives.disasters import Disasters
from tests.lives.one_by_one import one_by_one
from tests.lives.people import ALL, People
from tests.lives.pulumi_in_memory import PulumiFailedError
from tests.lives.writers_name import WritersName

DONE = "done"
MARGIN_SECONDS = 8.0
"""As on AWS, longer than from one run of a controller to the next."""
SETTLED = Words(settled=True)
SHORT_OF_IT = (SettingsError, PulumiFailedError, RefusedError, Killed, *FAILURES)


class Life(Disasters):
    """A life of the system.

    Args:
        writer: the site whose database is the writer in the beginning.
        epoch: how many failovers there have been.
        kind: what the environment is for.
        chance: how long the writer's name takes.
    """

    def __init__(
        self,
        writer: Site = Site.PRIMARY,
        epoch: int = 0,
        kind: Kind = Kind.PRODUCTION,
        chance: random.Random | None = None,
    ) -> None:
        aws = healthy(slot_lag_bytes=0.0, writer=writer)
        super().__init__(aws)
        self.settings = {
            site: replace(settings, handover_margin_seconds=MARGIN_SECONDS) for site, settings in SETTINGS_OF.items()
        }
        aws.validates = False
        arns = {site: str(database_arn(environment(kind), SharedSite(site))) for site in Site}
        for site, instance in aws.instances.items():
            instance.slot_lag_bytes = 0.0
            if instance.source is not None:
                instance.source = arns[site.other]
            if epoch:
                record = Controller(version=1, epoch=epoch, writer_site=writer, authority=writer.other)
                aws.put(record.as_item(), site)
        variables = {f"{site.name}_INSTANCE_ARN": arn for site, arn in arns.items()}
        self.copiers = {
            site: CopierSettings.from_environment({**COPIER_ENVIRONMENT[site], **variables}) for site in Site
        }
        configuration = {"activeSite": writer.value, f"{writer}Birth": "original", f"{writer.other}Birth": "replica"}
        self.people = People(self, kind, configuration)
        self.earlier = [dict(configuration)]
        self.told: list[str] = []
        self.always = Always(aws, self.people, WritersName(aws, writer, MARGIN_SECONDS, chance or random.Random(0)))  # noqa: S311
        aws.fault = watched(aws, self.always.at_call)
        self.tick(2)

    # Time

    def tick(self, times: int = 1, seconds: float = 3.0) -> None:
        with one_by_one():
            for _ in range(times):
                super().tick(seconds=seconds)
                for site in Site:
                    self._copy(site)
                self.always.look()

    def _copy(self, site: Site) -> None:
        with suppress(*FAILURES):
            Copier(self.aws, self.copiers[site], Clock(self.aws)).once()

    # People

    def failover_is_ordered(self, kind: OrderKind = OrderKind.PLANNED) -> None:
        order_failover(self.aws, writer_of(self.aws).other, kind)

    def failover_is_abandoned(self) -> None:
        for site in Site:
            if (incident_id := self.always.record(site).incident_id) is not None:
                instruct(self.aws, InstructionKind.ABANDON, incident_id, site)

    def handover_is_taken_back(self) -> None:
        for site in Site:
            if self.always.record(site).handover is not None:
                instruct(self.aws, InstructionKind.ABANDON, ABOUT_HANDOVER, site)

    def writer_is_named(self) -> None:
        """Where a region does not answer and people wait no longer, they name the other one's (docs/runbook.md)."""
        for site in Site:
            if REGIONS[site.other] in self.aws.dark and REGIONS[site] not in self.aws.dark:
                instruct(self.aws, InstructionKind.ADOPT, site, site)

    def failovers_are_paused_or_resumed(self, site: Site) -> None:
        control = self._control(site)
        pause = None if control.pause is not None else Pause("arn:person", self.aws.now, "a person's reason")
        self._tell(site, control.with_pause(pause))

    def reprotects(self) -> str:
        """`./dr reprotect`; how it ended."""
        self.earlier.append(dict(self.people.written))
        return self._ended(lambda: reprotect(self.people.world, self.people, SETTLED, _nothing, _nothing))

    def undoes(self) -> str:
        """`./dr reprotect -- --undo`."""
        return self._ended(lambda: undo(self.people.world, self.people, _nothing))

    def deploys(self, *layers: str) -> str:
        """`./dr deploy`, of everything where no layer is named."""
        return self._ended(lambda: self.people.deploys(*(layers or ALL)))

    def refreshes(self) -> str:
        """`./dr refresh -- data`."""
        return self._ended(self.people.refreshes)

    def ups(self) -> str:
        """`pulumi up` by hand.

        A file that retires the writer, of a protection that was given up for it, is what no program can refuse: people
        are told never to do it (docs/deploying.md), and nobody does here.
        """
        writer = writer_of(self.aws)
        standing = self.people.stack.instance(SharedSite(writer))
        if self.people.written.get("retiring") == writer and standing is not None and not standing.protect:
            return "(not tried)"
        self.always.by_hand = True
        ended = self._ended(self.people.ups)
        self.always.by_hand = False
        return ended

    def destroys(self) -> str:
        """`./dr destroy`: where it is not refused, what takes writes has a last snapshot taken. The life goes on."""

        def destroyed() -> None:
            assert writer_of(self.aws) not in self.people.would_destroy(), "the writer would go without a snapshot"

        return self._ended(destroyed)

    def somebody_else_deploys(self) -> None:
        """From the checkout that they have had from the beginning, without what has been changed since."""
        mine = self.people.written
        self.people.written = dict(self.earlier[0])
        self.deploys("data")
        self.people.written = mine

    def automation_is_edited(self, site: Site | None) -> None:
        """So that a deploy would make a health check anew, or a site's state table: what is declared once, for life."""
        names = self.people.environment.names
        if site is None:
            check = self.always.name.checks[-1]
            made = PlannedStep("create-replacement", HEALTH_CHECK, "writer-check")
            self.people.edit = made, lambda: setattr(check, "is_healthy", True)
        else:
            made = PlannedStep("create-replacement", TABLE, names.of(STATE_TABLE, SharedSite(site)))
            self.people.edit = made, self.aws.items_of(site).clear

    def data_keys_are_made_anew(self) -> None:
        """By the network layer."""
        self.people.data_key += "+"

    def edits(self, key: str, value: str | None) -> None:
        """Somebody writes something into the configuration."""
        self.people.change({key: value})

    def goes_back(self, number: int) -> None:
        """Somebody works in a checkout of before."""
        self.people.written = dict(self.earlier[number % len(self.earlier)])

    def another_database_comes_by_hand(self) -> None:
        """Somebody restores one under the name of the old writer, shut, as RDS is asked by ./dr restore."""
        instance = self.aws.instances[writer_of(self.aws).other]
        if newest(self.aws).incident_id is None and (not instance.exists or instance.source is None):
            instance.gives_way_to_a_replica(None, self.aws.now)
            instance.groups, instance.old_connections = {instance.quarantine_group: "active"}, False
            instance.refuses_deletion = False

    @contextmanager
    def struck(self, at: int | str, event: Callable[[], Any] | None = None) -> Iterator[None]:
        """Something happens at one of the calls of what people do next, or at the first of an operation.

        Without an event their command is killed.
        """
        left = [at if isinstance(at, int) else 1]

        def strikes(operation: str) -> None:
            left[0] -= isinstance(at, int) or operation == at
            if left[0] == 0:
                left[0] = -1
                if event is None:
                    raise Killed
                self.people.strikes = lambda operation: None
                event()

        self.people.strikes = strikes
        try:
            yield
        finally:
            self.people.strikes = lambda operation: None

    def _ended(self, command: Callable[[], Any]) -> str:
        with suppress(*FAILURES):
            self.people.stack.mend()
        try:
            with one_by_one():
                command()
            told = DONE
        except SHORT_OF_IT as error:
            told = f"{type(error).__name__}: {error}"
        self.told.append(told)
        return told

    def settle(self) -> None:
        """All is well again, and people do what they are told: then it ends protected."""
        aws, people = self.aws, self.people
        for site in Site:
            # An order that still stands is carried out as soon as its controller has the say, and moves everything on.
            self._tell(site, replace(self._control(site), order=None, instruction=None, pause=None))
        self.always.awaited = None
        self.all_is_well_again()
        self.tick(20, seconds=7)
        self.always.look()
        told = []
        for _ in range(4):
            self.put_right()
            self.tick(2)
            told.append(self.reprotects())
            self.tick(GUARDS_NEED)
            if told[-2:] == [DONE, DONE]:
                break
        writer = writer_of(aws)
        assert told[-1] == DONE, (told, people.written, subjects(aws))
        assert acting(aws) == [writer.other], (told, subjects(aws))
        assert writers(aws) == {writer} == {self.always.name.leads_to}, (told, subjects(aws))
        standby = aws.instances[writer.other]
        assert standby.exists
        assert standby.source == str(database_arn(people.environment, SharedSite(writer)))
        assert people.written["activeSite"] == writer
        assert self.deploys() == DONE
        assert "retiring" not in people.written

    def _control(self, site: Site) -> Control:
        return Control.from_item(self.aws.plain("control", site)) if "control" in self.aws.items_of(site) else Control()

    def _tell(self, site: Site, control: Control) -> None:
        self.aws.put(replace(control, version=control.version + 1).as_item(), site)

    def put_right(self) -> None:
        """What refusals and messages ask for.

        That is the configuration as it was deployed, no other database of the old one's name, the writer in the state,
        and no handover that does not end.
        """
        self.handover_is_taken_back()
        people, deployed = self.people, self.people.stack.outputs
        other = writer_of(self.aws).other
        instance, standing = self.aws.instances[other], people.stack.instance(SharedSite(other))
        if instance.exists and (standing is None or standing.id != instance.describe()["DbiResourceId"]):
            instance.is_deleted(self.aws.now)
        for site in Site:
            people.written[f"{site}Generation"] = str(deployed[f"{site}DatabaseGeneration"])
            people.written[f"{site}Birth"] = str(deployed[f"{site}DatabaseBirth"])
        people.written.pop("retiring", None)
        people.edit = None
        with suppress(*SHORT_OF_IT):
            people.refreshes()
            people.takes_in(SharedSite(other.other))


def _nothing(*_: Any) -> None:
    """Nobody listens."""
