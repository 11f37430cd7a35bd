"""For each rule, one thing to break in what the programs really declare, so that the rule must speak."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lab.engine.recording import RecordedResource
from tests.rules import automation, databases, dns, encryption, networks, storage
from tests.rules.graph import Resources, Rule, some, with_inputs

Change = Callable[[RecordedResource], dict[str, Any]]


@dataclass(frozen=True)
class Break:
    """One change to one resource.

    Attributes:
        rule: who must notice.
        kind: type of the resource, its token's last word.
        name: beginning of its logical name.
        change: the inputs to change; None takes one away.
        named: beginning of the name in the violation; that of the resource where empty.
    """

    rule: Rule
    kind: str
    name: str
    change: Change
    named: str = ""

    def apply(self, resources: Resources) -> list[RecordedResource]:
        """The resources with the first that fits changed."""
        chosen = next(one for one in some(resources, self.kind) if one.name.startswith(self.name))
        return [with_inputs(one, **self.change(one)) if one is chosen else one for one in resources]


def to(**changes: Any) -> Change:
    """The same change whatever was there."""
    return lambda _: changes


def in_first(key: str, **changes: Any) -> Change:
    """Changes inside the first of a list input; None takes away."""

    def change(one: RecordedResource) -> dict[str, Any]:
        first, *rest = one.inputs[key]
        changed = {name: value for name, value in {**first, **changes}.items() if value is not None}
        return {key: [changed, *rest]}

    return change


def parameter(name: str, value: str | None) -> Change:
    """A parameter group's parameter changed, or taken away."""

    def change(one: RecordedResource) -> dict[str, Any]:
        others = [each for each in one.inputs["parameters"] if each["name"] != name]
        return {"parameters": others if value is None else [*others, {"name": name, "value": value}]}

    return change


def replaced(key: str, old: str, new: str) -> Change:
    """A text inside an input replaced; it has to be there."""

    def change(one: RecordedResource) -> dict[str, Any]:
        assert old in one.inputs[key]
        return {key: one.inputs[key].replace(old, new)}

    return change


def allow(action: str, resource: str) -> Change:
    """A policy that allows only this."""
    statement = {"Effect": "Allow", "Action": action, "Resource": resource}
    return to(policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))


DATABASE, BUCKET = "database-primary", "backups-primary"
REPLICA = "database-recovery"
WORD, CHECK = "word-below-2-recovery", "recovery-word-below-2"

