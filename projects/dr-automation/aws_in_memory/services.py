"""The services of one region, by their API's operations. `aws_in_memory.aws` calls them."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Any

from aws_in_memory.clock import seconds_of
from aws_in_memory.happenings import Happenings
from aws_in_memory.instance import DatabaseInstance, Outage, covering
from aws_in_memory.metric import Metric
from aws_in_memory.refusals import refusal
from aws_in_memory.snapshots import Snapshots
from function_runtime.probe_answer import ProbeAnswer, database_of
from function_runtime.sites import Site

Item = dict[str, Any]
MetricKey = tuple[str, frozenset[tuple[str, str]]]
STATISTICS = {"Maximum": "maximum", "Minimum": "minimum", "SampleCount": "samples"}
LONGEST_SUBJECT = 100
SO_MANY_WORDS = 20
"""Among so many of the last words is the one that is evaluated, but while the alarms stand still."""


class Rds(Snapshots):
    """Its instances, and what is kept of them.

    Attributes:
        source_of: the instance of an ARN, wherever it is; None where there is none.
    """

    def __init__(self, aws: Happenings, region: str, *instances: DatabaseInstance) -> None:
        super().__init__(aws, region)
        self._aws = aws
        self._instances = {each.identifier: each for each in instances}
        self.source_of: Callable[[str], DatabaseInstance | None] = lambda arn: None

    def describe_db_instances(self, DBInstanceIdentifier: str) -> Any:  # noqa: N803
        instance = self._instance(DBInstanceIdentifier)
        restorable = {"LatestRestorableTime": self._aws.now} if instance.is_backed_up(self._aws.now) else {}
        return {"DBInstances": [{**instance.describe(), "BackupRetentionPeriod": 7, **restorable}]}

    def create_db_instance(self, **asked: Any) -> Any:
        return self._made(None, asked)

    def create_db_instance_read_replica(self, **asked: Any) -> Any:
        source = self.source_of(asked["SourceDBInstanceIdentifier"])
        if source is None:
            raise refusal("DBInstanceNotFound", 404)
        source.settle(self._aws.now)
        if source.status != "available":
            raise refusal("InvalidDBInstanceState")
        return self._made(asked["SourceDBInstanceIdentifier"], asked)

    def delete_db_instance(self, **asked: Any) -> Any:
        instance, final = self._instance(asked["DBInstanceIdentifier"]), asked.get("FinalDBSnapshotIdentifier")
        if instance.refuses_deletion:
            raise refusal("InvalidParameterCombination")
        if final is not None:
            if instance.source is not None:
                raise refusal("InvalidDBInstanceState")
            self.take(instance.identifier, "manual", final)
        instance.is_deleted(self._aws.now)
        return self._happened("deleted", instance)

    def create_db_snapshot(self, DBSnapshotIdentifier: str, DBInstanceIdentifier: str) -> Any:  # noqa: N803
        instance = self._instance(DBInstanceIdentifier)
        if DBSnapshotIdentifier in self.snapshots:
            raise refusal("DBSnapshotAlreadyExists")
        if instance.status != "available":
            raise refusal("InvalidDBInstanceState")
        taken = self.take(DBInstanceIdentifier, "manual", DBSnapshotIdentifier)
        taken |= {"Status": "creating", "DbiResourceId": instance.describe()["DbiResourceId"]}
        return {"DBSnapshot": taken}

    def _made(self, source: str | None, asked: Mapping[str, Any]) -> Any:
        instance = self._instances[asked["DBInstanceIdentifier"]]
        if instance.exists:
            raise refusal("DBInstanceAlreadyExists")
        instance.is_made(source, self._aws.now)
        instance.refuses_deletion = asked["DeletionProtection"]
        return self._happened("made", instance)

    def modify_db_instance(self, **asked: Any) -> Any:
        instance = self._instance(asked["DBInstanceIdentifier"])
        if "DeletionProtection" in asked:
            instance.refuses_deletion = asked["DeletionProtection"]
            return self._happened("protected" if instance.refuses_deletion else "released", instance)
        (group,) = asked["VpcSecurityGroupIds"]
        if asked.get("ApplyImmediately"):
            raise refusal("NotModelled: ApplyImmediately would apply every other pending change too")
        instance.change_groups(group, self._aws.now)
        return self._happened("quarantined" if group == instance.quarantine_group else "let in", instance)

    def reboot_db_instance(self, DBInstanceIdentifier: str) -> Any:  # noqa: N803
        instance = self._instance(DBInstanceIdentifier)
        instance.reboot(self._aws.now)
        return self._happened("rebooted", instance)

    def describe_events(self, **asked: Any) -> Any:
        instance = self._instance(asked["SourceIdentifier"])
        return {
            "Events": [
                {"Date": at, "Message": "DB instance restarted", "EventCategories": asked["EventCategories"]}
                for at in instance.restarted
                if at >= asked["StartTime"]
            ]
        }

    def promote_read_replica(self, DBInstanceIdentifier: str, BackupRetentionPeriod: int) -> Any:  # noqa: N803
        instance = self._instance(DBInstanceIdentifier)
        instance.promote(BackupRetentionPeriod, self._aws.now)
        return self._happened("promoted", instance)

    def _instance(self, identifier: str) -> DatabaseInstance:
        if identifier not in self._instances or not self._instances[identifier].exists:
            raise refusal("DBInstanceNotFound", 404)
        instance = self._instances[identifier]
        instance.settle(self._aws.now)
        return instance

    def _happened(self, what: str, instance: DatabaseInstance) -> Any:
        self._aws.events.append(what)
        return {"DBInstance": instance.describe()}


class CloudWatch:
    """Its metrics, and the alarms of its site's word.

    Attributes:
        metrics: what can be read, by name and dimensions.
        published: what was put, in the order of the calls; it is kept apart from what can be read.
        word_alarms: the thresholds of the alarms that watch it, by their names.
        evaluation_takes: from a value's time until an alarm has evaluated it.
        standing_still: when no alarm evaluates anything; what is published then is evaluated afterwards.
    """

    def __init__(self, aws: Happenings) -> None:
        self._aws = aws
        self.metrics: dict[MetricKey, Metric] = {}
        self.published: list[tuple[datetime, float]] = []
        self.word_alarms: dict[str, int] = {}
        self.evaluation_takes = timedelta(seconds=1)
        self.standing_still: list[Outage] = []

    def evaluated(self, at: datetime) -> float | None:
        """The word that the alarms have evaluated at a moment; None where there is none."""
        stands_still = covering(self.standing_still, at)
        until = (at if stands_still is None else stands_still.begins) - self.evaluation_takes
        # Runs publish in the order of time, but for one that was held up.
        words = [put for put in self.published[-SO_MANY_WORDS:] if put[0] <= until]
        if not words and len(self.published) > SO_MANY_WORDS:
            words = [put for put in self.published if put[0] <= until]
        return max(words, key=itemgetter(0))[1] if words else None

    def describe_alarms(self, AlarmNames: list[str], AlarmTypes: list[str]) -> Any:  # noqa: N803
        if AlarmTypes != ["MetricAlarm"]:
            raise refusal("NotModelled: composite alarms")
        word = self.evaluated(self._aws.now)
        alarms = [
            {"AlarmName": name, "StateValue": _state(word, self.word_alarms[name])}
            for name in AlarmNames
            if name in self.word_alarms
        ]
        return {"MetricAlarms": alarms}

    def add(self, name: str, dimensions: Mapping[str, str], metric: Metric) -> None:
        """One more metric to be read."""
        self.metrics[name, frozenset(dimensions.items())] = metric

    def get_metric_data(self, **question: Any) -> Any:
        return {"MetricDataResults": [self._result(query, question) for query in question["MetricDataQueries"]]}

    def _result(self, query: Any, question: Any) -> Any:
        asked, name = query["MetricStat"], query["MetricStat"]["Metric"]["MetricName"]
        dimensions = frozenset((each["Name"], each["Value"]) for each in asked["Metric"]["Dimensions"])
        metric, points = self.metrics.get((name, dimensions)), []
        if metric is not None:
            lookback = (self._aws.now - question["StartTime"]).total_seconds()
            found = metric.at(seconds_of(self._aws.now), asked["Period"], lookback)
            points = [point for point in found if question["StartTime"] <= point.start < question["EndTime"]]
        return {
            "Id": query["Id"],
            "Label": name,
            "StatusCode": "Complete",
            "Timestamps": [point.start for point in points],
            "Values": [getattr(point, STATISTICS[asked["Stat"]]) for point in points],
        }

    def put_metric_data(self, **asked: Any) -> Any:
        self.published += [(datum["Timestamp"], datum["Value"]) for datum in asked["MetricData"]]
        return {}


def _state(word: float | None, threshold: int) -> str:
    if word is None:
        return "INSUFFICIENT_DATA"
    return "ALARM" if word >= threshold else "OK"


class DynamoDb:
    """The state table.

    Attributes:
        items: by their id, in DynamoDB's own form.
    """

    def __init__(self) -> None:
        self.items: dict[str, Item] = {}

    def get_item(self, **asked: Any) -> Any:
        key = asked["Key"]["id"]["S"]
        if not asked["ConsistentRead"]:
            raise refusal("NotModelled: a read that may be out of date")
        return {"Item": dict(self.items[key])} if key in self.items else {}

    def scan(self, **asked: Any) -> Any:
        names = re.findall(r"begins_with\(id, (:\w+)\)", asked["FilterExpression"])
        expected = " OR ".join(f"begins_with(id, {name})" for name in names)
        if not asked["ConsistentRead"] or asked["FilterExpression"] != expected:
            raise refusal("NotModelled: another filter, or a read that may be out of date")
        prefixes = tuple(asked["ExpressionAttributeValues"][name]["S"] for name in names)
        return {"Items": [dict(item) for key, item in sorted(self.items.items()) if key.startswith(prefixes)]}

    def put_item(self, **asked: Any) -> Any:
        key = asked["Item"]["id"]["S"]
        if not self._holds(self.items.get(key, {}), asked):
            raise refusal("ConditionalCheckFailedException")
        self.items[key] = asked["Item"]
        return {}

    def _holds(self, item: Item, asked: Any) -> bool:
        names, values = asked["ExpressionAttributeNames"], asked.get("ExpressionAttributeValues", {})
        for term in asked["ConditionExpression"].split(" OR "):
            if absent := re.fullmatch(r"attribute_not_exists\((\S+)\)", term):
                if names[absent[1]] not in item:
                    return True
            else:
                name, value = term.split(" = ")
                if item.get(names[name]) == values[value]:
                    return True
        return False


class Sns:
    """Who is told what; https://docs.aws.amazon.com/sns/latest/api/API_Publish.html."""

    def __init__(self, aws: Happenings) -> None:
        self._aws = aws

    def publish(self, **asked: Any) -> Any:
        subject = asked["Subject"]
        if not subject.isascii() or not subject.isprintable() or len(subject) >= LONGEST_SUBJECT:
            raise refusal("InvalidParameter")
        if asked["TopicArn"] in self._aws.gone_topics:
            raise refusal("NotFound", 404)
        self._aws.messages.append((asked["TopicArn"], subject))
        self._aws.texts.append(asked["Message"])
        return {"MessageId": str(len(self._aws.messages))}


