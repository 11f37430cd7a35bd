"""Route 53's authorizations for VPCs of other accounts, which MiniStack does not know."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from xml.etree.ElementTree import Element, SubElement

from ministack.services import route53  # type: ignore[import-untyped]

_ZONE = rf"^/{re.escape(route53.API_VERSION)}/hostedzone/(?P<zone>[^/]+)"
_AUTHORIZE = re.compile(rf"{_ZONE}/(?P<what>deauthorize|authorize)vpcassociation$")
_AUTHORIZED = "authorized_vpcs"


def install() -> None:
    """Remember them with their zone. The lab has one account, so nobody uses them.

    https://docs.aws.amazon.com/Route53/latest/APIReference/API_CreateVPCAssociationAuthorization.html
    """
    handle = route53.handle_request

    async def handle_request(
        method: str, path: str, headers: Mapping[str, str], body: bytes, query: Mapping[str, Any]
    ) -> Any:
        asked = _AUTHORIZE.match(path)
        zone = None if asked is None else route53._zones.get(asked["zone"])
        if asked is None or zone is None:
            return await handle(method, path, headers, body, query)
        if method == "GET":
            return _listed(zone)
        vpc, _, error = route53._parse_vpc_request(body)
        return error or (_authorized(zone, vpc) if asked["what"] == "authorize" else _deauthorized(zone, vpc))

    route53.handle_request = handle_request


def _authorized(zone: dict[str, Any], vpc: Mapping[str, str]) -> Any:
    # A second time it is the same one, and no error.
    zone.setdefault(_AUTHORIZED, {})[route53._vpc_key(vpc)] = vpc

    def build(root: Element) -> None:
        SubElement(root, "HostedZoneId").text = zone["id"]
        route53._build_vpc_el(root, vpc)

    return route53._xml_response("CreateVPCAssociationAuthorizationResponse", build)


def _deauthorized(zone: dict[str, Any], vpc: Mapping[str, str]) -> Any:
    if zone.get(_AUTHORIZED, {}).pop(route53._vpc_key(vpc), None) is None:
        return route53._error_response(
            "VPCAssociationAuthorizationNotFound", f"{vpc['VPCId']} is not authorized for {zone['name']}", 404
        )
    return route53._xml_response("DeleteVPCAssociationAuthorizationResponse", lambda _: None)


def _listed(zone: dict[str, Any]) -> Any:
    def build(root: Element) -> None:
        SubElement(root, "HostedZoneId").text = zone["id"]
        listed = SubElement(root, "VPCs")
        for vpc in zone.get(_AUTHORIZED, {}).values():
            route53._build_vpc_el(listed, vpc)

    return route53._xml_response("ListVPCAssociationAuthorizationsResponse", build)
