"""What a failover function may do: move the writer between the two databases, and keep its own record. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from automation_layer import policies
from automation_layer.reporter import StateReach
from shared.policy_documents import Statement, allow
from shared.sites import Site

# The controller's own items; operators write `control` and `reprotect`, the program `birth`, the guards `fence#...`.
FAILOVER_ITEMS = ("controller", "handover#*", "incident#*", "lost", "observing", "taken", "unheard")
# What it writes in the other site's table: that the authority is here, or is the other's now.
TOLD_ITEM = "controller"


@dataclass(frozen=True)
class FailoverReach:
    """What a site's failover function works on.

    Attributes:
        site: the site it is in.
        account_id: the account.
        regions: the region of each site.
        database_arns: RDS instance of each site.
        probe_arns: the probe of each site, which it asks for a last look.
        metric_namespace: where it publishes its word on the writer.
        states: the state table and the topics of each site.
        secret_arn: the master user's secret in the site's region.
    """

    site: Site
    account_id: str
    regions: Mapping[Site, str]
    database_arns: Mapping[Site, str]
    probe_arns: Sequence[str]
    metric_namespace: str
    states: Mapping[Site, StateReach]
    secret_arn: str


def failover(reach: FailoverReach) -> list[Statement]:
    """What a failover function calls: observe both sites, fence and promote instances, keep state, tell people.

    Of the other site's table it reaches the controller's record alone, to hand the authority over or to tell of it, and
    reads what stands for that before the first one is written.
    """
    own, other = reach.states[reach.site], reach.states[reach.site.other]
    databases = [reach.database_arns[site] for site in Site]
    return [
        allow("ObserveDatabases", "rds:DescribeDBInstances", databases),
        allow("FenceAndPromote", ["rds:ModifyDBInstance", "rds:RebootDBInstance", "rds:PromoteReadReplica"], databases),
        *policies.fence_in([reach.regions[site] for site in Site]),
        allow("AskProbes", "lambda:InvokeFunction", list(reach.probe_arns)),
        # CloudWatch offers no resource for reading metrics.
        allow("ReadMetrics", "cloudwatch:GetMetricData", "*"),
        # It asks about single alarms, and IAM decides on all of a region:
        # https://github.com/mattclay/aws-terminator/pull/63
        allow(
            "SeeWhichWordsAreOut",
            "cloudwatch:DescribeAlarms",
            [f"arn:aws:cloudwatch:{reach.regions[site]}:{reach.account_id}:alarm:*" for site in Site],
        ),
        allow(
            "PublishWord",
            "cloudwatch:PutMetricData",
            "*",
            {"StringEquals": {"cloudwatch:namespace": reach.metric_namespace}},
        ),
        policies.see_secrets([reach.secret_arn]),
        policies.read_state(own.table_arn),
        policies.find_history([own.table_arn]),
        policies.write_state(own.table_arn, FAILOVER_ITEMS),
        policies.use_state_key(own.key_arn, own.region),
        policies.read_state(other.table_arn, ["birth", TOLD_ITEM], reach.site.other),
        policies.write_state(other.table_arn, [TOLD_ITEM], reach.site.other),
        policies.use_state_key(other.key_arn, other.region, reach.site.other),
        *policies.tell_people([own.failures_topic_arn, own.recoveries_topic_arn], own.topics_key_arn, own.region),
        *policies.tell_people([other.failures_topic_arn], other.topics_key_arn, other.region, reach.site.other),
    ]
