"""Rules for alarms, functions and what roles may do."""

from __future__ import annotations

from lab.engine.recording import RecordedResource
from tests.rules.graph import Resources, actions_of, arn, listed, looked_at, maybe, some, statements, text, violations

FUNCTION_TIMEOUT_SECONDS = 300
# Policies that AWS keeps for a service's role, such as RDS enhanced monitoring.
SERVICE_ROLES = "arn:aws:iam::aws:policy/service-role/"
# Actions without resource-level permissions, by the service authorization reference:
# https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html and list_amazoncloudwatch.html
WITHOUT_RESOURCES = frozenset(
    {
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSecurityGroups",
        "ec2:DescribeSubnets",
        "ec2:DescribeVpcs",
        "rds:DescribeEvents",
        "rds:DescribeExportTasks",
        "rds:StartExportTask",
        "cloudwatch:GetMetricData",
        "cloudwatch:PutMetricData",
    }
)


def alarms_act_on_topics_of_their_region(resources: Resources) -> list[str]:
    """CloudWatch publishes to topics of its own region only.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html
    """
    topics = {arn(one): one.region for one in some(resources, "Topic")}
    alarms = [one for one in some(resources, "MetricAlarm") if actions_of(one)]
    return violations(
        looked_at(alarms, "alarm with an action"),
        lambda one: any(topics.get(action) != one.region for action in actions_of(one)),
        "acts on something that is no topic of its region",
    )


def silence_triggers_a_failover(resources: Resources) -> list[str]:
    """An alarm that wakes a function treats missing data as breaching: a dead region sends nothing.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
    """
    waking = {one.inputs["topic"] for one in some(resources, "TopicSubscription") if one.inputs["protocol"] == "lambda"}
    alarms = [one for one in some(resources, "MetricAlarm") if waking & set(one.inputs.get("alarmActions", []))]
    return violations(
        looked_at(alarms, "alarm that wakes a function"),
        lambda one: one.inputs.get("treatMissingData") != "breaching",
        "missing data is not breaching",
    )


def functions_end_in_time_and_have_a_log_group(resources: Resources) -> list[str]:
    """A timeout of five minutes at most, and a log group with retention made beforehand.

    https://docs.aws.amazon.com/lambda/latest/dg/configuration-timeout.html and
    https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html
    """
    groups = {
        (one.region, one.inputs["name"]) for one in some(resources, "LogGroup") if one.inputs.get("retentionInDays")
    }
    functions = some(resources, "Function")
    slow = violations(
        functions, lambda one: one.inputs.get("timeout", 3) > FUNCTION_TIMEOUT_SECONDS, "timeout over five minutes"
    )
    return slow + violations(
        functions,
        lambda one: (one.region, f"/aws/lambda/{one.inputs['name']}") not in groups,
        "no log group with retention is made for it",
    )


# The probes ask databases in private networks; all others ask AWS's APIs, which no private network reaches.
_IN_THE_NETWORKS = "health_probe."


def only_the_probes_are_in_the_networks(resources: Resources) -> list[str]:
    """In a private VPC no AWS API is reached; outside, no private database is.

    https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html
    """
    return violations(
        some(resources, "Function"),
        lambda one: ("vpcConfig" in one.inputs) != str(one.inputs["handler"]).startswith(_IN_THE_NETWORKS),
        "is on the wrong side of the VPC",
    )


def only_lambda_takes_the_roles_of_functions(resources: Resources) -> list[str]:
    """The trust policy names Lambda only.

    https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html
    """
    used = {one.inputs["role"] for one in some(resources, "Function")}
    roles = [one for one in some(resources, "Role") if arn(one) in used]

    def wrong(one: RecordedResource) -> bool:
        trusted = [
            each["Principal"] for each in statements(one.inputs["assumeRolePolicy"]) if each["Effect"] == "Allow"
        ]
        return trusted != [{"Service": "lambda.amazonaws.com"}]

    return violations(looked_at(roles, "role of a function"), wrong, "trusts another than Lambda")


def _managed(resources: Resources) -> list[tuple[RecordedResource, str]]:
    """Who brings which of AWS's own managed policies."""
    attached = [(one, one.inputs["policyArn"]) for one in maybe(resources, "RolePolicyAttachment")]
    inside = [(one, each) for one in maybe(resources, "Role") for each in one.inputs.get("managedPolicyArns", [])]
    return [(one, each) for one, each in attached + inside if each.startswith("arn:aws:iam::aws:")]


def policies_grant_no_wildcards(resources: Resources) -> list[str]:
    """No action `*` or `service:*`, resource `*` only where the action knows no other, AWS's policies of services only.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html#grant-least-privilege
    """
    lines = [f"{text(one)}: brings {each}" for one, each in _managed(resources) if not each.startswith(SERVICE_ROLES)]
    for one in some(resources, "RolePolicy") + maybe(resources, "Policy"):
        for statement in statements(one.inputs["policy"]):
            if statement["Effect"] != "Allow":
                continue
            if "NotAction" in statement or "NotResource" in statement:
                lines.append(f"{text(one)}: allows by exception")
                continue
            actions = listed(statement["Action"])
            lines += [f"{text(one)}: allows {each}" for each in actions if each == "*" or each.endswith(":*")]
            if "*" in listed(statement["Resource"]):
                lines += [f"{text(one)}: allows {each} on *" for each in actions if each not in WITHOUT_RESOURCES]
    return lines
