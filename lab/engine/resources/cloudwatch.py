"""CloudWatch: alarms and dashboards."""

from __future__ import annotations

from lab.engine.registration import Created, Values
from lab.engine.resource_table import Context, Made, ResourceType, Types
from lab.engine.resources.api_arguments import absence_is_fine, renamed, required
from lab.engine.tags import tag_list

ALARM_ARGUMENTS = {
    "name": "AlarmName",
    "alarmDescription": "AlarmDescription",
    "namespace": "Namespace",
    "metricName": "MetricName",
    "statistic": "Statistic",
    "period": "Period",
    "evaluationPeriods": "EvaluationPeriods",
    "datapointsToAlarm": "DatapointsToAlarm",
    "comparisonOperator": "ComparisonOperator",
    "threshold": "Threshold",
    "treatMissingData": "TreatMissingData",
    "alarmActions": "AlarmActions",
    "okActions": "OKActions",
    "insufficientDataActions": "InsufficientDataActions",
}


def _create_alarm(ctx: Context, inputs: Values) -> Created:
    cloudwatch = ctx.client("cloudwatch")
    name = required(inputs, "name")
    cloudwatch.put_metric_alarm(
        **renamed(inputs, ALARM_ARGUMENTS),
        Dimensions=[{"Name": key, "Value": value} for key, value in inputs.get("dimensions", {}).items()],
        Tags=tag_list(ctx.tags),
    )
    (alarm,) = cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]
    return Created(name, {"name": name, "arn": alarm["AlarmArn"]})


def _delete_alarm(ctx: Context, made: Made) -> None:
    with absence_is_fine("ResourceNotFound", "ResourceNotFoundException"):
        ctx.client("cloudwatch").delete_alarms(AlarmNames=[made.id])


def _create_dashboard(ctx: Context, inputs: Values) -> Created:
    name = required(inputs, "dashboardName")
    cloudwatch = ctx.client("cloudwatch")
    cloudwatch.put_dashboard(DashboardName=name, DashboardBody=required(inputs, "dashboardBody"))
    # A dashboard's ARN names no region, though the dashboard has one.
    return Created(
        name, {"dashboardName": name, "dashboardArn": f"arn:aws:cloudwatch::{ctx.account_id}:dashboard/{name}"}
    )


def _delete_dashboard(ctx: Context, made: Made) -> None:
    with absence_is_fine("ResourceNotFound", "DashboardNotFoundError"):
        ctx.client("cloudwatch").delete_dashboards(DashboardNames=[made.id])


TYPES: Types = {
    "aws:cloudwatch/metricAlarm:MetricAlarm": ResourceType(
        _create_alarm, _delete_alarm, frozenset({*ALARM_ARGUMENTS, "dimensions", "tags"})
    ),
    "aws:cloudwatch/dashboard:Dashboard": ResourceType(
        _create_dashboard, _delete_dashboard, frozenset({"dashboardName", "dashboardBody"})
    ),
}