BREAKS = (
    Break(
        storage.every_bucket_is_versioned,
        "BucketVersioning",
        BUCKET,
        to(versioningConfiguration={"status": "Suspended"}),
    ),
    Break(storage.every_bucket_blocks_public_access, "BucketPublicAccessBlock", BUCKET, to(blockPublicPolicy=False)),
    Break(
        storage.every_bucket_refuses_requests_without_tls,
        "BucketPolicy",
        BUCKET,
        replaced("policy", "SecureTransport", "Else"),
    ),
    Break(
        storage.every_bucket_is_encrypted_with_a_key_of_its_region,
        "BucketServerSideEncryptionConfiguration",
        BUCKET,
        in_first("rules", applyServerSideEncryptionByDefault={"sseAlgorithm": "AES256"}),
    ),
    Break(
        storage.every_bucket_is_encrypted_with_a_key_of_its_region,
        "BucketServerSideEncryptionConfiguration",
        BUCKET,
        in_first("rules", bucketKeyEnabled=False),
    ),
    Break(
        storage.every_bucket_expires_old_versions_and_unfinished_uploads,
        "BucketLifecycleConfiguration",
        BUCKET,
        in_first("rules", noncurrentVersionExpiration=None),
    ),
    Break(
        storage.every_bucket_has_its_owner_enforced,
        "BucketOwnershipControls",
        BUCKET,
        to(rule={"objectOwnership": "ObjectWriter"}),
    ),
    Break(
        storage.replication_is_complete,
        "BucketReplicationConfig",
        "backup-replication-primary",
        in_first("rules", deleteMarkerReplication=None),
    ),
    Break(
        storage.replication_is_complete,
        "BucketReplicationConfig",
        "backup-replication-primary",
        in_first("rules", sourceSelectionCriteria=None),
    ),
    Break(
        databases.a_replica_has_the_parameters_of_its_source,
        "ParameterGroup",
        "postgres14-recovery",
        parameter("log_statement", "all"),
        REPLICA,
    ),
    Break(databases.a_replica_is_equipped_to_be_promoted, "Instance", REPLICA, to(kmsKeyId=None)),
    Break(databases.a_replica_is_equipped_to_be_promoted, "Instance", REPLICA, to(dbSubnetGroupName=DATABASE)),
    Break(databases.a_replica_is_equipped_to_be_promoted, "Instance", REPLICA, to(backupRetentionPeriod=0)),
    Break(databases.every_source_of_a_replica_has_backups, "Instance", DATABASE, to(backupRetentionPeriod=0)),
    Break(databases.no_database_has_a_password_managed_by_rds, "Instance", DATABASE, to(manageMasterUserPassword=True)),
    Break(databases.every_database_is_encrypted_and_private, "Instance", DATABASE, to(storageEncrypted=False)),
    Break(databases.every_database_is_encrypted_and_private, "Instance", DATABASE, to(publiclyAccessible=True)),
    Break(databases.only_the_major_version_is_pinned, "Instance", DATABASE, to(engineVersion="14.17")),
    Break(databases.extended_support_is_decided, "Instance", DATABASE, to(engineLifecycleSupport=None)),
    Break(
        databases.a_dead_replica_cannot_fill_the_disk_and_tls_is_forced,
        "ParameterGroup",
        "postgres14-primary",
        parameter("max_slot_wal_keep_size", None),
        DATABASE,
    ),
    Break(
        databases.a_dead_replica_cannot_fill_the_disk_and_tls_is_forced,
        "ParameterGroup",
        "postgres14-primary",
        parameter("rds.force_ssl", "0"),
        DATABASE,
    ),
    Break(databases.no_windows_collide, "Instance", DATABASE, to(backupWindow="18:30-19:00")),
    Break(databases.no_windows_collide, "Instance", DATABASE, to(maintenanceWindow="sun:19:00-sun:20:00")),
    Break(
        databases.subnet_groups_span_zones,
        "SubnetGroup",
        DATABASE,
        lambda one: {"subnetIds": one.inputs["subnetIds"][:1]},
    ),
    Break(networks.nothing_leads_to_the_internet, "Subnet", "private-a-primary", to(mapPublicIpOnLaunch=True)),
    Break(networks.no_rule_names_everyone, "SecurityGroupIngressRule", "probe-10", to(cidrIpv4="0.0.0.0/0")),
    Break(networks.no_rule_names_everyone, "SecurityGroupEgressRule", "probe-to", to(cidrIpv6="::/0")),
    Break(networks.security_group_rules_are_resources_of_their_own, "SecurityGroup", DATABASE, to(ingress=[])),
    Break(
        networks.the_quarantine_group_has_no_rules,
        "SecurityGroup",
        "quarantine-primary",
        to(egress=[{"protocol": "-1"}]),
    ),
    Break(
        networks.default_security_groups_are_closed,
        "DefaultSecurityGroup",
        "default-closed-primary",
        to(egress=[{"protocol": "-1"}]),
    ),
    Break(
        networks.every_resource_is_in_the_region_of_its_site, "Topic", "failures-recovery", to(region="ap-southeast-2")
    ),
    Break(networks.every_resource_is_in_the_region_of_its_site, "Key", "witness-logs", to(region="ap-southeast-2")),
    Break(encryption.every_key_rotates, "Key", "messages-primary", to(enableKeyRotation=False)),
    Break(encryption.every_key_has_an_alias, "Alias", "data-recovery", to(targetKeyId="another"), "data-recovery"),
    Break(
        encryption.services_that_send_to_a_topic_may_use_its_key,
        "Key",
        "messages-recovery",
        replaced("policy", "cloudwatch.amazonaws.com", "budgets.amazonaws.com"),
        "failover-trigger",
    ),
    Break(encryption.every_topic_is_encrypted, "Topic", "failures", to(kmsMasterKeyId=None)),
    Break(
        encryption.log_groups_may_use_their_key,
        "Key",
        "messages-recovery",
        replaced("policy", "logs.ap-southeast-1", "logs.ap-southeast-2"),
        "failover-recovery",
    ),
    Break(encryption.every_log_group_has_retention, "LogGroup", "failover", to(retentionInDays=None)),
    Break(
        encryption.every_table_is_encrypted_and_recoverable, "Table", "failover-state", to(serverSideEncryption=None)
    ),
    Break(
        encryption.every_table_is_encrypted_and_recoverable,
        "Table",
        "failover-state",
        to(pointInTimeRecovery={"enabled": False}),
    ),
    Break(
        automation.alarms_act_on_topics_of_their_region,
        "MetricAlarm",
        "database-cpu-recovery",
        lambda one: {"alarmActions": [one.inputs["alarmActions"][0].replace("ap-southeast-1", "ap-southeast-2")]},
    ),
    Break(
        automation.silence_triggers_a_failover,
        "MetricAlarm",
        "primary-unreachable-recovery",
        to(treatMissingData="missing"),
    ),
    Break(automation.functions_end_in_time_and_have_a_log_group, "Function", "failover", to(timeout=900)),
    Break(automation.functions_end_in_time_and_have_a_log_group, "LogGroup", "failover", to(name="/aws/lambda/else")),
    Break(automation.only_the_probes_are_in_the_networks, "Function", "health-probe", to(vpcConfig=None)),
    Break(
        automation.only_the_probes_are_in_the_networks, "Function", "fence-guard", to(vpcConfig={"subnetIds": ["a"]})
    ),
    Break(
        automation.only_lambda_takes_the_roles_of_functions,
        "Role",
        "failover",
        replaced("assumeRolePolicy", "lambda.amazonaws", "ec2.amazonaws"),
    ),
    Break(automation.policies_grant_no_wildcards, "RolePolicy", "failover", allow("rds:*", "arn:aws:rds:::db:x")),
    Break(automation.policies_grant_no_wildcards, "RolePolicy", "failover", allow("rds:PromoteReadReplica", "*")),
    Break(
        automation.policies_grant_no_wildcards,
        "Role",
        "failover",
        to(managedPolicyArns=["arn:aws:iam::aws:policy/AdministratorAccess"]),
    ),
    Break(dns.health_checks_follow_alarms, "HealthCheck", CHECK, to(type="TCP")),
    Break(dns.health_checks_follow_alarms, "HealthCheck", CHECK, to(cloudwatchAlarmRegion="ap-southeast-2")),
    Break(dns.health_checks_follow_alarms, "HealthCheck", CHECK, to(triggers=None)),
    Break(dns.health_checks_count_others_that_look_themselves, "HealthCheck", "writer", to(childHealthchecks=[])),
    Break(dns.health_checks_count_others_that_look_themselves, "HealthCheck", "standby", to(childHealthThreshold=6)),
    Break(
        dns.health_checks_count_others_that_look_themselves,
        "HealthCheck",
        "standby",
        lambda one: {"childHealthchecks": [*one.inputs["childHealthchecks"][:4], one.inputs["childHealthchecks"][0]]},
    ),
    Break(dns.every_health_check_is_used, "Record", "writer-primary", to(healthCheckId=None), "writer-is-in-primary"),
    Break(dns.every_health_check_is_used, "Record", "reader-primary", to(healthCheckId=None), "recovery-answers-again"),
    Break(dns.alarms_of_health_checks_are_plain, "MetricAlarm", WORD, to(datapointsToAlarm=1, evaluationPeriods=3)),
    Break(dns.alarms_of_health_checks_are_plain, "MetricAlarm", WORD, to(statistic=None, extendedStatistic="p99")),
    Break(dns.alarms_of_health_checks_have_standard_resolution, "MetricAlarm", WORD, to(period=10)),
    Break(
        dns.names_carry_hosts, "Record", "writer-primary", lambda one: {"records": [f"{one.inputs['records'][0]}:5432"]}
    ),
    Break(dns.names_are_short_lived, "Record", "writer-primary", to(ttl=300)),
    Break(dns.silence_does_not_move_the_writer, "HealthCheck", CHECK, to(insufficientDataHealthStatus="Healthy")),
)
