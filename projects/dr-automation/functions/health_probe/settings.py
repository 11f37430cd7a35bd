"""What the probe is told by its environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from function_runtime.environment import Environment, SettingError
from function_runtime.sites import Site

# Lambda ends a run after 15 minutes at most; a probe that plans longer would be cut off in the middle.
LONGEST_RUN_SECONDS = 840.0


@dataclass(frozen=True)
class Target:
    """A database to probe: where it listens, and the region whose tokens it takes."""

    host: str
    port: int
    region: str


@dataclass(frozen=True)
class ProbeSettings:
    """The settings of one probe function.

    Attributes:
        metric_namespace: the CloudWatch namespace the readings go to.
        observer: the site this probe looks from.
        databases: the database of each site.
        probes_per_run: how often each database is asked in one run.
        probe_interval_seconds: from the start of one probe to the start of the next of the same database.
        probe_timeout_seconds: for handshake and session together; a database that has not answered by then counts as
            not reachable.
    """

    metric_namespace: str
    observer: Site
    databases: Mapping[Site, Target]
    probes_per_run: int
    probe_interval_seconds: float
    probe_timeout_seconds: float

    @classmethod
    def from_environment(cls, variables: Mapping[str, str]) -> ProbeSettings:
        """Read and check the settings.

        Raises:
            SettingError: a variable is missing, malformed, or contradicts another.
        """
        environment = Environment(variables)
        settings = cls(
            metric_namespace=environment.text("METRIC_NAMESPACE"),
            observer=environment.choice("SITE", Site),
            databases=_databases(environment),
            probes_per_run=environment.whole("PROBES_PER_RUN", minimum=1, maximum=1000),
            probe_interval_seconds=environment.number("PROBE_INTERVAL_SECONDS", minimum=0.1, maximum=600),
            probe_timeout_seconds=environment.number("PROBE_TIMEOUT_SECONDS", minimum=0.1, maximum=60),
        )
        longest = settings.probes_per_run * max(settings.probe_interval_seconds, settings.probe_timeout_seconds)
        if longest > LONGEST_RUN_SECONDS:
            raise SettingError(
                "PROBES_PER_RUN",
                settings.probes_per_run,
                f"a run may take {longest:g} s, more than {LONGEST_RUN_SECONDS:g} s: probe less often in a run",
            )
        return settings


def _databases(environment: Environment) -> dict[Site, Target]:
    variable = "DATABASES"
    given = environment.json_object(variable)
    regions = environment.by_site("REGION")
    remedy = 'give {"primary": {"host": "...", "port": 5432}, "recovery": {"host": "...", "port": 5432}}'
    if set(given) != set(Site):
        raise SettingError(variable, given, remedy)
    targets: dict[Site, Target] = {}
    for site in Site:
        target = given[site]
        if not isinstance(target, dict):
            raise SettingError(variable, given, remedy)
        host, port = target.get("host"), target.get("port")
        if not isinstance(host, str) or not host:
            raise SettingError(f"{variable}.{site}.host", host, remedy)
        if not isinstance(port, int) or isinstance(port, bool) or not 1 <= port <= 65535:
            raise SettingError(f"{variable}.{site}.port", port, remedy)
        targets[site] = Target(host, port, regions[site])
    return targets
