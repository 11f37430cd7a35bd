"""Route 53: private zones with the VPCs that know them, records and the health checks that choose between them."""

from __future__ import annotations

import uuid
from typing import Any

from botocore.exceptions import ClientError

from lab.engine.registration import Created, EngineError, Values
from lab.engine.resource_table import Context, Made, ResourceType, Types
from lab.engine.resources.api_arguments import absence_is_fine, renamed, required, wait_until
from lab.engine.tags import tag_list

CHANGE_PATIENCE_SECONDS = 60.0
# They come and go with the zone.
ZONES_OWN_RECORDS = ("SOA", "NS")
CALCULATED = "CALCULATED"


def _create_zone(ctx: Context, inputs: Values) -> Created:
    route53 = ctx.client("route53")
    name = required(inputs, "name")
    networks = [_vpc(vpc) for vpc in required(inputs, "vpcs")]
    if not networks:
        raise EngineError(f"vpcs of the zone {name} is empty: the lab has private zones only, name a VPC")
    answer = route53.create_hosted_zone(
        Name=name,
        # Once used, a reference is refused for ever; a zone that is made anew needs another.
        CallerReference=str(uuid.uuid4()),
        HostedZoneConfig={**renamed(inputs, {"comment": "Comment"}), "PrivateZone": True},
        VPC=networks[0],
    )
    zone_id = _bare(answer["HostedZone"]["Id"])
    _wait_for(route53, answer)
    for network in networks[1:]:
        _wait_for(route53, route53.associate_vpc_with_hosted_zone(HostedZoneId=zone_id, VPC=network))
    _tag(ctx, "hostedzone", zone_id)
    servers = _name_servers(route53, zone_id, answer["HostedZone"]["Name"])
    return Created(
        zone_id,
        {
            "zoneId": zone_id,
            "name": name,
            "arn": f"arn:aws:route53:::hostedzone/{zone_id}",
            "nameServers": sorted(servers),
            "primaryNameServer": servers[0] if servers else "",
        },
    )


def _name_servers(route53: Any, zone_id: str, name: str) -> list[str]:
    """A private zone has no delegation set; its servers stand in its NS record."""
    return [
        str(value["Value"]).rstrip(".")
        for record in _records(route53, zone_id)
        if record["Type"] == "NS" and record["Name"] == name
        for value in record["ResourceRecords"]
    ]


def _delete_zone(ctx: Context, made: Made) -> None:
    route53 = ctx.client("route53")
    with absence_is_fine("NoSuchHostedZone"):
        if made.inputs.get("forceDestroy") is True:
            for record in _records(route53, made.id):
                if record["Type"] not in ZONES_OWN_RECORDS:
                    _change(route53, made.id, "DELETE", record)
        route53.delete_hosted_zone(Id=made.id)


def _vpc(inputs: Values) -> dict[str, Any]:
    return renamed(inputs, {"vpcId": "VPCId", "vpcRegion": "VPCRegion"})


def _associate_vpc(ctx: Context, inputs: Values) -> Created:
    route53, zone_id, vpc = ctx.client("route53"), required(inputs, "zoneId"), _vpc(inputs)
    _wait_for(route53, route53.associate_vpc_with_hosted_zone(HostedZoneId=zone_id, VPC=vpc))
    return Created(":".join((zone_id, *vpc.values())), {"owningAccount": ctx.account_id})


def _disassociate_vpc(ctx: Context, made: Made) -> None:
    route53 = ctx.client("route53")
    with absence_is_fine("NoSuchHostedZone", "VPCAssociationNotFound"):
        asked = {"HostedZoneId": made.inputs["zoneId"], "VPC": _vpc(made.inputs)}
        _wait_for(route53, route53.disassociate_vpc_from_hosted_zone(**asked))


def _authorize_vpc(ctx: Context, inputs: Values) -> Created:
    zone_id, vpc = required(inputs, "zoneId"), _vpc(inputs)
    ctx.client("route53").create_vpc_association_authorization(HostedZoneId=zone_id, VPC=vpc)
    return Created(":".join((zone_id, *vpc.values())))


def _withdraw_authorization(ctx: Context, made: Made) -> None:
    with absence_is_fine("NoSuchHostedZone", "VPCAssociationAuthorizationNotFound"):
        asked = {"HostedZoneId": made.inputs["zoneId"], "VPC": _vpc(made.inputs)}
        ctx.client("route53").delete_vpc_association_authorization(**asked)


def _records(route53: Any, zone_id: str) -> list[dict[str, Any]]:
    pages = route53.get_paginator("list_resource_record_sets").paginate(HostedZoneId=zone_id)
    return [record for page in pages for record in page["ResourceRecordSets"]]


def _create_health_check(ctx: Context, inputs: Values) -> Created:
    check = ctx.client("route53").create_health_check(
        CallerReference=str(uuid.uuid4()),
        HealthCheckConfig={"Type": required(inputs, "type"), **_watched(inputs)},
    )["HealthCheck"]
    _tag(ctx, "healthcheck", check["Id"])
    return Created(check["Id"], {"arn": f"arn:aws:route53:::healthcheck/{check['Id']}"})


