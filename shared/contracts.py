"""The contracts of the four layers. A key is unique across all of them (the flat outputs file holds them together)."""

from __future__ import annotations

from dataclasses import dataclass

from pulumi import Output

from shared.contract import Contract
from shared.sites import Site


@dataclass(frozen=True)
class SiteNetwork:
    """What the network layer offers in one site.

    Attributes:
        vpc_id: the site's VPC.
        vpc_cidr: its address block.
        private_subnet_ids: three subnets in three zones, without a way to the internet.
        route_table_ids: of these subnets: what answers clients outside the VPC goes by them.
        database_security_group_id: for the database: lets in the probes and clients of both sites.
        probe_security_group_id: for the probe: lets out to the databases only.
        client_security_group_id: for clients in these subnets: lets out to the databases only; both admit them.
        quarantine_security_group_id: no rules; fencing swaps it in.
        inspection_security_group_id: lets in the operators' network only, for a restored or fenced database.
        data_key_arn: KMS key of the site for data at rest.
        messages_key_arn: KMS key of the site for messages and logs.
    """

    vpc_id: Output[str]
    vpc_cidr: Output[str]
    private_subnet_ids: Output[list[str]]
    route_table_ids: Output[list[str]]
    database_security_group_id: Output[str]
    probe_security_group_id: Output[str]
    client_security_group_id: Output[str]
    quarantine_security_group_id: Output[str]
    inspection_security_group_id: Output[str]
    data_key_arn: Output[str]
    messages_key_arn: Output[str]


@dataclass(frozen=True)
class NetworkContract(Contract):
    """Outputs of the network layer. They identify the environment: the other layers refuse to be deployed into another.

    Attributes:
        account_id: the AWS account.
        environment_suffix: part of every name.
        environment_kind: what it is for.
        primary_region: region of the primary site.
        recovery_region: region of the recovery site.
        primary: what there is in the primary site.
        recovery: what there is in the recovery site.
        peering_connection_id: the way between the sites' networks.
        database_port: on which the databases answer.
        inspection_admits: `operators`; `operators and clients` where their networks overlap, so that a fenced database
            must not be opened for a look.
    """

    account_id: Output[str]
    environment_suffix: Output[str]
    environment_kind: Output[str]
    primary_region: Output[str]
    recovery_region: Output[str]
    primary: SiteNetwork
    recovery: SiteNetwork
    peering_connection_id: Output[str]
    database_port: Output[int]
    inspection_admits: Output[str]

    def at(self, site: Site) -> SiteNetwork:
        """The part of one site."""
        return self.primary if site is Site.PRIMARY else self.recovery


@dataclass(frozen=True)
class SiteData:
    """What the data layer offers in one site.

    Identifier and ARN of a site's database are the same for every instance it ever has.

    Attributes:
        database_id: identifier of the site's RDS instance.
        database_arn: its ARN.
        database_address: its host name, without the port; the last instance's while the site has none, and empty where
            it has had none yet.
        database_generation: how often the site's database has come into being, from 1.
        database_birth: how it did, as the data layer's settings say it; `none` while the site has no instance.
        database_key_arn: KMS key of its storage and snapshots: the network's data key, but for an adopted one's own.
        subnet_group_name: of the database.
        parameter_group_name: of the database.
        backup_bucket_name: the site's bucket for backup snapshots.
        backup_bucket_arn: its ARN.
    """

    database_id: Output[str]
    database_arn: Output[str]
    database_address: Output[str]
    database_generation: Output[int]
    database_birth: Output[str]
    database_key_arn: Output[str]
    subnet_group_name: Output[str]
    parameter_group_name: Output[str]
    backup_bucket_name: Output[str]
    backup_bucket_arn: Output[str]


