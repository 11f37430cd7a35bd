"""Route 53: a health check keeps its identity while what it looks at changes; a record is written over."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lab.engine.registration import Values
from lab.engine.resource_table import EVERY_INPUT, Changes, Context
from lab.engine.resources import route53 as made
from lab.engine.resources.api_arguments import renamed
from lab.engine.resources.changes.parts import described, of_those_given, there

_CHECKED = {
    "childHealthchecks": "ChildHealthChecks",
    "childHealthThreshold": "HealthThreshold",
    "insufficientDataHealthStatus": "InsufficientDataHealthStatus",
    "invertHealthcheck": "Inverted",
}
_ALARM = {"cloudwatchAlarmName": "Name", "cloudwatchAlarmRegion": "Region"}


def _update_health_check(ctx: Context, identifier: str, _: Values, new: Values) -> Values:
    alarm = renamed(new, _ALARM)
    ctx.client("route53").update_health_check(
        HealthCheckId=identifier, **renamed(new, _CHECKED), **({"AlarmIdentifier": alarm} if alarm else {})
    )
    return {}


def _update_record(ctx: Context, _: str, __: Values, new: Values) -> Values:
    made._change(ctx.client("route53"), new["zoneId"], "UPSERT", made._record_set(new))
    return {}


def _read_record(ctx: Context, _: str, inputs: Values) -> Values | None:
    wanted = (str(inputs["name"]).rstrip("."), inputs["type"], inputs.get("setIdentifier"))
    for record in made._records(ctx.client("route53"), inputs["zoneId"]):
        if wanted == (record["Name"].rstrip("."), record["Type"], record.get("SetIdentifier")):
            values = [value["Value"] for value in record["ResourceRecords"]]
            return of_those_given({"records": values, "ttl": record["TTL"]}, inputs)
    return None


def _vpcs(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"vpcId": vpc["VPCId"], "vpcRegion": vpc["VPCRegion"]} for vpc in found]


def _read_zone(ctx: Context, identifier: str, inputs: Values) -> Values:
    now = _vpcs(ctx.client("route53").get_hosted_zone(Id=identifier)["VPCs"])
    # A set to the provider: their order is no change.
    given = [vpc for vpc in inputs["vpcs"] if vpc in now]
    return {"vpcs": given + [vpc for vpc in now if vpc not in given]}


def _read_association(ctx: Context, _: str, inputs: Values) -> Values | None:
    known = _vpcs(ctx.client("route53").get_hosted_zone(Id=inputs["zoneId"])["VPCs"])
    return _of_vpc(known, inputs)


def _read_authorization(ctx: Context, _: str, inputs: Values) -> Values | None:
    listed = ctx.client("route53").list_vpc_association_authorizations(HostedZoneId=inputs["zoneId"])
    return _of_vpc(_vpcs(listed["VPCs"]), inputs)


def _of_vpc(known: list[dict[str, Any]], inputs: Values) -> Values | None:
    return {} if {"vpcId": inputs["vpcId"], "vpcRegion": inputs["vpcRegion"]} in known else None


def _tag(kind: str) -> Any:
    def tag(ctx: Context, identifier: str, _: Values) -> None:
        made._tag(ctx, kind, identifier)

    return tag


CHANGES: Mapping[str, Changes] = {
    "aws:route53/zone:Zone": Changes(
        state_only=frozenset({"forceDestroy"}),
        replaces=frozenset({"name"}),
        tag=_tag("hostedzone"),
        read=there(_read_zone),
    ),
    "aws:route53/zoneAssociation:ZoneAssociation": Changes(replaces=EVERY_INPUT, read=there(_read_association)),
    "aws:route53/vpcAssociationAuthorization:VpcAssociationAuthorization": Changes(
        replaces=EVERY_INPUT, read=there(_read_authorization)
    ),
    "aws:route53/healthCheck:HealthCheck": Changes(
        update=_update_health_check,
        # `triggers` never reaches AWS, but a change of it makes the provider write the check again.
        updates=frozenset({*_CHECKED, *_ALARM, "triggers"}),
        replaces=frozenset({"type"}),
        tag=_tag("healthcheck"),
        read=described("route53", "get_health_check", "HealthCheckId"),
    ),
    "aws:route53/record:Record": Changes(
        update=_update_record,
        updates=frozenset({"failoverRoutingPolicies", "healthCheckId", "records", "ttl", "type"}),
        replaces=frozenset({"name", "setIdentifier", "zoneId"}),
        read=there(_read_record),
    ),
}
