"""Made-up answers of AWS: ids, ARNs and addresses of the right form, the same at every run."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from lab.engine.registration import Created, EngineError, Invocation, Provider, Registration, Values
from lab.engine.tags import merged_tags

ACCOUNT_ID = "000000000000"


@dataclass(frozen=True)
class _Subject:
    registration: Registration
    region: str
    account_id: str

    @property
    def inputs(self) -> Values:
        return self.registration.inputs

    def name(self, key: str = "name") -> str:
        """The physical name: as given, or made from the logical one as the provider does."""
        given = self.inputs.get(key)
        return f"{self.registration.name}-{_digest(self.registration.urn, 7)}" if given is None else str(given)

    def token(self, prefix: str) -> str:
        return f"{prefix}-{_digest(self.registration.urn, 17)}"

    def arn(self, service: str, resource: str) -> str:
        return f"arn:aws:{service}:{self.region}:{self.account_id}:{resource}"


Maker = Callable[[_Subject], Created]


def outputs_of(registration: Registration) -> Created:
    """The id and computed outputs of a resource. A type without special outputs gets an id, an ARN and its tags."""
    subject = _Subject(registration, _region(registration), _account_id(registration.provider))
    maker = _MAKERS.get(registration.type)
    created = _ordinary(subject) if maker is None else maker(subject)
    outputs = dict(created.outputs)
    if registration.package == "aws":
        outputs["tagsAll"] = merged_tags(registration)
        outputs["region"] = subject.region
    return Created(created.id, outputs)


def invoked(invocation: Invocation) -> Values:
    """The answer to a function call.

    Raises:
        EngineError: no plausible answer is known for it.
    """
    arguments = invocation.arguments
    region = "ap-southeast-2" if invocation.provider is None else str(invocation.provider.inputs.get("region"))
    account_id = _account_id(invocation.provider)
    if invocation.token.endswith(":getSecretVersion"):
        text = json.dumps({"username": "postgres", "password": "recorded-secret"})
        arn = f"arn:aws:secretsmanager:{region}:{account_id}:secret:{arguments['secretId']}"
        return {**arguments, "id": arn, "arn": arn, "secretString": text, "versionId": "recorded"}
    raise EngineError(
        f"{invocation.token} has no recorded answer: give one in `answers`, or add it in lab/engine/plausible.py"
    )


def _region(registration: Registration) -> str:
    own = registration.inputs.get("region")
    if own is not None:
        return str(own)
    configured = None if registration.provider is None else registration.provider.inputs.get("region")
    return "us-east-1" if configured is None else str(configured)


def _account_id(provider: Provider | None) -> str:
    allowed = None if provider is None else provider.inputs.get("allowedAccountIds")
    return str(allowed[0]) if allowed else ACCOUNT_ID


def _digest(text: str, length: int) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:length]


def _ordinary(subject: _Subject) -> Created:
    service = subject.registration.type.partition(":")[2].partition("/")[0]
    word = subject.registration.type.rpartition(":")[2]
    identifier = subject.name()
    return Created(identifier, {"arn": subject.arn(service, f"{word.lower()}/{identifier}"), "name": identifier})


def _numbered(prefix: str, resource: str, computed: Callable[[_Subject, str], Values] | None = None) -> Maker:
    """An EC2 resource: `<prefix>-<17 hex digits>`."""

    def make(subject: _Subject) -> Created:
        identifier = subject.token(prefix)
        outputs: dict[str, Any] = {
            "arn": subject.arn("ec2", f"{resource}/{identifier}"),
            "ownerId": subject.account_id,
        }
        return Created(identifier, outputs if computed is None else {**outputs, **computed(subject, identifier)})

    return make


def _named(service: str, resource: str) -> Maker:
    """A resource known by its name, whose ARN ends with it."""

    def make(subject: _Subject) -> Created:
        name = subject.name()
        return Created(name, {"arn": subject.arn(service, f"{resource}{name}"), "name": name})

    return make


def _topic(subject: _Subject) -> Created:
    arn = subject.arn("sns", subject.name())
    return Created(arn, {"arn": arn, "name": subject.name()})


def _vpc(subject: _Subject, identifier: str) -> Mapping[str, Any]:
    return {
        "defaultSecurityGroupId": subject.token("sg"),
        "defaultRouteTableId": subject.token("rtb"),
        "mainRouteTableId": subject.token("rtb"),
        "defaultNetworkAclId": subject.token("acl"),
    }


def _key(subject: _Subject) -> Created:
    digest = _digest(subject.registration.urn, 32)
    if "primaryKeyArn" in subject.inputs:
        identifier = str(subject.inputs["primaryKeyArn"]).rpartition("/")[2]
    else:
        identifier = f"mrk-{digest}" if subject.inputs.get("multiRegion") is True else str(uuid.UUID(digest))
    return Created(identifier, {"arn": subject.arn("kms", f"key/{identifier}"), "keyId": identifier})


def _alias(subject: _Subject) -> Created:
    name = subject.name()
    return Created(name, {"name": name, "arn": subject.arn("kms", name), "targetKeyArn": subject.inputs["targetKeyId"]})


def _instance(subject: _Subject) -> Created:
    identifier = subject.name("identifier")
    address = f"{identifier}.{_digest(subject.account_id, 12)}.{subject.region}.rds.amazonaws.com"
    port = subject.inputs.get("port", 5432)
    # Since version 6 of the provider the id of an instance is its resource id, not its identifier.
    resource_id = f"db-{_digest(subject.registration.urn, 26).upper()}"
    return Created(
        resource_id,
        {
            "identifier": identifier,
            "address": address,
            "port": port,
            "endpoint": f"{address}:{port}",
            "arn": subject.arn("rds", f"db:{identifier}"),
            "resourceId": resource_id,
            "hostedZoneId": "Z32T0VRHXEXS0V",
            "status": "available",
            "engine": subject.inputs.get("engine", "postgres"),
            "replicas": [],
        },
    )


def _backup_replication(subject: _Subject) -> Created:
    return Created(subject.arn("rds", f"auto-backup:ab-{_digest(subject.registration.urn, 39)}"))


def _bucket(subject: _Subject) -> Created:
    name = subject.name("bucket")
    return Created(
        name,
        {
            "bucket": name,
            "arn": f"arn:aws:s3:::{name}",
            "bucketDomainName": f"{name}.s3.amazonaws.com",
            "bucketRegionalDomainName": f"{name}.s3.{subject.region}.amazonaws.com",
            "bucketRegion": subject.region,
        },
    )


def _of_bucket(subject: _Subject) -> Created:
    return Created(str(subject.inputs["bucket"]))


def _role_attachment(subject: _Subject) -> Created:
    return Created(f"{subject.inputs['role']}-{_digest(subject.registration.urn, 12)}")


def _role_policy(subject: _Subject) -> Created:
    name = subject.name()
    return Created(f"{subject.inputs['role']}:{name}", {"name": name})


def _role(subject: _Subject) -> Created:
    name = subject.name()
    arn = f"arn:aws:iam::{subject.account_id}:role/{name}"
    return Created(name, {"arn": arn, "name": name, "uniqueId": "AROA" + _digest(name, 17).upper()})


def _function(subject: _Subject) -> Created:
    name = subject.name()
    arn = subject.arn("lambda", f"function:{name}")
    invoke = f"arn:aws:apigateway:{subject.region}:lambda:path/2015-03-31/functions/{arn}/invocations"
    return Created(
        name, {"name": name, "arn": arn, "invokeArn": invoke, "qualifiedArn": f"{arn}:$LATEST", "version": "$LATEST"}
    )


def _zone(subject: _Subject) -> Created:
    identifier = "Z" + _digest(subject.registration.urn, 13).upper()
    return Created(
        identifier,
        {
            "zoneId": identifier,
            "arn": f"arn:aws:route53:::hostedzone/{identifier}",
            "nameServers": ["ns-1.awsdns-00.com", "ns-2.awsdns-00.net"],
        },
    )


def _health_check(subject: _Subject) -> Created:
    identifier = str(uuid.UUID(_digest(subject.registration.urn, 32)))
    return Created(identifier, {"arn": f"arn:aws:route53:::healthcheck/{identifier}"})


def _record(subject: _Subject) -> Created:
    name, zone = subject.inputs["name"], subject.inputs["zoneId"]
    return Created(f"{zone}_{name}_{subject.inputs['type']}", {"fqdn": name})


def _random_id(subject: _Subject) -> Created:
    length = int(subject.inputs["byteLength"])
    digits = _digest(subject.registration.urn, 2 * length)
    prefix = str(subject.inputs.get("prefix", ""))
    number = str(int(digits, 16))
    return Created(digits, {"hex": prefix + digits, "dec": prefix + number, "b64Url": digits, "b64Std": digits})


def _subnet(subject: _Subject, identifier: str) -> Mapping[str, Any]:
    zone = str(subject.inputs.get("availabilityZone", f"{subject.region}a"))
    return {"availabilityZone": zone, "availabilityZoneId": f"{zone}-id"}


def _rule(subject: _Subject, identifier: str) -> Mapping[str, Any]:
    return {"securityGroupRuleId": identifier}


def _endpoint(subject: _Subject, identifier: str) -> Mapping[str, Any]:
    return {"prefixListId": subject.token("pl"), "state": "available"}


def _peering(subject: _Subject, identifier: str) -> Mapping[str, Any]:
    # With auto_accept in one region and account the provider waits for it; across regions the other side accepts.
    return {"acceptStatus": "active" if subject.inputs.get("autoAccept") is True else "pending-acceptance"}


def _accepter(subject: _Subject) -> Created:
    return Created(str(subject.inputs["vpcPeeringConnectionId"]), {"acceptStatus": "active"})


_MAKERS: Mapping[str, Maker] = {
    "aws:ec2/vpc:Vpc": _numbered("vpc", "vpc", _vpc),
    "aws:ec2/subnet:Subnet": _numbered("subnet", "subnet", _subnet),
    "aws:ec2/routeTable:RouteTable": _numbered("rtb", "route-table"),
    "aws:ec2/routeTableAssociation:RouteTableAssociation": _numbered("rtbassoc", "route-table-association"),
    "aws:ec2/route:Route": _numbered("r-rtb", "route"),
    "aws:ec2/vpcPeeringConnection:VpcPeeringConnection": _numbered("pcx", "vpc-peering-connection", _peering),
    "aws:ec2/vpcPeeringConnectionAccepter:VpcPeeringConnectionAccepter": _accepter,
    "aws:ec2/securityGroup:SecurityGroup": _numbered("sg", "security-group"),
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": _numbered("sg", "security-group"),
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": _numbered("sgr", "security-group-rule", _rule),
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": _numbered("sgr", "security-group-rule", _rule),
    "aws:ec2/vpcEndpoint:VpcEndpoint": _numbered("vpce", "vpc-endpoint", _endpoint),
    "aws:ec2/flowLog:FlowLog": _numbered("fl", "vpc-flow-log"),
    "aws:kms/key:Key": _key,
    "aws:kms/replicaKey:ReplicaKey": _key,
    "aws:kms/alias:Alias": _alias,
    "aws:rds/parameterGroup:ParameterGroup": _named("rds", "pg:"),
    "aws:rds/subnetGroup:SubnetGroup": _named("rds", "subgrp:"),
    "aws:rds/instance:Instance": _instance,
    "aws:rds/instanceAutomatedBackupsReplication:InstanceAutomatedBackupsReplication": _backup_replication,
    "aws:s3/bucket:Bucket": _bucket,
    "aws:s3/bucketVersioning:BucketVersioning": _of_bucket,
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": _of_bucket,
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": _of_bucket,
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": _of_bucket,
    "aws:s3/bucketPolicy:BucketPolicy": _of_bucket,
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": _of_bucket,
    "aws:s3/bucketReplicationConfig:BucketReplicationConfig": _of_bucket,
    "aws:s3/bucketLogging:BucketLogging": _of_bucket,
    "aws:iam/role:Role": _role,
    "aws:iam/rolePolicy:RolePolicy": _role_policy,
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": _role_attachment,
    "aws:lambda/function:Function": _function,
    "aws:cloudwatch/logGroup:LogGroup": _named("logs", "log-group:"),
    "aws:cloudwatch/eventRule:EventRule": _named("events", "rule/"),
    "aws:cloudwatch/metricAlarm:MetricAlarm": _named("cloudwatch", "alarm:"),
    "aws:sns/topic:Topic": _topic,
    "aws:dynamodb/table:Table": _named("dynamodb", "table/"),
    "aws:route53/zone:Zone": _zone,
    "aws:route53/healthCheck:HealthCheck": _health_check,
    "aws:route53/record:Record": _record,
    "random:index/randomId:RandomId": _random_id,
}