@dataclass(frozen=True)
class DataContract(Contract):
    """Outputs of the data layer.

    Attributes:
        primary: what there is in the primary site.
        recovery: what there is in the recovery site.
        active_site: the site whose database is declared as the writer, when this layer was deployed last.
        database_name: the database clients use.
        master_secret_id: entry of Secrets Manager with the master user's name and password, in both regions.
        master_username: the master user, as the database was made with: another one would be another database.
        backup_retention_days: how long automated backups are kept; a promoted replica must be told (R7).
        replication_timeout_seconds: after so much silence either end of the replication takes the other for gone.
    """

    primary: SiteData
    recovery: SiteData
    active_site: Output[str]
    database_name: Output[str]
    master_secret_id: Output[str]
    master_username: Output[str]
    backup_retention_days: Output[int]
    replication_timeout_seconds: Output[int]

    def at(self, site: Site) -> SiteData:
        """The part of one site."""
        return self.primary if site is Site.PRIMARY else self.recovery


@dataclass(frozen=True)
class SiteAutomation:
    """What the dr-automation layer offers in one site.

    Attributes:
        failures_topic_arn: topic that tells people about failures (R5).
        recoveries_topic_arn: topic that tells people what was done about them (R5).
        state_table_name: table of the site's controller: its state, and the incidents it has led.
        failover_function_name: the controller.
        probe_function_name: the probe.
        fence_guard_function_name: the fence-guard.
        snapshot_copier_function_name: the snapshot copier, which copies to this site.
        trigger_alarm_name: the alarm on the other site's database that wakes the controller.
        word_alarm_names: the alarms on what the controller says of the writer, by threshold, the lowest first; the
            health checks that move the writer's name follow them.
    """

    failures_topic_arn: Output[str]
    recoveries_topic_arn: Output[str]
    state_table_name: Output[str]
    failover_function_name: Output[str]
    probe_function_name: Output[str]
    fence_guard_function_name: Output[str]
    snapshot_copier_function_name: Output[str]
    trigger_alarm_name: Output[str]
    word_alarm_names: Output[list[str]]


@dataclass(frozen=True)
class AutomationContract(Contract):
    """Outputs of the dr-automation layer.

    Attributes:
        metric_namespace: CloudWatch namespace of the layer's own metrics.
        writer_name: DNS name under which clients reach the writer (R11), with ``target_session_attrs=read-write``.
        reader_name: DNS name under which clients reach the standby, or the writer where none answers.
        writer_uri: multi-host URI (``target_session_attrs=read-write``) that needs no DNS switch, with what libpq and
            pgx share; this and the next two are without credentials.
        writer_libpq_uri: the same with libpq's own deadlines for a host that falls silent (psql, psycopg).
        writer_jdbc_url: the same for pgjdbc; its ``socketTimeout`` bounds every statement.
        writer_hosts: ``host:port`` of both databases, in the order they are to be tried.
        zone_id: the private hosted zone of both names.
        primary: what there is in the primary site.
        recovery: what there is in the recovery site.
        operator_role_arn: role under which people ask the controllers and tell them what they want.
        restore_role_arn: role under which people restore snapshots and look at what they hold.
        witness_function_name: in the witness's region; empty where there is no witness.
        writer_health_check_id: Route 53 health check on the first record of the writer's name.
        reader_health_check_id: the same of the reader's name.
    """

    metric_namespace: Output[str]
    writer_name: Output[str]
    reader_name: Output[str]
    writer_uri: Output[str]
    writer_libpq_uri: Output[str]
    writer_jdbc_url: Output[str]
    writer_hosts: Output[list[str]]
    zone_id: Output[str]
    primary: SiteAutomation
    recovery: SiteAutomation
    operator_role_arn: Output[str]
    restore_role_arn: Output[str]
    witness_function_name: Output[str]
    writer_health_check_id: Output[str]
    reader_health_check_id: Output[str]

    def at(self, site: Site) -> SiteAutomation:
        """The part of one site."""
        return self.primary if site is Site.PRIMARY else self.recovery


@dataclass(frozen=True)
class ObservabilityContract(Contract):
    """Outputs of the observability layer."""

    dashboard_name: Output[str]
    replication_lag_alarm_name: Output[str]


CONTRACTS: dict[str, type[Contract]] = {
    "network": NetworkContract,
    "data": DataContract,
    "dr-automation": AutomationContract,
    "observability": ObservabilityContract,
}
"""Contract of each layer, by the layer's name."""