def _watched(inputs: Values) -> dict[str, Any]:
    """What a check looks at; `triggers` never reaches AWS: a change in it makes the provider write the check again."""
    if inputs["type"] == CALCULATED:
        # A set to the provider: a child that is named twice would count once.
        return {
            "ChildHealthChecks": sorted(set(required(inputs, "childHealthchecks"))),
            "HealthThreshold": required(inputs, "childHealthThreshold"),
        }
    return {
        "AlarmIdentifier": {
            "Name": required(inputs, "cloudwatchAlarmName"),
            "Region": required(inputs, "cloudwatchAlarmRegion"),
        },
        **renamed(inputs, {"insufficientDataHealthStatus": "InsufficientDataHealthStatus"}),
    }


def _delete_health_check(ctx: Context, made: Made) -> None:
    with absence_is_fine("NoSuchHealthCheck"):
        ctx.client("route53").delete_health_check(HealthCheckId=made.id)


def _create_record(ctx: Context, inputs: Values) -> Created:
    record = _record_set(inputs)
    zone_id = required(inputs, "zoneId")
    # CREATE, not UPSERT, as the provider: a record that is there already belongs to somebody else.
    _change(ctx.client("route53"), zone_id, "CREATE", record)
    parts = [zone_id, record["Name"], record["Type"], *renamed(inputs, {"setIdentifier": "id"}).values()]
    return Created("_".join(parts), {"fqdn": record["Name"]})


def _delete_record(ctx: Context, made: Made) -> None:
    try:
        with absence_is_fine("NoSuchHostedZone"):
            _change(ctx.client("route53"), made.inputs["zoneId"], "DELETE", _record_set(made.inputs))
    except ClientError as error:
        if "not found" not in error.response["Error"]["Message"]:
            raise


def _record_set(inputs: Values) -> dict[str, Any]:
    record: dict[str, Any] = {
        "Name": required(inputs, "name"),
        "Type": required(inputs, "type"),
        "ResourceRecords": [{"Value": value} for value in required(inputs, "records")],
        **renamed(inputs, {"ttl": "TTL", "setIdentifier": "SetIdentifier", "healthCheckId": "HealthCheckId"}),
    }
    for policy in inputs.get("failoverRoutingPolicies", []):
        record["Failover"] = policy["type"]
    return record


def _change(route53: Any, zone_id: str, action: str, record: dict[str, Any]) -> None:
    batch = {"Changes": [{"Action": action, "ResourceRecordSet": record}]}
    _wait_for(route53, route53.change_resource_record_sets(HostedZoneId=zone_id, ChangeBatch=batch))


def _wait_for(route53: Any, answer: dict[str, Any]) -> None:
    change_id = _bare(answer["ChangeInfo"]["Id"])
    if answer["ChangeInfo"]["Status"] != "INSYNC":
        wait_until(
            f"change {change_id} in sync",
            lambda: route53.get_change(Id=change_id)["ChangeInfo"]["Status"] == "INSYNC",
            timeout_seconds=CHANGE_PATIENCE_SECONDS,
        )


def _tag(ctx: Context, kind: str, identifier: str) -> None:
    if ctx.tags:
        ctx.client("route53").change_tags_for_resource(
            ResourceType=kind, ResourceId=identifier, AddTags=tag_list(ctx.tags)
        )


def _bare(identifier: str) -> str:
    return identifier.rpartition("/")[2]


_ZONE_AND_VPC = frozenset({"vpcId", "vpcRegion", "zoneId"})

TYPES: Types = {
    "aws:route53/zone:Zone": ResourceType(
        _create_zone, _delete_zone, frozenset({"name", "comment", "vpcs", "forceDestroy", "tags"})
    ),
    "aws:route53/zoneAssociation:ZoneAssociation": ResourceType(_associate_vpc, _disassociate_vpc, _ZONE_AND_VPC),
    "aws:route53/vpcAssociationAuthorization:VpcAssociationAuthorization": ResourceType(
        _authorize_vpc, _withdraw_authorization, _ZONE_AND_VPC
    ),
    "aws:route53/healthCheck:HealthCheck": ResourceType(
        _create_health_check,
        _delete_health_check,
        frozenset(
            {
                "type",
                "cloudwatchAlarmName",
                "cloudwatchAlarmRegion",
                "insufficientDataHealthStatus",
                "childHealthchecks",
                "childHealthThreshold",
                "triggers",
                "tags",
            }
        ),
    ),
    "aws:route53/record:Record": ResourceType(
        _create_record,
        _delete_record,
        frozenset(
            {
                "zoneId",
                "name",
                "type",
                "ttl",
                "records",
                "setIdentifier",
                "failoverRoutingPolicies",
                "healthCheckId",
            }
        ),
    ),
}
