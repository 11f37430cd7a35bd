"""The latch: each controller's word on which site is the writer, which Route 53 reads through alarms.

The name leads to the primary site where two of three hold: recovery's word is below 1, it is below 2, primary's word is
below 1. So recovery's word alone decides while its controller has the say (0 or 2), and primary's does where recovery's
says so (1). Each stays what it was while its region is silent.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from failover.settings import Settings
from function_runtime.metric_names import STANDARD_RESOLUTION_SECONDS, WRITER_WORD
from function_runtime.sites import Site
from function_runtime.state import Controller

ALARM, OK = "ALARM", "OK"


def word(site: Site, controller: Controller) -> int:
    """What a site's controller says, by its own record.

    Args:
        site: whose controller.
        controller: the record in that site's table.

    Returns:
        Primary's: 0 where primary is the writer or about to be, 1 where recovery is. Recovery's: the same as 0 and 2
        where its controller has the say, 1 where primary's has.
    """
    if site is Site.RECOVERY and controller.authority is not site:
        return 1
    if controller.named_site is Site.PRIMARY:
        return 0
    return 1 if site is Site.PRIMARY else 2


def publish(cloudwatch: Any, settings: Settings, controller: Controller, at: datetime) -> None:
    """Publish this site's word.

    Args:
        cloudwatch: the client of this function's region.
        settings: the namespace, and the site.
        controller: the record.
        at: now.
    """
    cloudwatch.put_metric_data(
        Namespace=settings.metric_namespace,
        MetricData=[
            {
                "MetricName": WRITER_WORD,
                "Dimensions": [{"Name": "Site", "Value": settings.here.value}],
                "Timestamp": at,
                "Value": float(word(settings.here, controller)),
                "Unit": "None",
                "StorageResolution": STANDARD_RESOLUTION_SECONDS,
            }
        ],
    )


def alarm_states(cloudwatch: Any, names: Sequence[str]) -> tuple[str, ...]:
    """The states of a site's word alarms, in the order of their thresholds; of one that is not there, an empty text.

    Raises:
        ClientError, BotoCoreError: CloudWatch refuses or is silent.
    """
    answer = cloudwatch.describe_alarms(AlarmNames=list(names), AlarmTypes=["MetricAlarm"])
    states = {alarm["AlarmName"]: alarm["StateValue"] for alarm in answer["MetricAlarms"]}
    return tuple(states.get(name, "") for name in names)


def shows(states: Sequence[str], said: int) -> bool:
    """Whether the alarms have evaluated a word: that of threshold 1, 2, ... is in alarm from its threshold on.

    Args:
        states: in the order of their thresholds.
        said: the word.
    """
    return bool(states) and [*states] == [ALARM if said >= threshold else OK for threshold in range(1, len(states) + 1)]
