"""Program of the observability layer."""

import sys
from pathlib import Path

# shared/ is found without an installation of this repository: `pulumi install` installs requirements.txt only.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import pulumi

from observability_layer.automation_alarms import AutomationAlarms, AutomationAlarmsArgs
from observability_layer.dashboard import Dashboard, DashboardArgs
from observability_layer.database_alarms import DatabaseAlarms, DatabaseAlarmsArgs
from observability_layer.replication_alarms import ReplicationAlarms, ReplicationAlarmsArgs
from observability_layer.settings import ObservabilitySettings
from shared import program
from shared.contracts import AutomationContract, DataContract, NetworkContract, ObservabilityContract
from shared.providers import site_providers
from shared.references import known, read_contract
from shared.sites import Site


def observability() -> None:
    """Declare the layer and export its contract."""
    settings = ObservabilitySettings.load()
    environment = settings.environment
    # Its outputs are not used here; reading them checks that it is the same environment.
    read_contract(NetworkContract, environment)
    data = read_contract(DataContract, environment)
    automation = read_contract(AutomationContract, environment)
    providers = site_providers(environment)
    # An alarm can notify topics of its own region only, so each site has one, with the same people behind both.
    topic_arns: dict[Site, list[pulumi.Input[str]]] = {site: [automation.at(site).failures_topic_arn] for site in Site}

    replication = ReplicationAlarms(settings, ReplicationAlarmsArgs(data, topic_arns), providers)
    databases = {
        site: DatabaseAlarms(
            settings, DatabaseAlarmsArgs(site, data.at(site).database_id, topic_arns[site]), providers[site]
        )
        for site in Site
    }
    functions = AutomationAlarms(settings, AutomationAlarmsArgs(automation, topic_arns), providers)
    of_replication = {Site.PRIMARY: replication.slot, Site.RECOVERY: replication.lag}
    alarm_arns: dict[Site, list[pulumi.Input[str]]] = {}
    for site in Site:
        below = automation.at(site)
        names = (known(below.trigger_alarm_name), *known(below.word_alarm_names))
        alarms = (of_replication[site], *functions.alarms[site], *databases[site].alarms)
        prefix = f"arn:aws:cloudwatch:{environment.regions[site]}:{environment.account_id}:alarm:"
        alarm_arns[site] = [*(f"{prefix}{name}" for name in names), *(each.arn for each in alarms)]
    dashboard = Dashboard(
        settings,
        DashboardArgs(
            data=data,
            automation=automation,
            alarm_arns=alarm_arns,
            witness_alarm_arns=[each.arn for each in functions.witness],
        ),
        providers[Site.RECOVERY],
    )

    ObservabilityContract(dashboard_name=dashboard.name, replication_lag_alarm_name=replication.lag.name).export()


program.run(observability)
