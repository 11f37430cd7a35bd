"""What the failover function is told by its environment, read and checked in one place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from failover.policy import Mode, Policy, WhenUnsure
from function_runtime.clients import Clients
from function_runtime.database import Database
from function_runtime.environment import Environment, SettingError
from function_runtime.sites import Site
from function_runtime.state import State

# One run of the failover completes within 5 minutes (C3); what is left is for the last calls and the last write.
LONGEST_RUN_SECONDS = 285.0
# GetMetricData knows these periods below a minute, and whole minutes.
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricStat.html
SHORT_PERIODS_SECONDS = (1, 5, 10, 30)
# Longer than the slowest call between two renewals, shorter than anybody would want to wait for a dead run.
LEASE_SECONDS = 20.0
# Clients wait for the fence: what has not worked by then is recorded, and the fence-guard goes on with it.
LONGEST_FENCE_SECONDS = 30.0
LONGEST_PLANNED_FENCE_SECONDS = 3600.0
# One call that is not answered, with the clients' timeouts.
SLOWEST_CALL_SECONDS = 6.0
# RDS documents a promotion as "several minutes or longer"; beyond this a person should look.
STEP_PATIENCE_SECONDS = 600.0
# A planned failover keeps clients from a healthy writer: what RDS does not take in this time is taken back.
PLANNED_PROMOTION_TIMEOUT_SECONDS = 120.0
LET_IN_TIMEOUT_SECONDS = 120.0


@dataclass(frozen=True)
class Settings:
    """The settings of the failover function.

    Attributes:
        metric_namespace: where the probes' readings are and where ``WriterWord`` goes.
        environment_suffix: names the environment in messages.
        here: the site this function runs in.
        regions: the region of each site.
        reference_region: a third region, asked whether it answers when the active one is silent: it tells a dark
            region from our own network being down.
        witness_region: where the witness publishes what it sees, None where there is no witness.
        instance_ids: the RDS instance of each site.
        database_group_ids: the security group of each site's database in normal times.
        quarantine_group_ids: the security group without rules of each site.
        probe_functions: the probe of each site, which is asked for a last look.
        state_tables: the DynamoDB table of each site.
        failures_topic_arn: where people hear of failures.
        other_failures_topic_arn: the same in the other site, for what no topic of this one takes.
        recoveries_topic_arn: where people hear of recoveries.
        word_alarms: the alarms of each site's word, by threshold 1, 2.
        handover_margin_seconds: how long a word's alarms must show it before it counts as out.
        master_secret_id: the master user's secret, as it is called in the function's own region.
        writer_name: the DNS name clients write to, for messages.
        name_ttl_seconds: how long clients may remember the old answer, for messages.
        dashboard_url: where people see more, for messages.
        runbook_url: where people read what to do, for messages; anchors are the codes of decisions.
        policy: what a decision weighs.
        fence_timeout_seconds: after that the old writer is left as it is.
        planned_fence_timeout_seconds: a failover whose writer answered when it was decided (a planned one, or of a hung
            writer) and has not been seen to reboot by then is taken back.
        drain_timeout_seconds: a planned failover whose replica has not received everything by then is taken back.
        planned_promotion_timeout_seconds: a planned failover whose promotion is not accepted by then is taken back.
        promotion_timeout_seconds: after that an old writer that is shut is opened where the promotion cannot be had.
        let_in_timeout_seconds: a writer that cannot be opened by then is left to later runs.
        verify_timeout_seconds: after that the switch goes on without the probe's word.
        poll_interval_seconds: between two looks at something that takes its time.
        run_budget_seconds: a run saves its state and ends before this.
        lease_seconds: a run that has not written for so long is taken for dead.
        step_patience_seconds: people are told of a step that takes longer.
        promoted_backup_retention_days: backups the promoted instance keeps.
    """

    metric_namespace: str
    environment_suffix: str
    here: Site
    regions: Mapping[Site, str]
    reference_region: str
    witness_region: str | None
    instance_ids: Mapping[Site, str]
    database_group_ids: Mapping[Site, str]
    quarantine_group_ids: Mapping[Site, str]
    probe_functions: Mapping[Site, str]
    state_tables: Mapping[Site, str]
    failures_topic_arn: str
    other_failures_topic_arn: str
    recoveries_topic_arn: str
    word_alarms: Mapping[Site, tuple[str, ...]]
    handover_margin_seconds: float
    master_secret_id: str
    writer_name: str
    name_ttl_seconds: int
    dashboard_url: str
    runbook_url: str
    policy: Policy
    fence_timeout_seconds: float
    planned_fence_timeout_seconds: float
    drain_timeout_seconds: float
    planned_promotion_timeout_seconds: float
    promotion_timeout_seconds: float
    let_in_timeout_seconds: float
    verify_timeout_seconds: float
    poll_interval_seconds: float
    run_budget_seconds: float
    lease_seconds: float
    step_patience_seconds: float
    promoted_backup_retention_days: int

    @property
    def region(self) -> str:
        """The function's own region."""
        return self.regions[self.here]

    @property
    def state_table(self) -> str:
        """The own site's."""
        return self.state_tables[self.here]

    def databases(self, clients: Clients) -> Mapping[Site, Database]:
        """The instance of each site."""
        return {
            site: Database(clients.of("rds", region), self.instance_ids[site], self.quarantine_group_ids[site])
            for site, region in self.regions.items()
        }

    def state(self, clients: Clients, site: Site) -> State:
        """A site's state table."""
        return State(clients.of("dynamodb", self.regions[site]), self.state_tables[site])

    @classmethod
    def from_environment(cls, variables: Mapping[str, str]) -> Settings:
        """Read and check the settings.

        Raises:
            SettingError: a variable is missing, malformed, or contradicts another.
        """
        environment = Environment(variables)
        policy = _policy(environment)
        regions = environment.by_site("REGION")
        has_witness = environment.is_set("WITNESS_REGION")
        poll_interval_seconds = environment.number("POLL_INTERVAL_SECONDS", minimum=0.05, maximum=60)
        run_budget_seconds = environment.number("RUN_BUDGET_SECONDS", minimum=1, maximum=LONGEST_RUN_SECONDS)
        if poll_interval_seconds >= run_budget_seconds:
            raise SettingError("POLL_INTERVAL_SECONDS", poll_interval_seconds, "give less than RUN_BUDGET_SECONDS")
        return cls(
            metric_namespace=environment.text("METRIC_NAMESPACE"),
            environment_suffix=environment.text("ENVIRONMENT_SUFFIX"),
            here=environment.choice("SITE", Site),
            regions=regions,
            reference_region=environment.third_region("REFERENCE_REGION", regions),
            witness_region=environment.third_region("WITNESS_REGION", regions) if has_witness else None,
            instance_ids=environment.by_site("INSTANCE_ID"),
            database_group_ids=environment.by_site("DATABASE_GROUP_ID"),
            quarantine_group_ids=environment.by_site("QUARANTINE_GROUP_ID"),
            probe_functions=environment.by_site("PROBE_FUNCTION"),
            state_tables=environment.by_site("STATE_TABLE"),
            failures_topic_arn=environment.text("FAILURES_TOPIC_ARN"),
            other_failures_topic_arn=environment.text("OTHER_FAILURES_TOPIC_ARN"),
            recoveries_topic_arn=environment.text("RECOVERIES_TOPIC_ARN"),
            word_alarms=_word_alarms(environment),
            handover_margin_seconds=environment.number("HANDOVER_MARGIN_SECONDS", minimum=0.1, maximum=3600),
            master_secret_id=environment.text("MASTER_SECRET_ID"),
            writer_name=environment.text("WRITER_NAME"),
            name_ttl_seconds=environment.whole("NAME_TTL_SECONDS", minimum=0, maximum=60),
            dashboard_url=environment.text("DASHBOARD_URL"),
            runbook_url=environment.text("RUNBOOK_URL"),
            policy=policy,
            fence_timeout_seconds=_fence_timeout_seconds(environment, run_budget_seconds),
            planned_fence_timeout_seconds=_planned_fence_timeout_seconds(environment),
            drain_timeout_seconds=policy.drain_seconds,
            planned_promotion_timeout_seconds=PLANNED_PROMOTION_TIMEOUT_SECONDS,
            promotion_timeout_seconds=STEP_PATIENCE_SECONDS,
            let_in_timeout_seconds=LET_IN_TIMEOUT_SECONDS,
            verify_timeout_seconds=environment.number("VERIFY_TIMEOUT_SECONDS", minimum=0, maximum=600),
            poll_interval_seconds=poll_interval_seconds,
            run_budget_seconds=run_budget_seconds,
            lease_seconds=_lease_seconds(poll_interval_seconds),
            step_patience_seconds=STEP_PATIENCE_SECONDS,
            promoted_backup_retention_days=environment.whole("PROMOTED_BACKUP_RETENTION_DAYS", minimum=1, maximum=35),
        )


