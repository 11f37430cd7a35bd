"""The health probe of one site (R4): inside its VPC, asking the databases of both sites."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from automation_layer import policies
from automation_layer.environment import shared_environment
from automation_layer.function import Function, FunctionArgs, VpcPlacement
from automation_layer.schedule import Schedule
from automation_layer.settings import AutomationSettings
from automation_layer.timings import PROBE_LIMIT_SECONDS
from shared.contracts import DataContract, NetworkContract
from shared.providers import GLOBAL_SITE
from shared.sites import Site

WHAT = "health-probe"


@dataclass(frozen=True)
class ProbeArgs:
    """What a probe is made of.

    Attributes:
        site: where it looks from.
        network: both sites' networks.
        data: both sites' databases.
    """

    site: Site
    network: NetworkContract
    data: DataContract


class Probe(pulumi.ComponentResource):
    """A function in the private subnets and its schedule.

    It needs no way to any AWS API, so the network has none: it signs its logins itself, and what it finds goes to
    standard output; Lambda carries that to the logs, and CloudWatch takes the metrics out of them.

    Attributes:
        name: the function's name.
    """

    name: pulumi.Output[str]

    def __init__(self, settings: AutomationSettings, args: ProbeArgs, providers: Mapping[Site, aws.Provider]) -> None:
        name = settings.environment.names.of(WHAT, args.site)
        super().__init__("postgres-dr:automation:Probe", name)
        network = args.network.at(args.site)
        timings = settings.timings
        function = Function(
            name,
            FunctionArgs(
                account_id=settings.environment.account_id,
                region=settings.environment.regions[args.site],
                description=f"Asks both databases, from the {args.site} site, whether they take connections and writes",
                handler="health_probe.handler.handle",
                timeout_seconds=PROBE_LIMIT_SECONDS,
                memory_mb=256,
                environment={
                    **shared_environment(settings, WHAT),
                    "SITE": args.site,
                    "DATABASES": _databases(args.network, args.data),
                    "PROBES_PER_RUN": str(timings.probes_per_run),
                    "PROBE_INTERVAL_SECONDS": str(timings.probe_interval_seconds),
                    "PROBE_TIMEOUT_SECONDS": str(timings.probe_timeout_seconds),
                },
                statements=policies.probe(settings.environment.account_id, settings.environment.regions.values()),
                log_retention_days=settings.log_retention_days,
                log_key_arn=network.messages_key_arn,
                vpc=VpcPlacement(network.private_subnet_ids, network.probe_security_group_id),
            ),
            providers[args.site],
            providers[GLOBAL_SITE],
            parent=self,
        )
        Schedule(name, timings.schedule_expression, function, providers[args.site], parent=self)
        self.name = function.name
        self.register_outputs({})


def _databases(network: NetworkContract, data: DataContract) -> pulumi.Output[str]:
    return pulumi.Output.json_dumps(
        {str(site): {"host": data.at(site).database_address, "port": network.database_port.apply(int)} for site in Site}
    )
