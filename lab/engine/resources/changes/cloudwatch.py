"""CloudWatch: alarms and dashboards are written as a whole."""

from __future__ import annotations

from collections.abc import Mapping

from lab.engine.registration import Values
from lab.engine.resource_table import Changes, Context
from lab.engine.resources import cloudwatch as made
from lab.engine.resources.changes.parts import of_those_given, put_again
from lab.engine.tags import tag_list


def _tag_alarm(ctx: Context, name: str, _: Values) -> None:
    arn = f"arn:aws:cloudwatch:{ctx.region}:{ctx.account_id}:alarm:{name}"
    ctx.client("cloudwatch").tag_resource(ResourceARN=arn, Tags=tag_list(ctx.tags))


def _read_alarm(ctx: Context, name: str, inputs: Values) -> Values | None:
    found = ctx.client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"]
    if not found:
        return None
    alarm = found[0]
    now = {ours: alarm[theirs] for ours, theirs in made.ALARM_ARGUMENTS.items() if theirs in alarm}
    dimensions = {each["Name"]: each["Value"] for each in alarm["Dimensions"]}
    return of_those_given({**now, "dimensions": dimensions}, inputs)


def _read_dashboard(ctx: Context, name: str, _: Values) -> Values | None:
    listed = ctx.client("cloudwatch").list_dashboards(DashboardNamePrefix=name)["DashboardEntries"]
    return {} if any(entry["DashboardName"] == name for entry in listed) else None


CHANGES: Mapping[str, Changes] = {
    "aws:cloudwatch/metricAlarm:MetricAlarm": Changes(
        update=put_again(made._create_alarm),
        updates=made.TYPES["aws:cloudwatch/metricAlarm:MetricAlarm"].inputs - {"name", "tags"},
        replaces=frozenset({"name"}),
        tag=_tag_alarm,
        read=_read_alarm,
    ),
    "aws:cloudwatch/dashboard:Dashboard": Changes(
        update=put_again(made._create_dashboard),
        updates=frozenset({"dashboardBody"}),
        replaces=frozenset({"dashboardName"}),
        name="dashboardName",
        read=_read_dashboard,
    ),
}
