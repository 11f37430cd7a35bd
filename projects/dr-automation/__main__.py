"""Program of the dr-automation layer."""

import sys
from pathlib import Path

# shared/ is found without an installation of this repository: `pulumi install` installs requirements.txt only.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
# The program imports names of metrics and thresholds from the functions' code.
sys.path.insert(0, str(Path(__file__).resolve().parent / "functions"))

import pulumi

from automation_layer.alarms import Alarms, word_alarm_names
from automation_layer.client_vpcs import refuse_own_vpcs
from automation_layer.connection_uri import WriterAddresses
from automation_layer.dns import ClientNames, ClientNamesArgs
from automation_layer.failover import Failover
from automation_layer.fence_guard import FenceGuard
from automation_layer.health_checks import HealthChecks
from automation_layer.operator_role import OperatorRole, OperatorRoleArgs
from automation_layer.probe import Probe, ProbeArgs
from automation_layer.reporter import ReporterArgs
from automation_layer.restore_role import RestoreRole, RestoreRoleArgs
from automation_layer.settings import AutomationSettings
from automation_layer.snapshot_copier import SnapshotCopier
from automation_layer.state_table import StateTable, StateTableArgs
from automation_layer.topics import Topics, TopicsArgs
from automation_layer.witness import Witness, WitnessArgs
from shared import program
from shared.contracts import AutomationContract, DataContract, NetworkContract, SiteAutomation
from shared.providers import GLOBAL_SITE, site_providers
from shared.references import known, read_contract
from shared.sites import Site


def dr_automation() -> None:
    """Declare the layer and export its contract."""
    settings = AutomationSettings.load()
    environment = settings.environment
    network = read_contract(NetworkContract, environment)
    data = read_contract(DataContract, environment)
    settings.timings.refuse_unseen_silence(known(data.replication_timeout_seconds))
    refuse_own_vpcs(settings.client_vpcs, {site: known(network.at(site).vpc_id) for site in Site})
    active_site = Site(known(data.active_site))
    providers = site_providers(environment)

    states = {
        site: StateTable(
            environment.names,
            StateTableArgs(
                site=site,
                active_site=active_site,
                key_arn=network.at(site).data_key_arn,
                deletion_protection=environment.protected,
            ),
            providers[site],
        )
        for site in Site
    }
    topics = {
        site: Topics(
            environment.names,
            TopicsArgs(
                site=site,
                account_id=environment.account_id,
                region=environment.regions[site],
                key_arn=network.at(site).messages_key_arn,
                failure_emails=settings.failure_emails,
                recovery_emails=settings.recovery_emails,
            ),
            providers[site],
        )
        for site in Site
    }
    given = {site: ReporterArgs(site, network, data, states, topics) for site in Site}
    probes = {site: Probe(settings, ProbeArgs(site, network, data), providers) for site in Site}
    failovers = {site: Failover(settings, given[site], providers) for site in Site}
    guards = {site: FenceGuard(settings, given[site], providers) for site in Site}
    copiers = {site: SnapshotCopier(settings, given[site], providers) for site in Site}
    tables = {site: states[site].arn for site in Site}
    operators = OperatorRole(
        settings,
        OperatorRoleArgs(network, data.master_secret_id, {site: failovers[site].arn for site in Site}, tables),
        providers[GLOBAL_SITE],
    )
    restore = RestoreRole(settings, RestoreRoleArgs(network, data, tables), providers[GLOBAL_SITE])
    witness_name = pulumi.Output.from_input("")
    if settings.environment.witness_region is not None:
        witness_name = Witness(settings, WitnessArgs(settings.environment.witness_region, data), providers).name
    alarms = {site: Alarms(settings, site, topics[site], providers[site]) for site in Site}
    health_checks = HealthChecks(settings, alarms, providers[GLOBAL_SITE])
    client_names = ClientNames(settings, ClientNamesArgs(network, data, health_checks), providers[GLOBAL_SITE])

    writer = pulumi.Output.all(
        # The standby first: after a failover an old writer that returns is not tried while the new one answers.
        data.at(active_site.other).database_address,
        data.at(active_site).database_address,
        network.database_port,
        data.database_name,
    ).apply(lambda known: WriterAddresses(known[:2], known[2], known[3], settings.client_ssl_mode))
    offered = {
        site: SiteAutomation(
            failures_topic_arn=topics[site].failures.arn,
            recoveries_topic_arn=topics[site].recoveries.arn,
            state_table_name=states[site].name,
            failover_function_name=failovers[site].name,
            probe_function_name=probes[site].name,
            fence_guard_function_name=guards[site].name,
            snapshot_copier_function_name=copiers[site].name,
            trigger_alarm_name=alarms[site].trigger.name,
            word_alarm_names=pulumi.Output.from_input(word_alarm_names(settings, site)),
        )
        for site in Site
    }
    AutomationContract(
        metric_namespace=pulumi.Output.from_input(settings.metric_namespace),
        writer_name=pulumi.Output.from_input(settings.writer_name),
        reader_name=pulumi.Output.from_input(settings.reader_name),
        writer_uri=writer.apply(lambda known: known.uri),
        writer_libpq_uri=writer.apply(lambda known: known.libpq_uri),
        writer_jdbc_url=writer.apply(lambda known: known.jdbc_url),
        writer_hosts=writer.apply(lambda known: known.hosts),
        zone_id=client_names.zone_id,
        primary=offered[Site.PRIMARY],
        recovery=offered[Site.RECOVERY],
        operator_role_arn=operators.arn,
        restore_role_arn=restore.arn,
        witness_function_name=witness_name,
        writer_health_check_id=health_checks.writer_is_in_primary.id,
        reader_health_check_id=health_checks.standby_is_in_recovery.id,
    ).export()


program.run(dr_automation)