def _word_alarms(environment: Environment) -> dict[Site, tuple[str, ...]]:
    """One alarm for each word above 0 that a site can say."""
    found = {}
    for site, words in {Site.PRIMARY: 1, Site.RECOVERY: 2}.items():
        variable = f"{site.name}_WORD_ALARMS"
        names = environment.text(variable).split(",")
        if len(names) != words or not all(names):
            raise SettingError(variable, ",".join(names), f"give {words} names of alarms, by threshold, with commas")
        found[site] = tuple(names)
    return found


def _policy(environment: Environment) -> Policy:
    metric_period_seconds = _period_seconds(environment, "METRIC_PERIOD_SECONDS")
    outage_seconds = environment.number("OUTAGE_SECONDS", minimum=1, maximum=3600)
    if outage_seconds < metric_period_seconds:
        raise SettingError(
            "OUTAGE_SECONDS",
            outage_seconds,
            f"give at least METRIC_PERIOD_SECONDS ({metric_period_seconds}): less cannot be seen in the metrics",
        )
    lag_period_seconds = metric_period_seconds
    if environment.is_set("LAG_PERIOD_SECONDS"):
        lag_period_seconds = _period_seconds(environment, "LAG_PERIOD_SECONDS")
    return Policy(
        mode=environment.choice("MODE", Mode),
        outage_seconds=outage_seconds,
        metric_period_seconds=metric_period_seconds,
        lag_period_seconds=lag_period_seconds,
        max_data_loss_seconds=environment.number("MAX_DATA_LOSS_SECONDS", minimum=0, maximum=86_400),
        cool_down_seconds=environment.number("COOL_DOWN_SECONDS", minimum=0, maximum=7 * 86_400),
        dark_without_witness=environment.choice("DARK_WITHOUT_WITNESS", WhenUnsure),
        writer_hung=environment.choice("WRITER_HUNG", WhenUnsure),
        maintenance_overdue=environment.choice("MAINTENANCE_OVERDUE", WhenUnsure),
        replication_timeout_seconds=environment.number("REPLICATION_TIMEOUT_SECONDS", minimum=1, maximum=600),
    )


