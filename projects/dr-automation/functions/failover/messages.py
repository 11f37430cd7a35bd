"""What people are told, through SNS."""

from __future__ import annotations

from typing import Any

from failover.decide import Decision
from failover.incident import Incident
from failover.settings import Settings
from failover.signals import Signals

# https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
LONGEST_SUBJECT = 99


def tell_alert(sns: Any, settings: Settings, decision: Decision, signals: Signals) -> None:
    """Tell people that the writer is in trouble and that nothing was done about it."""
    lines = [decision.reason, "", "No failover was started.", "", *_listed(signals.as_item())]
    subject = f"[{settings.environment_suffix}] PostgreSQL writer in trouble: {decision.code}"
    _tell(sns, settings.failures_topic_arn, subject, lines)


def tell_opened(sns: Any, settings: Settings, incident: Incident) -> None:
    """Tell people that a failover has begun."""
    subject = f"[{settings.environment_suffix}] Failover {incident.incident_id} to {settings.here} has begun"
    lines = [incident.decision["reason"], "", *_listed(incident.signals)]
    _tell(sns, settings.failures_topic_arn, subject, lines)


def tell_recovered(sns: Any, settings: Settings, incident: Incident) -> None:
    """Tell people that a failover is over, and what it cost."""
    subject = f"[{settings.environment_suffix}] Failover {incident.incident_id}: {settings.here} is the writer"
    lines = [
        incident.decision["reason"],
        "",
        f"Writer: {settings.writer_name} (clients may remember the old address for {settings.name_ttl_seconds} s more)",
        f"Trouble since: {incident.trouble_since.isoformat()}",
        f"Recovery time: {incident.rto_seconds:.1f} s"
        if incident.rto_seconds is not None
        else "Recovery time: unknown",
        f"Data loss: at most {incident.data_loss_seconds:.1f} s",
        f"Replication lag before: {incident.lag_before_seconds:.1f} s",
        "",
        *(f"{step.phase}: {step.outcome} ({step.detail})" for step in incident.steps),
    ]
    _tell(sns, settings.recovery_topic_arn, subject, lines)


def _listed(signals: Any) -> list[str]:
    return [f"{name}: {answer}" for name, answer in signals.items()]


def _tell(sns: Any, topic_arn: str, subject: str, lines: list[str]) -> None:
    sns.publish(TopicArn=topic_arn, Subject=subject[:LONGEST_SUBJECT], Message="\n".join(lines))
