"""What happens to an instance after RDS has said yes: the slow part of each request, in the background."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg

from lab.postgres.binaries import PostgresError
from lab.postgres.configuration import applicable
from lab.rds.fleet import DatabaseFleet, Member
from lab.rds.instance import (
    AVAILABLE,
    BACKING_UP,
    FAILED,
    REBOOTING,
    STOPPED,
    LabInstance,
)

if TYPE_CHECKING:
    from lab.rds.region import RegionalRds

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Timings:
    """How long the lab's RDS takes where nothing real takes time. AWS needs minutes for each.

    Attributes:
        backup_seconds: how long an instance is `backing-up`.
        modify_seconds: how long it is `modifying`.
        promotion_seconds: what a promotion takes before the server is told.
        shutdown_seconds: how long a reboot waits for the server to shut down before it is killed.
        heartbeat_seconds: how often RDS's agent writes to an idle writer (AWS: about 5 minutes).
        measure_seconds: how often metrics are measured and published (AWS: 60).
        watch_seconds: how often it is looked whether a server died, or came back.
    """

    backup_seconds: float = 0.5
    modify_seconds: float = 0.3
    promotion_seconds: float = 1.0
    shutdown_seconds: float = 3.0
    heartbeat_seconds: float = 5.0
    measure_seconds: float = 1.0
    watch_seconds: float = 0.25


class Workflows:
    """Runs one workflow at a time for each instance, and writes the outcome to the books."""

    def __init__(
        self, fleet: DatabaseFleet, timings: Timings, books: threading.RLock, regions: Mapping[str, RegionalRds]
    ) -> None:
        """Prepare.

        Args:
            fleet: the servers.
            timings: how long things take.
            books: the lock under which the books are read and written.
            regions: the books of each region.
        """
        self._regions = regions
        self._fleet = fleet
        self._timings = timings
        self._books = books
        self.reboot_down_seconds = 0.0
        """How long a rebooted server stays down: 0 for no longer than it takes; a drill makes reboots longer."""
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []

    def create(self, instance: LabInstance) -> None:
        """initdb, then the first backup, then `available`."""

        def work() -> None:
            member = self._member(instance)
            with self._books:
                parameters = self._applicable(instance)
            member.server.init(str(instance.master_username), instance.master_password, instance.db_name, parameters)
            self._finish(instance, "DB instance created", backup=instance.backup_retention_period > 0)

        self._run(instance, work)

    def create_replica(self, instance: LabInstance, source: LabInstance) -> None:
        """Base backup of the source and streaming from it, then `available`."""

        def work() -> None:
            member = self._member(instance)
            with self._books:
                parameters = self._applicable(instance)
            self._member(source).server.make_replica(member.server, instance.slot, parameters)
            self._finish(instance, "DB instance created", backup=False)

        self._run(instance, work)

    def modify(self, instance: LabInstance, *, password: str | None, reload: bool, backup: bool) -> None:
        """Bring a change of the books to the server.

        Args:
            instance: what was changed.
            password: the master user's new one.
            reload: whether the parameter group is another one now.
            backup: whether backups were just turned on, which takes one at once.
        """

        def work() -> None:
            member = self._member(instance)
            self._pause(self._timings.modify_seconds)
            if password is not None:
                member.server.set_password(str(instance.master_username), password)
            if reload:
                with self._books:
                    parameters = self._applicable(instance)
                member.server.configure(parameters)
            self._finish(instance, "Finished applying modification to DB instance", backup=backup)

        self._run(instance, work)

    def reboot(self, instance: LabInstance) -> None:
        """Restart the server; every connection is dropped."""

        def work() -> None:
            member = self._member(instance)
            self._restart(instance, member, self.reboot_down_seconds)
            with self._books:
                instance.parameter_apply_status = "in-sync"
            self._finish(instance, "DB instance restarted", backup=False)

        self._run(instance, work)

    def promote(self, instance: LabInstance, source: LabInstance | None, retention_days: int) -> None:
        """Make a writer of a replica: promote, reboot, and only then call it no replica any more.

        Args:
            instance: the replica.
            source: what it replicates; None where that is gone.
            retention_days: how long backups are kept from now on.
        """

        def work() -> None:
            member = self._member(instance)
            self._pause(self._timings.promotion_seconds)
            member.server.promote()
            with self._books:
                instance.status = REBOOTING
            self._restart(instance, member)
            with self._books:
                instance.source_db_instance_identifier = None
                instance.is_replica = False
                if source is not None:
                    source.remove_replica(instance)
                backup = retention_days > 0 and instance.backup_retention_period == 0
                instance.backup_retention_period = retention_days
                instance.parameter_apply_status = "in-sync"
            self._finish(instance, "Promoted Read Replica instance to a stand-alone database instance", backup=backup)
            if source is not None:
                self._in_background(lambda: self._drop_slot(source, instance))

        self._run(instance, work)

    def delete(self, instance: LabInstance, source: LabInstance | None) -> None:
        """End the server and take the instance off the books."""

        def work() -> None:
            self._fleet.remove(instance.region, instance.db_instance_identifier)
            with self._books:
                self._regional(instance).forget(instance)
            if source is not None:
                self._in_background(lambda: self._drop_slot(source, instance))

        self._run(instance, work)

    def stop(self, instance: LabInstance) -> None:
        """Shut the server down and keep its data."""

        def work() -> None:
            member = self._member(instance)
            member.forwarder.reset()
            member.server.stop()
            with self._books:
                instance.status = STOPPED
                self._regional(instance).record(instance, "DB instance stopped", "notification")

        self._run(instance, work)

    def start(self, instance: LabInstance) -> None:
        """Start a stopped server."""

        def work() -> None:
            self._member(instance).server.start()
            self._finish(instance, "DB instance started", backup=False)

        self._run(instance, work)

    def reload_parameters(self, instance: LabInstance) -> None:
        """Have a running server read its changed parameter group."""
        with self._books:
            parameters = self._applicable(instance)
        self._in_background(lambda: self._member(instance).server.configure(parameters))

    def watch(self) -> None:
        """Mark instances whose server died without RDS's doing, or came back after that, until `close`."""
        while not self._stopping.wait(self._timings.watch_seconds):
            for member in self._fleet.members():
                if member.server.expected_running and not member.server.is_running():
                    member.server.expected_running = False
                    self._crashed(member)
                elif member.server.is_ready():
                    self._recovered(member)

    def start_watching(self) -> None:
        """Run `watch` in the background."""
        self._in_background(self.watch)

    def close(self) -> None:
        """End waiting and wait for what is under way."""
        self._stopping.set()
        for thread in list(self._threads):
            thread.join(15)

    def _crashed(self, member: Member) -> None:
        logger.info("server of %s ended by itself", member.identifier)
        member.forwarder.reset()
        member.server.release_shared_memory()
        with self._books:
            instance = self._regions[member.region].databases.get(member.identifier)
            if isinstance(instance, LabInstance):
                instance.lost_its_server = True
                self._fail(instance)

    def _recovered(self, member: Member) -> None:
        """A failed instance whose server is back, as when its host's power returns, is as good as before."""
        with self._books:
            instance = self._regions[member.region].databases.get(member.identifier)
            if not isinstance(instance, LabInstance) or not instance.lost_its_server:
                return
            instance.lost_its_server = False
            member.server.expected_running = True
            if instance.status == FAILED:
                logger.info("server of %s is back", member.identifier)
                instance.status = AVAILABLE
                # RDS-EVENT-0006
                self._regional(instance).record(instance, "DB instance restarted", "availability")

    def _fail(self, instance: LabInstance) -> None:
        instance.status = FAILED
        # RDS-EVENT-0031
        message = (
            "The DB instance has failed due to an incompatible configuration or an underlying storage issue. "
            "Begin a point-in-time-restore for the DB instance."
        )
        self._regional(instance).record(instance, message, "failure")

    def _finish(self, instance: LabInstance, message: str, *, backup: bool) -> None:
        with self._books:
            regional = self._regional(instance)
            instance.reachable = True
            regional.record(instance, message, "availability")
            if not self._lives(instance):
                return
            instance.status = BACKING_UP if backup else AVAILABLE
        if backup:
            self._pause(self._timings.backup_seconds)
            with self._books:
                instance.save_automated_backup()
                instance.has_backup = True
                if self._lives(instance):
                    instance.status = AVAILABLE

    def _lives(self, instance: LabInstance) -> bool:
        """Whether the server is still there: what died meanwhile stays failed."""
        if instance.status == FAILED:
            return False
        if self._member(instance).server.is_running():
            return True
        instance.lost_its_server = True
        self._fail(instance)
        return False

    def _restart(self, instance: LabInstance, member: Member, down_seconds: float = 0.0) -> None:
        member.forwarder.reset()
        member.server.restart(self._timings.shutdown_seconds, lambda: self._pause(down_seconds))
        # Whoever came between the drop and the shutdown.
        member.forwarder.reset()
        logger.info("restarted %s", instance.db_instance_identifier)

    def _drop_slot(self, source: LabInstance, replica: LabInstance) -> None:
        """Take the replica's slot off its former source where that still answers; else it would keep its WAL."""
        try:
            self._member(source).server.drop_slot(replica.slot)
        except (psycopg.Error, LookupError) as error:
            logger.info("slot of %s stays on its source: %s", replica.db_instance_identifier, error)

    def _applicable(self, instance: LabInstance) -> dict[str, str]:
        return applicable(instance.parameters(), self._fleet.known_parameters)

    def _member(self, instance: LabInstance) -> Member:
        return self._fleet.member(instance.region, instance.db_instance_identifier)

    def _regional(self, instance: LabInstance) -> RegionalRds:
        return self._regions[instance.region]

    def _pause(self, seconds: float) -> None:
        self._stopping.wait(seconds)

    def _run(self, instance: LabInstance, work: Callable[[], None]) -> None:
        def guarded() -> None:
            with instance.workflow, self._failing(instance):
                work()

        self._in_background(guarded)

    @contextmanager
    def _failing(self, instance: LabInstance) -> Iterator[None]:
        try:
            yield
        except (PostgresError, psycopg.Error, OSError) as error:
            if self._stopping.is_set():
                return
            logger.warning("instance %s failed: %s", instance.db_instance_identifier, error)
            with self._books:
                self._fail(instance)

    def _in_background(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, name="rds-workflow", daemon=True)
        self._threads = [known for known in self._threads if known.is_alive()]
        self._threads.append(thread)
        thread.start()
