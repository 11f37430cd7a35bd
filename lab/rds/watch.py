"""How RDS learns what happens to its servers, and what it then calls their instances."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping

from lab.postgres import PostgresServer
from lab.rds.fleet import DatabaseFleet, Member
from lab.rds.instance import AVAILABLE, FAILED, STORAGE_FULL, LabInstance
from lab.rds.region_state import RegionState
from lab.rds.timings import Timings

logger = logging.getLogger(__name__)


class Watch:
    """Looks at every server now and then: whether it has crashed, is back, or has a full disk."""

    def __init__(
        self, fleet: DatabaseFleet, timings: Timings, lock: threading.RLock, regions: Mapping[str, RegionState]
    ) -> None:
        """Nothing is watched yet.

        Args:
            fleet: the servers.
            timings: how often to look.
            lock: held while the regions' state is read or changed.
            regions: the state of each region.
        """
        self._regions = regions
        self._fleet = fleet
        self._timings = timings
        self._lock = lock
        self._stopping = threading.Event()

    def watch(self) -> None:
        """Look until `_stopping` is set."""
        while not self._stopping.wait(self._timings.watch_seconds):
            for member in self._fleet.members():
                disk = member.server.disk
                is_full = disk is not None and disk.is_full()
                if is_full:
                    self._full(member)
                if member.server.expected_running and not _is_there(member.server):
                    member.server.expected_running = False
                    self._crashed(member)
                elif _is_there(member.server) and member.server.is_ready():
                    self._recovered(member)
                if not is_full:
                    self._has_room(member)

    def _full(self, member: Member) -> None:
        with self._lock:
            instance = self._instance(member)
            if instance is None or not instance.reachable or instance.resting_status == STORAGE_FULL:
                return
            self._rest_in(instance, STORAGE_FULL)
            # RDS-EVENT-0007
            self._regional(instance).record(instance, "Allocated storage has been exhausted", "low storage")

    def _has_room(self, member: Member) -> None:
        with self._lock:
            instance = self._instance(member)
            # One that has died of its full disk is `storage-full` until it is back.
            if instance is not None and instance.resting_status == STORAGE_FULL and not instance.lost_its_server:
                self._rest_in(instance, AVAILABLE)

    def _rest_in(self, instance: LabInstance, status: str) -> None:
        """Set what an instance is called while nothing is done to it. The lock is held."""
        before, instance.resting_status = instance.resting_status, status
        if instance.status != before:
            return
        if status == AVAILABLE and instance.lost_its_server:
            self._fail(instance)
        else:
            instance.status = status

    def _crashed(self, member: Member) -> None:
        logger.info("server of %s crashed", member.identifier)
        member.forwarder.reset()
        member.server.release_shared_memory()
        with self._lock:
            instance = self._instance(member)
            if instance is not None:
                instance.lost_its_server = True
                self._fail(instance)

    def _recovered(self, member: Member) -> None:
        """A failed instance whose server was started again, as when its host has power again, is `available`."""
        with self._lock:
            instance = self._instance(member)
            if instance is None or not instance.lost_its_server:
                return
            instance.lost_its_server = False
            member.server.expected_running = True
            if instance.status == FAILED:
                logger.info("server of %s is back", member.identifier)
                instance.status = instance.resting_status
                # RDS-EVENT-0006
                self._regional(instance).record(instance, "DB instance restarted", "availability")

    def _fail(self, instance: LabInstance) -> None:
        if instance.resting_status != AVAILABLE:
            # On AWS a crash ends none of them: the instance is backed up, or full, and its database is gone.
            instance.status = instance.resting_status
            return
        instance.status = FAILED
        # RDS-EVENT-0031
        message = (
            "The DB instance has failed due to an incompatible configuration or an underlying storage issue. "
            "Begin a point-in-time-restore for the DB instance."
        )
        self._regional(instance).record(instance, message, "failure")

    def _lives(self, instance: LabInstance) -> bool:
        """Whether the server is running. If it crashed meanwhile, the instance is `failed`."""
        if instance.status == FAILED:
            return False
        if _is_there(self._member(instance).server):
            return True
        instance.lost_its_server = True
        self._fail(instance)
        return False

    def _member(self, instance: LabInstance) -> Member:
        return self._fleet.member(instance.region, instance.db_instance_identifier)

    def _instance(self, member: Member) -> LabInstance | None:
        return self._regions[member.region].get(member.identifier)

    def _regional(self, instance: LabInstance) -> RegionState:
        return self._regions[instance.region]


def _is_there(server: PostgresServer) -> bool:
    """Whether RDS sees the server run; it does not where its host is silent."""
    return server.is_running() and not server.is_silent
