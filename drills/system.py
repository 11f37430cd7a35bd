"""The interface between a drill and the system it runs on: what a drill can break and read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from lab.applied_layer import AppliedDataLayer
from lab.target import Target


class DatabaseServer(Protocol):
    """What a drill can do to the PostgreSQL server of an instance."""

    def kill(self) -> None:
        """Kill every process of the server (SIGKILL); return when they are gone."""

    def freeze(self) -> None:
        """Stop every process of the server (SIGSTOP): it accepts connections and never answers."""

    def thaw(self) -> None:
        """Let a frozen server continue (SIGCONT)."""

    def start(self) -> None:
        """Start a killed server with its data and in its role, as when its host's power returns.

        RDS soon reports an instance that it had reported as `failed` as `available` again.
        """

    def stall_replication(self) -> None:
        """Stop a replica from receiving anything while it answers as before: its `ReplicaLag` grows."""

    def hang_commits(self) -> None:
        """Let every commit hang, past every timeout, while logins and reads work and the stream says that it lives."""

    def release_commits(self) -> None:
        """Let commits go on; those that hung take effect."""

    def fill_disk(self) -> None:
        """Fill the server's own disk; RDS soon reports `storage-full`.

        Rows that need new pages are refused. The server dies when it needs a new file for its WAL.

        Raises:
            SettingsError: it has none: the lab was not started with small disks.
        """

    def free_disk(self) -> None:
        """Make room again, and start the server where it has died."""


class LabSystem(Protocol):
    """A running system a drill can break and watch."""

    @property
    def target(self) -> Target:
        """What is deployed."""

    @property
    def dns_server(self) -> tuple[str, int]:
        """Address and port of the DNS server that clients use."""

    @property
    def authority_file(self) -> Path:
        """Certificates of the authority that the databases' certificates are of (PEM)."""

    def client(self, service: str, region: str) -> Any:
        """A boto3 client for a service in a region, with permission to read everything and to create a queue."""

    def server(self, region: str, identifier: str) -> DatabaseServer:
        """The server of an instance.

        Raises:
            SettingsError: there is no such instance.
        """

    def darken(self, region: str, *, seen_from: str | None = None) -> None:
        """Make a region unreachable for everybody but `client`, or, with `seen_from`, for that one region only.

        Calls to it get no answer. Unreachable for everybody, its functions do not run, its databases cannot be reached
        and nothing is replicated from or to them. Unreachable for one region, that region's functions and network reach
        nothing there, and it receives no replication from there; for a partition, darken each for the other.
        """

    def lighten(self, region: str) -> None:
        """Undo every `darken` of a region."""

    def cut_link(self) -> None:
        """Lose every packet between the sites' networks, also those of established connections; nothing is closed.

        Replication continues: it does not use that connection.
        """

    def heal_link(self) -> None:
        """Undo `cut_link`; connections that were cut are reset."""

    def silence(self, region: str, identifier: str) -> None:
        """Lose the host of an instance: every packet to its endpoint is lost, without FIN and RST, also SYNs.

        Its server does nothing more, its replica receives nothing more, and RDS soon reports it as `failed`.
        """

    def end_silence(self, region: str, identifier: str) -> None:
        """Start a lost host and its server with its data and in its role; connections held till then are reset."""

    def refuse_calls(self, region: str, service: str, operation: str | None, code: str) -> None:
        """Answer calls of functions and operators with an error; those of `client` are answered as before.

        Args:
            region: the region that is called.
            service: the service in boto3's words.
            operation: its operation in the API's words, such as ``PutItem``; None for every one.
            code: the error's code.

        Raises:
            SettingsError: the service has no such operation.
        """

    def slow_calls(self, region: str, service: str, operation: str | None, seconds: float) -> None:
        """Let such calls wait so long before they take effect and are answered; see `refuse_calls`.

        A call whose caller has given up meanwhile takes effect all the same.
        """

    def answer_calls(self, region: str) -> None:
        """Undo every `refuse_calls` and `slow_calls` of a region."""

    def calls_met(self, region: str) -> int:
        """How many calls have met a `refuse_calls` or `slow_calls` of a region since `answer_calls`.

        Those that wait still are among them.
        """

    def kill_function(self, region: str, name: str) -> bool:
        """Kill every process of a function (SIGKILL); the next event starts a new one.

        Returns:
            Whether one was running.
        """

    @property
    def data_layer(self) -> AppliedDataLayer:
        """The data layer, for who changes its configuration and deploys it."""

    @property
    def outputs(self) -> Mapping[str, Any]:
        """The flat outputs of all layers."""

    @property
    def outputs_file(self) -> Path:
        """The file that they are in."""

    def take_automated_snapshot(self, region: str, identifier: str) -> str:
        """Let an instance's backup window come now.

        Returns:
            The identifier of the snapshot; it is `creating` at first.
        """

    def end_replication(self, region: str, identifier: str) -> None:
        """Let RDS end the replication of a replica for good, as after 30 days in which it was interrupted.

        It stays a read replica, `available`, and can be promoted with the data it has.

        Raises:
            SettingsError: it is no read replica.
        """

    def set_status(self, region: str, identifier: str, status: str, seconds: float) -> None:
        """Let RDS give an instance a status for so long, as ``storage-optimization``, also where its server crashes.

        It has it while nothing else is done to it. Other than `available`, it is neither rebooted nor promoted.

        Raises:
            SettingsError: there is no such instance.
        """

    def slow_reboots(self, seconds: float) -> None:
        """Make every reboot from now on keep its server down, `rebooting`, for so many seconds; 0 ends that."""

    def drop_promotions(self, times: int) -> None:
        """Let RDS accept so many promotions and drop them: the instance is an ``available`` replica again."""

    def versions(self) -> Mapping[str, str]:
        """What runs: at least ``project``, ``python``, ``postgresql`` and ``ministack``."""
