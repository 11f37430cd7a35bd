"""One world in which everything happens: both sites' functions, the operators' commands, disasters and deploys."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

from aws_in_memory.clock import Clock
from aws_in_memory.deployed import COPIER_ENVIRONMENT, REGIONS, SETTINGS_OF, healthy
from aws_in_memory.faults import Killed
from aws_in_memory.handovers import acting, newest, order_planned, watched, writer_of
from aws_in_memory.running import FAILURES, Running, subjects, writers
from data_layer.declared import database_arn
from function_runtime.control import Control
from function_runtime.sites import Site
from function_runtime.state import Controller
from operations.errors import RefusedError
from operations.reprotect.refusals import Words
from operations.reprotect.runner import reprotect, undo
from shared.environment import Kind
from shared.errors import SettingsError
from shared.sites import Site as SharedSite
from snapshot_copier.copier import Copier
from snapshot_copier.settings import CopierSettings
from tests.lives.always import GUARDS_NEED, Always
from tests.lives.declared_in_memory import environment
from tests.lives.people import ALL, People
from tests.lives.pulumi_in_memory import PulumiFailedError
from tests.lives.writers_name import WritersName

DONE = "done"
MARGIN_SECONDS = 8.0
"""As on AWS, longer than from one run of a controller to the next."""
SETTLED = Words(settled=True)
SHORT_OF_IT = (SettingsError, PulumiFailedError, RefusedError, Killed, *FAILURES)


class Life(Running):
    """A life of the system.

    Args:
        writer: the site whose database is the writer in the beginning.
        epoch: how many failovers there have been.
        kind: what the environment is for.
    """

    def __init__(self, writer: Site = Site.PRIMARY, epoch: int = 0, kind: Kind = Kind.PRODUCTION) -> None:
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
        self.always = Always(aws, self.people, WritersName(aws, writer, MARGIN_SECONDS))
        aws.fault = watched(aws, self.always.at_call)
        self.tick(2)

    # Time

    def tick(self, times: int = 1, seconds: float = 3.0) -> None:
        for _ in range(times):
            super().tick(seconds=seconds)
            for site in Site:
                self._copy(site)
            self.always.look()

    def _copy(self, site: Site) -> None:
        with suppress(*FAILURES):
            Copier(self.aws, self.copiers[site], Clock(self.aws)).once()

    # Disasters

    def writer_dies_or_comes_back(self) -> None:
        instance = self.aws.instances[writer_of(self.aws)]
        if instance.outage(self.aws.now) is None:
            instance.dies(self.aws.now)
        else:
            instance.comes_back(self.aws.now)
        self.always.quiet = 0

    def region_goes_dark_or_returns(self, site: Site) -> None:
        instance, region = self.aws.instances[site], REGIONS[site]
        self.aws.dark ^= {region}
        is_down = instance.outage(self.aws.now) is not None
        if region in self.aws.dark and not is_down:
            instance.dies(self.aws.now)
        elif region not in self.aws.dark and is_down and instance.exists:
            instance.comes_back(self.aws.now)
        self.always.quiet = 0

    def region_goes_dark_in_the_next_handover(self, site: Site, writes: int) -> None:
        """Before the next write, after so many since it began."""
        self.always.in_a_handover = writes, lambda: self.region_goes_dark_or_returns(site)

    def probes_are_cut_off_or_not(self, site: Site) -> None:
        self.aws.broken_probes ^= {site}
        self.always.quiet = 0

    def all_is_well_again(self) -> None:
        self.aws.dark.clear()
        self.aws.broken_probes.clear()
        for instance in self.aws.instances.values():
            if instance.exists and instance.outage(self.aws.now) is not None:
                instance.comes_back(self.aws.now)

    def standby_loses_its_slot(self) -> None:
        standby = self.aws.instances[writer_of(self.aws).other]
        if standby.source is not None:
            standby.replication_ended = True

    # People

    def failover_is_planned(self) -> None:
        order_planned(self.aws, writer_of(self.aws).other)

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
    def struck(self, at: int, event: Callable[[], Any] | None = None) -> Iterator[None]:
        """Something happens at one of the calls of what people do next; without an event their command is killed."""
        left = [at]

        def strikes(operation: str) -> None:
            left[0] -= 1
            if left[0] == 0:
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
            self.people.carries_out(command)
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
            if "control" in aws.items_of(site):
                self._take_back_orders(site)
        self.always.in_a_handover = None
        self.all_is_well_again()
        self.tick(20, seconds=7)
        self.always.look()
        told = []
        for _ in range(4):
            self.put_right()
            told.append(self.reprotects())
            self.tick(GUARDS_NEED)
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

    def _take_back_orders(self, site: Site) -> None:
        control = Control.from_item(self.aws.plain("control", site))
        free = replace(control, order=None, instruction=None, version=control.version + 1)
        self.aws.put(free.as_item(), site)

    def put_right(self) -> None:
        """What refusals ask for: the configuration as it was deployed, and no other database of the old one's name."""
        people, deployed = self.people, self.people.stack.outputs
        other = writer_of(self.aws).other
        instance, standing = self.aws.instances[other], people.stack.instance(SharedSite(other))
        if instance.exists and (standing is None or standing.id != instance.describe()["DbiResourceId"]):
            instance.is_deleted(self.aws.now)
        for site in Site:
            people.written[f"{site}Generation"] = str(deployed[f"{site}DatabaseGeneration"])
            people.written[f"{site}Birth"] = str(deployed[f"{site}DatabaseBirth"])
        people.written.pop("retiring", None)
        with suppress(*SHORT_OF_IT):
            people.refreshes()


def _nothing(*_: Any) -> None:
    """Nobody listens."""
