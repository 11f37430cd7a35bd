"""What RDS does after it has answered a request: the slow part, in the background."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psycopg
from botocore.exceptions import BotoCoreError, ClientError

from lab.postgres import PostgresError, applicable
from lab.rds.fleet import DatabaseFleet, Member
from lab.rds.instance import AVAILABLE, BACKING_UP, REBOOTING, STOPPED, LabInstance
from lab.rds.region_state import RegionState
from lab.rds.snapshot import CREATING, LabExport, LabSnapshot
from lab.rds.timings import Timings
from lab.rds.watch import Watch

logger = logging.getLogger(__name__)

_SNAPSHOT_POLL_SECONDS = 0.05


class Workflows(Watch):
    """Runs one workflow at a time for each instance."""

    def __init__(
        self, fleet: DatabaseFleet, timings: Timings, lock: threading.RLock, regions: Mapping[str, RegionState]
    ) -> None:
        """Nothing runs yet.

        Args:
            fleet: the servers.
            timings: how long things take.
            lock: held while the regions' state is read or changed.
            regions: the state of each region.
        """
        super().__init__(fleet, timings, lock, regions)
        self.reboot_down_seconds = 0.0
        self.promotions_to_drop = 0
        """How long a server stays down in a reboot, besides the time of its restart; drills change it."""
        self._threads: list[threading.Thread] = []

    def create(self, instance: LabInstance) -> None:
        """initdb, then the first backup, then `available`."""

        def work() -> None:
            server, parameters = self._member(instance).server, self._applicable(instance)
            server.init(str(instance.master_username), instance.master_password, instance.db_name, parameters)
            self._finish(instance, "DB instance created", backup=instance.backup_retention_period > 0)

        self._run(instance, work)

    def create_replica(self, instance: LabInstance, source: LabInstance) -> None:
        """Base backup of the source and streaming replication from it, then `available`."""

        def work() -> None:
            server, parameters = self._member(instance).server, self._applicable(instance)
            self._member(source).server.make_replica(server, instance.slot, parameters)
            self._finish(instance, "DB instance created", backup=False)

        self._run(instance, work)

    def take_snapshot(self, instance: LabInstance, snapshot: LabSnapshot) -> None:
        """A base backup of the running server."""

        def work() -> None:
            self._make(snapshot, lambda: self._member(instance).server.base_backup(snapshot.folder))

        self._in_background(work)

    def copy_snapshot(self, snapshot: LabSnapshot, copy: Callable[[], None]) -> None:
        """A copy of another snapshot's files."""
        self._in_background(lambda: self._make(snapshot, copy))

    def restore(self, instance: LabInstance, folder: Path) -> None:
        """A server on a copy of a snapshot's files, then its first backup, then `available`."""

        def work() -> None:
            self._member(instance).server.restore(folder, self._applicable(instance))
            self._finish(instance, "Restored from snapshot", backup=instance.backup_retention_period > 0)

        self._run(instance, work)

    def export(self, task: LabExport, write: Callable[[], None]) -> None:
        """An export to S3."""

        def work() -> None:
            self._pause(self._timings.backup_seconds)
            failure = None
            try:
                write()
            except (BotoCoreError, ClientError) as error:
                failure = str(error)
            with self._lock:
                task.end(failure)

        self._in_background(work)

    def _make(self, snapshot: LabSnapshot, work: Callable[[], None]) -> None:
        self._pause(self._timings.backup_seconds)
        failed = False
        try:
            work()
        except (PostgresError, psycopg.Error, LookupError, OSError) as error:
            logger.warning("snapshot %s failed: %s", snapshot.db_snapshot_identifier, error)
            failed = True
        with self._lock:
            snapshot.end(failed=failed)

    def modify(self, instance: LabInstance, *, password: str | None, reload: bool, backup: bool) -> None:
        """Apply a modification to the server.

        Args:
            instance: what was modified.
            password: the master user's new password.
            reload: whether it has another parameter group now.
            backup: whether automated backups were just enabled, which takes one at once.
        """

        def work() -> None:
            member = self._member(instance)
            self._pause(self._timings.modify_seconds)
            if password is not None:
                member.server.set_password(str(instance.master_username), password)
            if reload:
                member.server.configure(self._applicable(instance))
            self._finish(instance, "Finished applying modification to DB instance", backup=backup)

        self._run(instance, work)

    def reboot(self, instance: LabInstance) -> None:
        """Restart the server; every connection is dropped."""

        def work() -> None:
            member = self._member(instance)
            self._restart(instance, member, self.reboot_down_seconds)
            with self._lock:
                instance.parameter_apply_status = "in-sync"
            self._finish(instance, "DB instance restarted", backup=False)

        self._run(instance, work)

    def promote(self, instance: LabInstance, source: LabInstance | None, retention_days: int) -> None:
        """Promote a replica and reboot it; only then the API no longer shows it as a replica.

        Args:
            instance: the replica.
            source: what it replicates; None where that was deleted.
            retention_days: how long its backups are kept from now on.
        """

        def work() -> None:
            member = self._member(instance)
            self._pause(self._timings.promotion_seconds)
            if self.promotions_to_drop > 0:
                self.promotions_to_drop -= 1
                self._finish(instance, "Read replica promotion failed", backup=False)
                return
            member.server.promote()
            with self._lock:
                instance.status = REBOOTING
            self._restart(instance, member)
            with self._lock:
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

    def end_replication(self, instance: LabInstance, source: LabInstance | None) -> None:
        """Let a replica stream no more and its source keep no WAL for it; when this returns nothing is streamed.

        Args:
            instance: the replica, whose replication is terminated.
            source: what it replicated; None where that was deleted.
        """
        self._member(instance).server.stall_replication("termination")
        if source is not None:
            self._drop_slot(source, instance)
        with self._lock:
            # RDS-EVENT-0057
            message = "Replication on the read replica was terminated."
            self._regional(instance).record(instance, message, "read replica")

    def hold_status(self, instance: LabInstance, status: str, seconds: float) -> None:
        """Let an instance have a status for so long, whatever happens to its server, while nothing is done to it."""
        with self._lock:
            self._rest_in(instance, status)

        def end() -> None:
            self._pause(seconds)
            with self._lock:
                if instance.resting_status == status:
                    self._rest_in(instance, AVAILABLE)

        self._in_background(end)

    def delete(self, instance: LabInstance, source: LabInstance | None, final: LabSnapshot | None) -> None:
        """Take the final snapshot, remove the server and its data, then the instance; without the snapshot it stays."""

        def work() -> None:
            while final is not None and final.status == CREATING and not self._stopping.is_set():
                self._pause(_SNAPSHOT_POLL_SECONDS)
            if final is not None and final.status != AVAILABLE:
                with self._lock:
                    instance.status = instance.resting_status
                return
            self._fleet.remove(instance.region, instance.db_instance_identifier)
            with self._lock:
                self._regional(instance).forget(instance)
            if source is not None:
                self._in_background(lambda: self._drop_slot(source, instance))

        self._run(instance, work)

    def stop(self, instance: LabInstance) -> None:
        """Shut the server down, then `stopped`."""

        def work() -> None:
            member = self._member(instance)
            member.forwarder.reset()
            member.server.stop()
            with self._lock:
                instance.status = STOPPED
                self._regional(instance).record(instance, "DB instance stopped", "notification")

        self._run(instance, work)

    def start(self, instance: LabInstance) -> None:
        """Start a stopped server, then `available`."""

        def work() -> None:
            self._member(instance).server.start()
            self._finish(instance, "DB instance started", backup=False)

        self._run(instance, work)

    def reload_parameters(self, instance: LabInstance) -> None:
        """Have a running server reload its changed parameter group."""
        parameters = self._applicable(instance)
        self._in_background(lambda: self._member(instance).server.configure(parameters))

    def start_watching(self) -> None:
        """Run `watch` in the background."""
        self._in_background(self.watch)

    def close(self) -> None:
        """Cut pauses short and wait for the workflows that are running."""
        self._stopping.set()
        for thread in list(self._threads):
            thread.join(15)

    def _finish(self, instance: LabInstance, message: str, *, backup: bool) -> None:
        self._member(instance).forwarder.follow()
        with self._lock:
            regional = self._regional(instance)
            instance.reachable = True
            regional.record(instance, message, "availability")
            if not self._lives(instance):
                return
            instance.status = BACKING_UP if backup else instance.resting_status
        if backup:
            self._pause(self._timings.backup_seconds)
            with self._lock:
                instance.save_automated_backup()
                instance.has_backup = True
                if self._lives(instance):
                    instance.status = instance.resting_status

    def _restart(self, instance: LabInstance, member: Member, down_seconds: float = 0.0) -> None:
        member.forwarder.reset()
        member.server.restart(self._timings.shutdown_seconds, lambda: self._pause(down_seconds))
        # Connections that were made between the first reset and the shutdown.
        member.forwarder.reset()
        logger.info("restarted %s", instance.db_instance_identifier)

    def _drop_slot(self, source: LabInstance, replica: LabInstance) -> None:
        """Drop the replica's slot on its former source, which would otherwise keep WAL for it."""
        try:
            self._member(source).server.drop_slot(replica.slot)
        except (psycopg.Error, LookupError) as error:
            logger.info("slot of %s stays on its source: %s", replica.db_instance_identifier, error)

    def _applicable(self, instance: LabInstance) -> dict[str, str]:
        with self._lock:
            return applicable(instance.parameters(), self._fleet.known_parameters)

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
            with self._lock:
                self._fail(instance)

    def _in_background(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, name="rds-workflow", daemon=True)
        self._threads = [known for known in self._threads if known.is_alive()]
        self._threads.append(thread)
        thread.start()
