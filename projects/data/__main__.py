"""Program of the data layer."""

import sys
from pathlib import Path

# shared/ is found without an installation of this repository: `pulumi install` installs requirements.txt only.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import pulumi

from data_layer.access_logs import AccessLogBucket, AccessLogBucketArgs
from data_layer.backup_replication import BackupReplication
from data_layer.buckets import BackupBucket, BackupBucketArgs
from data_layer.credentials import look_up_master_credentials
from data_layer.database import Database, DatabaseArgs, DatabaseContent
from data_layer.declared import database_arn
from data_layer.foundation import DatabaseFoundation, DatabaseFoundationArgs
from data_layer.instance import InstanceProfile, Placement
from data_layer.monitoring import DatabaseMonitoring
from data_layer.parameters import database_parameters
from data_layer.replacement import refuse_replacement
from data_layer.replication import BucketReplication, BucketReplicationArgs
from data_layer.settings import DataSettings
from shared import program
from shared.contracts import DataContract, NetworkContract, SiteData
from shared.providers import GLOBAL_SITE, site_providers
from shared.references import last_outputs, read_contract
from shared.sites import Site


def data() -> None:
    """Declare the layer and export its contract."""
    settings = DataSettings.load()
    names = settings.environment.names
    regions = settings.environment.regions
    network = read_contract(NetworkContract, settings.environment)
    providers = site_providers(settings.environment)
    active = settings.active_site
    credentials = look_up_master_credentials(settings.secret_id, regions, active, providers[active])
    deployed = last_outputs("data", settings.environment)
    refuse_replacement(deployed, settings, credentials.username)
    database_arns = {site: database_arn(settings.environment, site) for site in Site}

    monitoring_role_arn = None
    if settings.monitoring_interval_seconds > 0:
        monitoring_role_arn = DatabaseMonitoring(
            names,
            account_id=settings.environment.account_id,
            database_arns=[str(database_arns[site]) for site in Site],
            provider=providers[GLOBAL_SITE],
        ).role_arn
    profile = InstanceProfile(
        instance_class=settings.instance_class,
        port=network.database_port,
        maximum_storage_gib=settings.maximum_storage_gib,
        backup_retention_days=settings.backup_retention_days,
        certificate_authority=settings.certificate_authority,
        apply_immediately=settings.apply_immediately,
        protected=settings.environment.protected,
        skip_final_snapshot=settings.skip_final_snapshot,
        monitoring_interval_seconds=settings.monitoring_interval_seconds,
        monitoring_role_arn=monitoring_role_arn,
        taken_over=settings.taken_over,
    )
    content = DatabaseContent(
        engine_major_version=settings.engine_major_version,
        extended_support=settings.extended_support,
        multi_az=settings.multi_az,
        allocated_storage_gib=settings.allocated_storage_gib,
        database_name=settings.database_name,
        username=credentials.username,
        password=pulumi.Output.secret(credentials.password),
    )
    parameters = database_parameters(
        max_slot_wal_keep_size_megabytes=settings.max_slot_wal_keep_size_megabytes,
        slow_statement_milliseconds=settings.slow_statement_milliseconds,
        replication_timeout_seconds=settings.replication_timeout_seconds,
        further=settings.further_parameters,
    )
    placements = {
        site: Placement(
            site=site,
            foundation=DatabaseFoundation(
                names,
                DatabaseFoundationArgs(
                    site=site,
                    subnet_ids=network.at(site).private_subnet_ids,
                    engine_major_version=settings.engine_major_version,
                    parameters=parameters,
                    messages_key_arn=network.at(site).messages_key_arn,
                    log_retention_days=settings.log_retention_days,
                    database_id=database_arns[site].name,
                    log_groups_exist=settings.log_groups_exist[site],
                ),
                providers[site],
            ),
            security_group_id=network.at(site).database_security_group_id,
            data_key_arn=network.at(site).data_key_arn,
            backup_window=settings.backup_windows[site],
            maintenance_window=settings.maintenance_windows[site],
        )
        for site in Site
    }
    databases: dict[Site, Database] = {}
    for site in (active, active.other):
        if settings.instances[site].exists:
            databases[site] = Database(
                names,
                DatabaseArgs(
                    declared=settings.instances[site],
                    profile=profile,
                    placement=placements[site],
                    content=content,
                    own_arn=database_arns[site],
                    other_arn=database_arns[site.other],
                    active=databases[active].instance if site is active.other else None,
                ),
                providers[site],
            )
    if settings.backup_replication_retention_days > 0:
        BackupReplication(
            names,
            declared=settings.instances[active],
            source=databases[active],
            source_arn=database_arns[active],
            data_key_arn=network.at(active.other).data_key_arn,
            retention_days=settings.backup_replication_retention_days,
            provider=providers[active.other],
        )
    buckets = {
        site: BackupBucket(
            names,
            BackupBucketArgs(
                site=site,
                data_key_arn=network.at(site).data_key_arn,
                force_destroy=settings.force_destroy_buckets,
                protect=settings.environment.protected,
                object_retention_days=settings.object_retention_days,
                old_version_retention_days=settings.old_version_retention_days,
            ),
            providers[site],
        )
        for site in Site
    }
    for site in Site:
        BucketReplication(
            names,
            BucketReplicationArgs(source=buckets[site], destination=buckets[site.other], regions=regions),
            providers,
        )
        AccessLogBucket(
            names,
            AccessLogBucketArgs(
                source=buckets[site],
                account_id=settings.environment.account_id,
                force_destroy=settings.force_destroy_buckets,
                protect=settings.environment.protected,
                log_retention_days=settings.access_log_retention_days,
                old_version_retention_days=settings.old_version_retention_days,
            ),
            providers[site],
        )

    offered = {
        site: SiteData(
            database_id=pulumi.Output.from_input(database_arns[site].name),
            database_arn=pulumi.Output.from_input(str(database_arns[site])),
            # While a site has no instance, names go on leading to where its next one will be.
            database_address=databases[site].instance.address
            if site in databases
            else pulumi.Output.from_input(str(deployed.get(f"{site}DatabaseAddress", ""))),
            database_generation=pulumi.Output.from_input(settings.instances[site].generation),
            database_birth=pulumi.Output.from_input(str(settings.instances[site].birth)),
            database_key_arn=pulumi.Output.from_input(
                settings.database_key_arns.get(site, network.at(site).data_key_arn)
            ),
            subnet_group_name=placements[site].foundation.subnet_group.name,
            parameter_group_name=placements[site].foundation.parameter_group.name,
            backup_bucket_name=buckets[site].bucket.bucket,
            backup_bucket_arn=buckets[site].bucket.arn,
        )
        for site in Site
    }
    DataContract(
        primary=offered[Site.PRIMARY],
        recovery=offered[Site.RECOVERY],
        active_site=pulumi.Output.from_input(str(active)),
        database_name=pulumi.Output.from_input(settings.database_name),
        master_secret_id=pulumi.Output.from_input(settings.secret_id),
        master_username=pulumi.Output.from_input(credentials.username),
        backup_retention_days=pulumi.Output.from_input(settings.backup_retention_days),
        replication_timeout_seconds=pulumi.Output.from_input(settings.replication_timeout_seconds),
    ).export()


program.run(data)
