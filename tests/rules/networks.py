"""Rules for EC2 networks."""

from __future__ import annotations

from ipaddress import ip_network

from lab.engine.recording import RecordedResource
from shared.providers import WITNESS_ROLE
from tests.rules.graph import Resources, looked_at, maybe, some, text, violations

WAYS_OUT = (
    "InternetGateway",
    "InternetGatewayAttachment",
    "EgressOnlyInternetGateway",
    "NatGateway",
    "Eip",
    "EipAssociation",
)
GLOBAL_SERVICES = ("iam", "route53")
SINGLE_RULES = ("SecurityGroupIngressRule", "SecurityGroupEgressRule")


def nothing_leads_to_the_internet(resources: Resources) -> list[str]:
    """No gateway, no public address, no subnet that hands one out.

    https://docs.aws.amazon.com/vpc/latest/userguide/configure-subnets.html#subnet-types
    """
    public = violations(
        some(resources, "Subnet"),
        lambda one: one.inputs.get("mapPublicIpOnLaunch") is True,
        "hands out public addresses",
    )
    return [f"{text(one)}: leads to the internet" for one in maybe(resources, *WAYS_OUT)] + public


def no_rule_names_everyone(resources: Resources) -> list[str]:
    """No security group rule from or to everywhere.

    https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html
    """

    def wrong(one: RecordedResource) -> bool:
        ranges = [one.inputs[key] for key in ("cidrIpv4", "cidrIpv6") if key in one.inputs]
        return any(ip_network(each).prefixlen == 0 for each in ranges)

    return violations(some(resources, *SINGLE_RULES), wrong, "names every address")


def security_group_rules_are_resources_of_their_own(resources: Resources) -> list[str]:
    """Inline rules and the older rule resource overwrite single ones.

    https://www.pulumi.com/registry/packages/aws/api-docs/ec2/securitygroup/
    """
    inline = violations(
        some(resources, "SecurityGroup"),
        lambda one: bool({"ingress", "egress"} & one.inputs.keys()),
        "has inline rules",
    )
    return inline + [f"{text(one)}: is the older kind of rule" for one in maybe(resources, "SecurityGroupRule")]


def the_quarantine_group_has_no_rules(resources: Resources) -> list[str]:
    """Fencing swaps it in: nothing may pass.

    https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Overview.RDSSecurityGroups.html
    """
    groups = [one for one in some(resources, "SecurityGroup") if one.name.startswith("quarantine-")]
    ruled = {(one.region, one.inputs["securityGroupId"]) for one in some(resources, *SINGLE_RULES)}
    inline = ("ingress", "egress")
    return violations(
        looked_at(groups, "quarantine group"),
        lambda one: (one.region, one.id) in ruled or any(one.inputs.get(key) for key in inline),
        "has a rule",
    )


def default_security_groups_are_closed(resources: Resources) -> list[str]:
    """Each VPC's default group is adopted and without rules.

    https://docs.aws.amazon.com/vpc/latest/userguide/default-security-group.html
    """
    groups = some(resources, "DefaultSecurityGroup")
    adopted = {one.inputs["vpcId"] for one in groups}
    open_groups = violations(
        groups, lambda one: one.inputs.get("ingress") != [] or one.inputs.get("egress") != [], "is not closed"
    )
    return open_groups + violations(
        some(resources, "Vpc"), lambda one: one.id not in adopted, "default group left open"
    )


def every_resource_is_in_the_region_of_its_site(resources: Resources) -> list[str]:
    """A site's resource lies in its region and carries its `DR-Role`; IAM and Route 53 have no region.

    The witness is of no site: it looks at both from a region of its own, or it shares the fate of one.

    https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/global-services.html
    """
    regions = {one.name.split("-")[1]: one.region for one in some(resources, "Vpc")}
    lines: list[str] = []
    for one in resources:
        words = one.type.split(":")
        if words[0] != "aws" or words[1].partition("/")[0] in GLOBAL_SERVICES:
            continue
        role = one.tags["DR-Role"]
        if role == WITNESS_ROLE:
            if one.region in regions.values():
                lines.append(f"{text(one)}: of the witness, and in a site's region, {one.region}")
        elif one.region != regions.get(role):
            lines.append(f"{text(one)}: of the {role} site, and in {one.region}")
        where = [word for word in one.name.split("-") if word in regions]
        if where and where[-1] != role:
            lines.append(f"{text(one)}: named for the {where[-1]} site, and tagged {role}")
    return lines
