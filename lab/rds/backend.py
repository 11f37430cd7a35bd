"""RDS of the lab, put together and served over HTTP."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from typing import Any

from moto.rds.models import rds_backends
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from lab.aws import Clients, LabNetwork
from lab.rds.fleet import DatabaseFleet
from lab.rds.instance import LabInstance
from lab.rds.lookups import Lookups
from lab.rds.measurements import ServerAgent, allocated_bytes
from lab.rds.protocol import RdsEndpoint
from lab.rds.publisher import MetricsPublisher
from lab.rds.region import RegionalRds
from lab.rds.workflows import Timings, Workflows

ACCOUNT_ID = "000000000000"
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
        account_id: str = ACCOUNT_ID,
        timings: Timings = _AS_ON_A_LAPTOP,
    ) -> None:
        """Prepare; nothing is served yet and no client is asked for.

        Args:
            fleet: the servers.
            network: learns the VPCs' sites.
            client: gives boto3 clients of the account (EC2, KMS, CloudWatch) by service and region.
            regions: the regions to serve.
            secret: what the gateway sends along in the header `lab.rds.SECRET_HEADER`.
            account_id: the account in ARNs.
            timings: how long the lab's RDS takes where nothing real takes time.
        """
        self._books = threading.RLock()
        self._timings = timings
        self._fleet = fleet
        self.regions: dict[str, RegionalRds] = {}
        self._workflows = Workflows(fleet, timings, self._books, self.regions)
        for region in regions:
            lookups = Lookups(_deferred(client, "ec2", region), _deferred(client, "kms", region))
            regional = RegionalRds(region, account_id, fleet, network, lookups, self._workflows, self.regions)
            self.regions[region] = regional
            # moto's models look some of their neighbours up in this registry.
            rds_backends[account_id][region] = regional
        self._publishers = [
            MetricsPublisher(
                region, fleet, _deferred(client, "cloudwatch", region), self._agent, timings.measure_seconds
            )
            for region in self.regions
        ]
        self._endpoint = RdsEndpoint(self.regions, account_id, secret, self._books)
        self._server: BaseWSGIServer | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> int:
        """Serve, watch and publish.

        Returns:
            The loopback port the API is served on.
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
        """Serve no more, and end every server of the fleet."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None
        for publisher in self._publishers:
            publisher.end()
        self._workflows.close()
        self._fleet.stop_all()

    def slow_reboots(self, down_seconds: float) -> None:
        """Let every reboot asked for from now on keep its server down for a while, the instance `rebooting`.

        Args:
            down_seconds: how long; 0 for no longer than a restart takes. The reboot of a promotion is not affected.
        """
        self._workflows.reboot_down_seconds = down_seconds

    def _agent(self, region: str, identifier: str) -> ServerAgent | None:
        with self._books:
            instance = self.regions[region].databases.get(identifier)
            if not isinstance(instance, LabInstance) or not instance.reachable:
                return None
        return ServerAgent(
            self._fleet.server(region, identifier),
            lambda: allocated_bytes(instance.allocated_storage),
            self._timings.measure_seconds,
            self._timings.heartbeat_seconds,
        )


def _deferred(client: Clients, service: str, region: str) -> Callable[[], Any]:
    return lambda: client(service, region)


class _QuietHandler(WSGIRequestHandler):
    """Logs requests for debugging only; werkzeug would print each one."""

    def log(self, type: str, message: str, *args: object) -> None:
        logging.getLogger(__name__).debug(message, *args)
