"""Program of the dr-automation layer."""

import pulumi

from automation_layer import artifact
from automation_layer.alarms import Alarms
from automation_layer.connection_uri import writer_uri
from automation_layer.dns import ClientNames, ClientNamesArgs
from automation_layer.failover import Failover, FailoverArgs
from automation_layer.fence_guard import FenceGuard, FenceGuardArgs
from automation_layer.health_checks import HealthChecks
from automation_layer.operator_role import OperatorRole, OperatorRoleArgs
from automation_layer.probe import Probe, ProbeArgs
from automation_layer.settings import AutomationSettings
from automation_layer.state_table import StateTable, StateTableArgs
from automation_layer.topics import Topics, TopicsArgs
from automation_layer.witness import Witness, WitnessArgs
from shared import program
from shared.contracts import AutomationContract, DataContract, NetworkContract
from shared.providers import GLOBAL_SITE, site_providers
from shared.references import layer_stack
from shared.sites import Site


def dr_automation() -> None:
    """Declare the layer and export its contract."""
    settings = AutomationSettings.load()
    stack = settings.stack
    network = NetworkContract.read(layer_stack("network", stack))
    data = DataContract.read(layer_stack("data", stack))
    providers = site_providers(stack)
    recovery = providers[Site.RECOVERY]
    package = artifact.build()

    state = StateTable(
        stack.names,
        StateTableArgs(key_arn=network.recovery.data_key_arn, deletion_protection=settings.deletion_protection),
        recovery,
    )
    topics = Topics(
        stack.names,
        TopicsArgs(
            account_id=stack.account_id,
            region=stack.regions[Site.RECOVERY],
            key_arn=network.recovery.messages_key_arn,
            failure_emails=settings.failure_emails,
            recovery_emails=settings.recovery_emails,
        ),
        recovery,
    )
    probes = {site: Probe(settings, ProbeArgs(site, package, network, data), providers) for site in Site}
    failover = Failover(settings, FailoverArgs(package, network, data, state, topics), providers)
    operators = OperatorRole(settings, OperatorRoleArgs(network, failover.arn, state.arn), providers[GLOBAL_SITE])
    guards = {
        site: FenceGuard(settings, FenceGuardArgs(site, package, network, data, state, topics), providers)
        for site in Site
    }
    witness_name = pulumi.Output.from_input("")
    if settings.witness_region is not None:
        witness_name = Witness(settings, WitnessArgs(settings.witness_region, package, data), providers).name
    alarms = Alarms(settings, topics, recovery)
    health_checks = HealthChecks(stack.names, alarms, stack.regions[Site.RECOVERY], providers[GLOBAL_SITE])
    client_names = ClientNames(settings, ClientNamesArgs(network, data, health_checks), providers[GLOBAL_SITE])

    AutomationContract(
        metric_namespace=pulumi.Output.from_input(settings.metric_namespace),
        writer_name=pulumi.Output.from_input(settings.writer_name),
        reader_name=pulumi.Output.from_input(settings.reader_name),
        writer_uri=pulumi.Output.all(
            # The recovery site first: a returning old writer is not asked while the new one answers.
            data.recovery.database_address,
            data.primary.database_address,
            network.database_port,
            data.database_name,
        ).apply(lambda known: writer_uri(known[:2], known[2], known[3], settings.client_ssl_mode)),
        zone_id=client_names.zone_id,
        failures_topic_arn=topics.failures.arn,
        recovery_topic_arn=topics.recovery.arn,
        state_table_name=state.name,
        controller_region=pulumi.Output.from_input(stack.regions[Site.RECOVERY]),
        operator_role_arn=operators.arn,
        failover_function_name=failover.name,
        primary_probe_function_name=probes[Site.PRIMARY].name,
        recovery_probe_function_name=probes[Site.RECOVERY].name,
        primary_fence_guard_function_name=guards[Site.PRIMARY].name,
        recovery_fence_guard_function_name=guards[Site.RECOVERY].name,
        witness_function_name=witness_name,
        trigger_alarm_name=alarms.trigger.name,
        latch_alarm_name=alarms.latch.name,
        writer_health_check_id=health_checks.writer.id,
    ).export()


program.run(dr_automation)
