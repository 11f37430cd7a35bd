"""What befalls the system: databases that die or fail, regions and services that fall silent, and the end of it."""

from __future__ import annotations

from collections.abc import Callable

from aws_in_memory.aws import Call
from aws_in_memory.deployed import REGIONS
from aws_in_memory.handovers import newest, writer_of
from aws_in_memory.instance import Outage
from aws_in_memory.running import Running
from function_runtime.sites import Site
from tests.lives.always import Always, Awaited

FAILED = "failed"


class Disasters(Running):
    """A deployment that disasters befall.

    Attributes:
        always: what must hold.
    """

    always: Always

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

    def services_fall_silent_or_answer(self, site: Site) -> None:
        """All of a region's but its database, which goes on."""
        self.aws.dark ^= {REGIONS[site]}
        self.always.quiet = 0

    def alarms_stand_still_or_go_on(self, site: Site) -> None:
        """CloudWatch takes a site's word, and evaluates it late."""
        still = self.aws.alarms(site).standing_still
        if still and still[-1].ends is None:
            still[-1].ends = self.aws.now
        else:
            still.append(Outage(self.aws.now))

    def region_goes_dark_in_the_next_handover(self, site: Site, writes: int) -> None:
        """Before the next write, after so many since it began."""
        self.in_the_next(self.always.in_a_handover, writes, lambda: self.region_goes_dark_or_returns(site))

    def services_fall_silent_in_the_next_fence(self) -> None:
        """Of the writer's region, between the change of its groups and its reboot."""
        self.in_the_next(
            lambda call: call.operation == "rds.reboot_db_instance",
            0,
            lambda: self.services_fall_silent_or_answer(writer_of(self.aws)),
        )

    def in_the_next(self, at: Callable[[Call], bool], left: int, happens: Callable[[], None]) -> None:
        """Something happens before a call of a kind takes effect, after so many others of it."""
        self.always.awaited = Awaited(at, left, happens)

    def probes_are_cut_off_or_not(self, site: Site) -> None:
        self.aws.broken_probes ^= {site}
        self.always.quiet = 0

    def standby_loses_its_slot(self) -> None:
        standby = self.aws.instances[writer_of(self.aws).other]
        if standby.source is not None:
            standby.replication_ended = True

    def standby_fails_or_is_mended(self) -> None:
        """By RDS's word, which its own people may mend."""
        standby = self.aws.instances[writer_of(self.aws).other]
        if standby.status == FAILED:
            standby.status = "available"
        elif standby.source is not None and standby.status == "available" and newest(self.aws).incident_id is None:
            standby.status = FAILED

    def all_is_well_again(self) -> None:
        self.aws.dark.clear()
        self.aws.broken_probes.clear()
        for site, instance in self.aws.instances.items():
            if (still := self.aws.alarms(site).standing_still) and still[-1].ends is None:
                still[-1].ends = self.aws.now
            if instance.status == FAILED:
                instance.status = "available"
            if instance.exists and instance.outage(self.aws.now) is not None:
                instance.comes_back(self.aws.now)
