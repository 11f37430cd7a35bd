"""The lab's RDS as a whole, served over HTTP."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from lab.aws import ACCOUNT_ID, Clients, LabNetwork
from lab.rds.fleet import DatabaseFleet
from lab.rds.lookups import Lookups
from lab.rds.measurements import ServerAgent
from lab.rds.protocol import RdsEndpoint
from lab.rds.publisher import MetricsPublisher
from lab.rds.region import RegionalRds
from lab.rds.timings import Timings
from lab.rds.workflows import Workflows
from shared.errors import SettingsError

_AS_ON_A_LAPTOP = Timings()


class RdsBackend:
    """The RDS API of several regions on one loopback port, for the gateway only."""

    def __init__(
        self,
        fleet: DatabaseFleet,
        network: LabNetwork,
        client: Clients,
        regions: Iterable[str],
        secret: str,
        *,
        timings: Timings = _AS_ON_A_LAPTOP,
    ) -> None:
        """Nothing is served yet, and no client is used.

        Args:
            fleet: the servers.
            network: is told which site the VPCs belong to.
            client: gives boto3 clients of the account (EC2, KMS, CloudWatch).
            regions: the regions to serve.
            secret: what the gateway sends in the header `lab.rds.protocol.SECRET_HEADER`.
            timings: how long things take.
        """
        self._lock = threading.RLock()
        self._timings = timings
        self._fleet = fleet
        self.regions: dict[str, RegionalRds] = {}
        self._workflows = Workflows(fleet, timings, self._lock, self.regions)
        for region in regions:
            lookups = Lookups(partial(client, "ec2", region), partial(client, "kms", region))
            write_object = partial(_write_object, partial(client, "s3", region))
            regional = RegionalRds(
                region, ACCOUNT_ID, self.regions, fleet, network, lookups, self._workflows, write_object
            )
            self.regions[region] = regional
        self._publishers = [
            MetricsPublisher(region, fleet, partial(client, "cloudwatch", region), self._agent, timings)
            for region in self.regions
        ]
        self._endpoint = RdsEndpoint(self.regions, secret, self._lock)
        self._server: BaseWSGIServer | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> int:
        """Serve the API, watch the servers and publish their metrics.

        Returns:
            The loopback port of the API.
        """
        server = make_server("127.0.0.1", 0, self._endpoint, threaded=True, request_handler=_QuietHandler)
        self._server = server
        self._thread = threading.Thread(target=server.serve_forever, args=(0.1,), name="rds-api", daemon=True)
        self._thread.start()
        self._workflows.start_watching()
        for publisher in self._publishers:
            publisher.start()
        return int(server.server_port)

    def stop(self) -> None:
        """Stop all of it, and remove every server of the fleet."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None
        for publisher in self._publishers:
            publisher.end()
        self._workflows.close()
        self._fleet.stop_all()

    def take_automated_snapshot(self, region: str, identifier: str) -> str:
        """Let an instance's backup window come now.

        Returns:
            The snapshot's identifier; it is `creating` at first.
        """
        with self._lock:
            regional = self.regions[region]
            return str(regional.create_auto_snapshot(identifier, "").db_snapshot_identifier)

    def end_replication(self, region: str, identifier: str) -> None:
        """End the replication of a replica for good, as RDS does when it was interrupted for 30 days.

        It stays a read replica, `available`, and can be promoted with the data it has.

        Raises:
            SettingsError: it is no read replica.
        """
        with self._lock:
            regional = self.regions[region]
            instance = regional.get(identifier)
            if instance is None or not instance.is_read_replica:
                raise SettingsError("replica", identifier, f"name a read replica in {region}")
            instance.replication_terminated = True
            source = regional.source_of(instance)
        self._workflows.end_replication(instance, source)

    def set_status(self, region: str, identifier: str, status: str, seconds: float) -> None:
        """Let an instance have a status for so long, as `storage-optimization` or `backing-up`.

        It has it while nothing else is done to it, also where its server crashes meanwhile; as on AWS it is neither
        rebooted nor promoted in a status that is not `available`.

        Raises:
            SettingsError: there is no such instance.
        """
        with self._lock:
            instance = self.regions[region].get(identifier)
        if instance is None:
            raise SettingsError("instance", identifier, f"name a database in {region}")
        self._workflows.hold_status(instance, status, seconds)

    def slow_reboots(self, down_seconds: float) -> None:
        """Let every later RebootDBInstance keep its server down for so long, besides the restart; 0 ends it."""
        self._workflows.reboot_down_seconds = down_seconds

    def drop_promotions(self, times: int) -> None:
        """Let RDS accept so many promotions and drop them: the instance is an `available` replica again."""
        self._workflows.promotions_to_drop = times

    def _agent(self, region: str, identifier: str) -> ServerAgent | None:
        with self._lock:
            instance = self.regions[region].get(identifier)
            if instance is None or not instance.reachable:
                return None
        return ServerAgent(
            self._fleet.server(region, identifier),
            lambda: instance.allocated_storage * 1024**3,
            self._timings.measure_seconds,
            self._timings.heartbeat_seconds,
        )


def _write_object(s3: Callable[[], Any], bucket: str, key: str, content: bytes) -> None:
    s3().put_object(Bucket=bucket, Key=key, Body=content)


class _QuietHandler(WSGIRequestHandler):
    """Logs requests for debugging only; werkzeug would print each one."""

    def log(self, type: str, message: str, *args: object) -> None:
        logging.getLogger(__name__).debug(message, *args)
