"""What can be broken in a lab, and how it is undone."""

from __future__ import annotations

from lab.aws import LabAws, LabNetwork
from lab.rds import DatabaseFleet, RdsBackend
from shared.sites import Site


class Breakable:
    """The part of a lab that breaks it.

    Attributes:
        aws: the AWS account.
        network: who reaches whom.
    """

    aws: LabAws
    network: LabNetwork
    _fleet: DatabaseFleet
    _backend: RdsBackend

    def darken(self, region: str, *, seen_from: str | None = None) -> None:
        """Make a region fail, for everybody or for another region alone.

        For everybody: calls of roles to it are not answered, its functions are killed and do not run, no packet gets to
        its databases or from them, nothing is replicated from or to it. `client` still works. Who is connected hears
        nothing, until `lighten`: then the connection is reset.

        Args:
            region: the region.
            seen_from: the region for which alone it fails: calls of its functions are not answered, packets of its
                network to the databases are lost, replication from them stops.
        """
        self.network.darken(region, seen_from=seen_from)
        self.aws.darken(region, seen_from=seen_from)
        self._fleet.follow_interruptions()

    def lighten(self, region: str) -> None:
        """Undo `darken`; a link that was cut stays cut."""
        self.network.lighten(region)
        self.aws.lighten(region)
        self._fleet.follow_interruptions()

    def cut_link(self) -> None:
        """Interrupt the peering of the sites' networks: packets between them are lost. Replication goes on."""
        self.network.cut(Site.PRIMARY, Site.RECOVERY)
        self._fleet.follow_interruptions()

    def heal_link(self) -> None:
        """Undo `cut_link`; connections that were cut are reset."""
        self.network.heal()
        self._fleet.follow_interruptions()

    def silence(self, region: str, identifier: str) -> None:
        """Lose the host of an instance: every packet to its endpoint is lost and nothing is closed.

        Its server is stopped as a process, its stream falls silent, and RDS soon calls the instance `failed`.

        Raises:
            LookupError: there is no such instance.
        """
        self._fleet.silence(region, identifier)

    def end_silence(self, region: str, identifier: str) -> None:
        """Start the host again, with its server and data; connections that clients still hold are reset."""
        self._fleet.end_silence(region, identifier)

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
        self.aws.refuse_calls(region, service, operation, code)

    def slow_calls(self, region: str, service: str, operation: str | None, seconds: float) -> None:
        """Let such calls wait so long before they take effect and are answered; see `refuse_calls`.

        A call whose caller has given up meanwhile takes effect all the same.
        """
        self.aws.slow_calls(region, service, operation, seconds)

    def answer_calls(self, region: str) -> None:
        """Undo every `refuse_calls` and `slow_calls` of a region."""
        self.aws.answer_calls(region)

    def calls_met(self, region: str) -> int:
        """How many calls have met a `refuse_calls` or `slow_calls` of a region since `answer_calls`."""
        return self.aws.calls_met(region)

    def kill_function(self, region: str, name: str) -> bool:
        """Kill every process of a function; tells whether one was running it."""
        return self.aws.kill_function(region, name)

    def take_automated_snapshot(self, region: str, identifier: str) -> str:
        """Let an instance's backup window come now; returns the snapshot's identifier."""
        return self._backend.take_automated_snapshot(region, identifier)

    def end_replication(self, region: str, identifier: str) -> None:
        """Let RDS end the replication of a replica for good, as after 30 days in which it was interrupted.

        It stays a read replica, `available`, and can be promoted with the data it has.

        Raises:
            SettingsError: it is no read replica.
        """
        self._backend.end_replication(region, identifier)

    def set_status(self, region: str, identifier: str, status: str, seconds: float) -> None:
        """Let RDS give an instance a status for so long, as ``storage-optimization``, also where its server crashes.

        Raises:
            SettingsError: there is no such instance.
        """
        self._backend.set_status(region, identifier, status, seconds)

    def drop_promotions(self, times: int) -> None:
        """Let RDS accept so many promotions and drop them: the instance is an `available` replica again."""
        self._backend.drop_promotions(times)

    def slow_reboots(self, seconds: float) -> None:
        """Let every later reboot keep its server down for so long; 0 ends it."""
        self._backend.slow_reboots(seconds)