class Sts:
    """Who asks."""

    def get_caller_identity(self) -> Any:
        return {"Account": "111122223333", "Arn": "arn:aws:sts::111122223333:assumed-role/failover/run"}


class SecretsManager:
    """The master user's secret.

    Attributes:
        secrets: what is known of each, by name; never its value.
    """

    def __init__(self) -> None:
        self.secrets: dict[str, Item] = {}

    def describe_secret(self, SecretId: str) -> Any:  # noqa: N803
        if SecretId not in self.secrets:
            raise refusal("ResourceNotFoundException")
        return {"Name": SecretId, **self.secrets[SecretId]}


class Lambda:
    """The probe of one site, asked directly.

    Args:
        name: the function's.
        found: what a probe of a site's database finds at this moment.
    """

    def __init__(self, name: str, found: Callable[[Site], ProbeAnswer]) -> None:
        self._name, self._found = name, found

    def invoke(self, FunctionName: str, Payload: bytes) -> Any:  # noqa: N803
        if FunctionName != self._name:
            raise refusal("ResourceNotFoundException", 404)
        database = database_of(json.loads(Payload))
        if database is None:
            raise refusal("NotModelled: a whole run of the probe")
        answer = json.dumps(self._found(database).as_item()).encode()
        return {"StatusCode": 200, "ExecutedVersion": "$LATEST", "Payload": io.BytesIO(answer)}
