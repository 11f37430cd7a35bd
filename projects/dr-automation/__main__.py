"""Program of the dr-automation layer."""

import sys
from pathlib import Path

# shared/ is found without an installation of this repository: `pulumi install` installs requirements.txt only.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
# The program imports names of metrics and thresholds from the functions' code.
sys.path.insert(0, str(Path(__file__).resolve().parent / "functions"))

import pulumi

from automation_layer.alarms import Alarms
from automation_layer.connection_uri import writer_uri
from automation_layer.dns import ClientNames, ClientNamesArgs
from automation_layer.failover import Failover, FailoverArgs
from automation_layer.fence_guard import FenceGuard
from automation_layer.health_checks import HealthChecks
from automation_layer.operator_role import OperatorRole, OperatorRoleArgs
from automation_layer.probe import Probe, ProbeArgs
from automation_layer.restore_role import RestoreRole, RestoreRoleArgs
from automation_layer.reporter import ReporterArgs
from automation_layer.settings import AutomationSettings
from automation_layer.snapshot_copier import SnapshotCopier
from automation_layer.state_table import StateTable, StateTableArgs
from automation_layer.topics import Topics, TopicsArgs
from automation_layer.witness import Witness, WitnessArgs
from shared import program
from shared.contracts import AutomationContract, DataContract, NetworkContract
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
    providers = site_providers(environment)
    recovery = providers[Site.RECOVERY]

    state = StateTable(
        environment.names,
        StateTableArgs(key_arn=network.recovery.data_key_arn, deletion_protection=environment.protected),
        recovery,
    )
    topics = Topics(
        environment.names,
        TopicsArgs(
            account_id=environment.account_id,
            regions=environment.regions,
            key_arns={site: network.at(site).messages_key_arn for site in Site},
            failure_emails=settings.failure_emails,
            recovery_emails=settings.recovery_emails,
        ),
        providers,
    )
    probes = {site: Probe(settings, ProbeArgs(site, network, data), providers) for site in Site}
    failover = Failover(settings, FailoverArgs(network, data, state, topics), providers)
    operators = OperatorRole(settings, OperatorRoleArgs(network, failover.arn, state.arn), providers[GLOBAL_SITE])
    restore = RestoreRole(settings, RestoreRoleArgs(network, data, state.arn), providers[GLOBAL_SITE])
    guards = {site: FenceGuard(settings, ReporterArgs(site, network, data, state, topics), providers) for site in Site}
    copiers = {
        site: SnapshotCopier(settings, ReporterArgs(site, network, data, state, topics), providers) for site in Site
    }
    witness_name = pulumi.Output.from_input("")
    if settings.environment.witness_region is not None:
        witness_name = Witness(settings, WitnessArgs(settings.environment.witness_region, data), providers).name
    alarms = Alarms(settings, topics, recovery)
    health_checks = HealthChecks(environment.names, alarms, environment.regions[Site.RECOVERY], providers[GLOBAL_SITE])
    client_names = ClientNames(settings, ClientNamesArgs(network, data, health_checks), providers[GLOBAL_SITE])

    AutomationContract(
        metric_namespace=pulumi.Output.from_input(settings.metric_namespace),
        writer_name=pulumi.Output.from_input(settings.writer_name),
        reader_name=pulumi.Output.from_input(settings.reader_name),
        writer_uri=pulumi.Output.all(
            # The recovery site first: an old writer that returns is not tried while the new writer answers.
            data.recovery.database_address,
            data.primary.database_address,
            network.database_port,
            data.database_name,
        ).apply(lambda known: writer_uri(known[:2], known[2], known[3], settings.client_ssl_mode)),
        zone_id=client_names.zone_id,
        failures_topic_arn=topics.failures.arn,
        primary_failures_topic_arn=topics.primary_failures.arn,
        recovery_topic_arn=topics.recovery.arn,
        state_table_name=state.name,
        controller_region=pulumi.Output.from_input(environment.regions[Site.RECOVERY]),
        operator_role_arn=operators.arn,
        restore_role_arn=restore.arn,
        failover_function_name=failover.name,
        primary_probe_function_name=probes[Site.PRIMARY].name,
        recovery_probe_function_name=probes[Site.RECOVERY].name,
        primary_fence_guard_function_name=guards[Site.PRIMARY].name,
        recovery_fence_guard_function_name=guards[Site.RECOVERY].name,
        primary_snapshot_copier_function_name=copiers[Site.PRIMARY].name,
        recovery_snapshot_copier_function_name=copiers[Site.RECOVERY].name,
        witness_function_name=witness_name,
        trigger_alarm_name=alarms.trigger.name,
        latch_alarm_name=alarms.latch.name,
        writer_health_check_id=health_checks.writer.id,
    ).export()


program.run(dr_automation)