def _period_seconds(environment: Environment, variable: str) -> int:
    seconds = environment.whole(variable, minimum=1, maximum=3600)
    if seconds not in SHORT_PERIODS_SECONDS and seconds % 60 != 0:
        raise SettingError(variable, seconds, "give 1, 5, 10, 30 or a multiple of 60: CloudWatch has no other periods")
    return seconds


def _fence_timeout_seconds(environment: Environment, run_budget_seconds: float) -> float:
    variable = "FENCE_TIMEOUT_SECONDS"
    seconds = environment.number(variable, minimum=0, maximum=LONGEST_FENCE_SECONDS)
    if seconds >= run_budget_seconds:
        raise SettingError(variable, seconds, f"give less than RUN_BUDGET_SECONDS ({run_budget_seconds:g})")
    return seconds


def _planned_fence_timeout_seconds(environment: Environment) -> float:
    """It spans runs: a reboot of RDS takes a minute or two, with a large database some more."""
    variable = "PLANNED_FENCE_TIMEOUT_SECONDS"
    seconds = environment.number(variable, minimum=1, maximum=LONGEST_PLANNED_FENCE_SECONDS)
    shortest = environment.number("FENCE_TIMEOUT_SECONDS", minimum=0, maximum=LONGEST_FENCE_SECONDS)
    if seconds < shortest:
        raise SettingError(variable, seconds, f"give at least FENCE_TIMEOUT_SECONDS ({shortest:g})")
    return seconds


def _lease_seconds(poll_interval_seconds: float) -> float:
    """As Patroni's loop_wait + 2 * retry_timeout <= ttl: a run that waits and then calls once still holds its lease.

    https://patroni.readthedocs.io/en/latest/dynamic_configuration.html
    """
    return max(LEASE_SECONDS, poll_interval_seconds + SLOWEST_CALL_SECONDS)
