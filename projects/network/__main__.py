"""Program of the network layer."""

import sys
from pathlib import Path

# shared/ is found without an installation of this repository: `pulumi install` installs requirements.txt only.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import pulumi

from network_layer.endpoints import Endpoints, EndpointsArgs
from network_layer.flow_logs import FlowLogs, FlowLogsArgs
from network_layer.keys import Keys, KeysArgs
from network_layer.peering import Network, Peering, PeeringArgs
from network_layer.security_groups import SiteSecurityGroups, SiteSecurityGroupsArgs
from network_layer.settings import NetworkSettings
from network_layer.site_network import SiteNetwork, SiteNetworkArgs
from shared import program
from shared.contracts import NetworkContract
from shared.contracts import SiteNetwork as SiteNetworkContract
from shared.providers import site_providers
from shared.references import refuse_another_environment
from shared.sites import Site


def network() -> None:
    """Declare the layer and export its contract."""
    settings = NetworkSettings.load()
    refuse_another_environment(settings.environment)
    names = settings.environment.names
    providers = site_providers(settings.environment)

    keys = Keys(
        names,
        KeysArgs(
            account_id=settings.environment.account_id,
            regions=settings.environment.regions,
            deletion_days=settings.key_deletion_days,
            protect=settings.environment.protected,
        ),
        providers,
    )
    made = {
        site: SiteNetwork(
            names,
            SiteNetworkArgs(
                site=site,
                vpc_block=settings.vpc_blocks[site],
                subnet_blocks=settings.subnet_blocks(site),
                availability_zones=settings.availability_zones[site],
            ),
            providers[site],
        )
        for site in Site
        if site not in settings.existing
    }
    networks: dict[Site, Network] = {site: made.get(site) or settings.existing[site] for site in Site}
    # An existing VPC has its owner's logs and endpoints.
    for site, network in made.items():
        region = settings.environment.regions[site]
        FlowLogs(
            names,
            FlowLogsArgs(
                site=site,
                account_id=settings.environment.account_id,
                region=region,
                vpc_id=network.vpc_id,
                messages_key_arn=keys.messages_key_arns[site],
                retention_days=settings.flow_log_retention_days,
            ),
            providers[site],
        )
        Endpoints(
            names,
            EndpointsArgs(
                site=site,
                account_id=settings.environment.account_id,
                region=region,
                vpc_id=network.vpc_id,
                route_table_id=network.route_table.id,
            ),
            providers[site],
        )
    if settings.existing_connection_id is None:
        connection_id = Peering(
            names,
            PeeringArgs(
                networks=networks,
                vpc_blocks=settings.vpc_blocks,
                recovery_region=settings.environment.regions[Site.RECOVERY],
            ),
            providers,
        ).connection_id
    else:
        connection_id = pulumi.Output.from_input(settings.existing_connection_id)
    groups = {
        site: SiteSecurityGroups(
            names,
            SiteSecurityGroupsArgs(
                site=site,
                vpc_id=networks[site].vpc_id,
                database_port=settings.database_port,
                client_blocks=settings.client_blocks,
                operator_blocks=settings.operator_blocks,
                own_vpc_block=settings.vpc_blocks[site],
                other_vpc_block=settings.vpc_blocks[site.other],
                other_subnet_blocks=settings.subnet_blocks(site.other),
            ),
            providers[site],
        )
        for site in Site
    }

    offered = {
        site: SiteNetworkContract(
            vpc_id=networks[site].vpc_id,
            vpc_cidr=networks[site].vpc_cidr,
            private_subnet_ids=networks[site].private_subnet_ids,
            route_table_ids=pulumi.Output.all(*networks[site].route_table_ids),
            database_security_group_id=groups[site].database.id,
            probe_security_group_id=groups[site].probe.id,
            client_security_group_id=groups[site].clients.id,
            quarantine_security_group_id=groups[site].quarantine.id,
            inspection_security_group_id=groups[site].inspection.id,
            data_key_arn=keys.data_key_arns[site],
            messages_key_arn=keys.messages_key_arns[site],
        )
        for site in Site
    }
    environment = settings.environment
    NetworkContract(
        account_id=pulumi.Output.from_input(environment.account_id),
        environment_suffix=pulumi.Output.from_input(environment.suffix),
        environment_kind=pulumi.Output.from_input(str(environment.kind)),
        primary_region=pulumi.Output.from_input(environment.regions[Site.PRIMARY]),
        recovery_region=pulumi.Output.from_input(environment.regions[Site.RECOVERY]),
        primary=offered[Site.PRIMARY],
        recovery=offered[Site.RECOVERY],
        peering_connection_id=connection_id,
        database_port=pulumi.Output.from_input(settings.database_port),
        inspection_admits=pulumi.Output.from_input(settings.inspection_admits),
    ).export()


program.run(network)
