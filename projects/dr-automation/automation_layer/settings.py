"""What the dr-automation layer's stack configures, read and checked in one place."""

from __future__ import annotations

import re
from dataclasses import dataclass

from automation_layer.client_vpcs import KEY as CLIENT_VPCS
from automation_layer.client_vpcs import ClientVpc, parsed_client_vpcs
from automation_layer.timings import Timings
from health_probe.authorities import has_authority
from shared.cloudwatch import log_retention_days
from shared.environment import REGION_PATTERN, Environment
from shared.errors import SettingsError
from shared.naming import DASHBOARD
from shared.settings import SettingsReader
from shared.sites import Site

MODES = ("automatic", "manual", "paused")
WHEN_UNSURE = ("failover", "ask")
SSL_MODES = ("verify-full", "verify-ca", "require")
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
EMAIL_PATTERN = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
DOMAIN_PATTERN = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*")
# An account, a user or a role; no wildcards, and no sessions, which expire.
PRINCIPAL_PATTERN = re.compile(r"arn:aws:iam::\d{12}:(root|(user|role)/[\w+=,.@/-]+)")


@dataclass(frozen=True)
class AutomationSettings:
    """Settings of the dr-automation layer.

    Attributes:
        environment: what all layers share.
        timings: every duration.
        mode: ``automatic`` fails over by itself, ``manual`` asks, ``paused`` only observes and reports.
        max_data_loss_seconds: a failover that would lose more is not made without a person (C2).
        reference_region: a third region; whether it answers tells a dark region from a network of our own that is down.
        dark_without_witness: ``failover`` or ``ask``: what to do when the other region is dark and no witness speaks.
        writer_hung: the same where the writer answers and nobody can commit.
        maintenance_overdue: the same where RDS has been at work on a silent writer for too long.
        snapshot_retention_days: how long copies of snapshots are kept in the other site (R7).
        copy_stuck_hours: a copy that takes longer is given up and made again.
        snapshot_export_days: from one export of the newest snapshot to the next; 0 for none.
        parent_domain: the private zone is named below it.
        client_vpcs: other VPCs in which the names are to be known.
        client_ssl_mode: ``sslmode`` of the multi-host URI offered to clients.
        runbook_url: where people read what to do; messages add the decision's code as an anchor.
        operator_principals: who may take the operators' role, as ARNs; none leaves it to the account's IAM policies.
        require_mfa: the operators' role is for callers that gave AWS a second factor only.
        failure_emails: who is told about failures.
        recovery_emails: who is told about recovery.
        log_retention_days: how long logs are kept.
        log_level: how much the functions log.
    """

    environment: Environment
    timings: Timings
    mode: str
    max_data_loss_seconds: int
    reference_region: str
    dark_without_witness: str
    writer_hung: str
    maintenance_overdue: str
    snapshot_retention_days: int
    copy_stuck_hours: int
    snapshot_export_days: int
    parent_domain: str
    client_vpcs: tuple[ClientVpc, ...]
    client_ssl_mode: str
    runbook_url: str
    operator_principals: tuple[str, ...]
    require_mfa: bool
    failure_emails: tuple[str, ...]
    recovery_emails: tuple[str, ...]
    log_retention_days: int
    log_level: str

    @property
    def metric_namespace(self) -> str:
        """CloudWatch namespace of the layer's own metrics."""
        return f"PostgresDR/{self.environment.suffix}"

    @property
    def dashboard_url(self) -> str:
        """Where people see more; the observability layer makes the dashboard under this name."""
        region = self.environment.regions[Site.RECOVERY]
        name = self.environment.names.of(DASHBOARD, Site.RECOVERY)
        return f"https://{region}.console.aws.amazon.com/cloudwatch/home?region={region}#dashboards/dashboard/{name}"

    @property
    def zone_name(self) -> str:
        """Name of the private zone."""
        return f"postgres-{self.environment.suffix}.{self.parent_domain}"

    @property
    def writer_name(self) -> str:
        """Name under which clients reach the writer (R11)."""
        return f"writer.{self.zone_name}"

    @property
    def reader_name(self) -> str:
        """Name under which clients reach a database to read from."""
        return f"reader.{self.zone_name}"

    @classmethod
    def load(cls, reader: SettingsReader | None = None) -> AutomationSettings:
        """Read the stack's configuration and check it.

        Raises:
            SettingsError: a value is missing or cannot be used.
        """
        reader = SettingsReader() if reader is None else reader
        environment = Environment.load()
        _refuse_unknown_authorities(environment)
        return cls(
            environment=environment,
            timings=Timings.load(reader),
            mode=reader.choice("mode", "automatic", MODES),
            max_data_loss_seconds=reader.whole_number("maxDataLossSeconds", 60, minimum=1, maximum=3600),
            reference_region=_reference_region(reader, environment),
            dark_without_witness=reader.choice("darkWithoutWitness", "failover", WHEN_UNSURE),
            writer_hung=reader.choice("writerHung", "ask", WHEN_UNSURE),
            maintenance_overdue=reader.choice("maintenanceOverdue", "ask", WHEN_UNSURE),
            snapshot_retention_days=reader.whole_number("snapshotRetentionDays", 7, minimum=1, maximum=35),
            copy_stuck_hours=reader.whole_number("copyStuckHours", 12, minimum=1, maximum=240),
            snapshot_export_days=reader.whole_number("snapshotExportDays", 7, minimum=0, maximum=90),
            parent_domain=_domain("parentDomain", reader.text("parentDomain", "internal")),
            client_vpcs=parsed_client_vpcs(reader.texts(CLIENT_VPCS)),
            client_ssl_mode=reader.choice("clientSslMode", "verify-full", SSL_MODES),
            runbook_url=reader.text("runbookUrl", "docs/runbook.md"),
            operator_principals=_principals(reader, "operatorPrincipals"),
            require_mfa=reader.switch("requireMfa", default=False),
            failure_emails=_emails(reader, "failureEmails"),
            recovery_emails=_emails(reader, "recoveryEmails"),
            log_retention_days=log_retention_days(reader, "logRetentionDays", 90),
            log_level=reader.choice("logLevel", "INFO", LOG_LEVELS),
        )


def _refuse_unknown_authorities(environment: Environment) -> None:
    for site, region in environment.regions.items():
        if not has_authority(region):
            raise SettingsError(
                f"{site}Region",
                region,
                "the probes could not verify a database there: functions/health_probe/rds_authorities.pem has no "
                "authority of that region; renew it as docs/deploying.md says",
            )


def _reference_region(reader: SettingsReader, environment: Environment) -> str:
    key = "referenceRegion"
    region = reader.text(key, "ap-northeast-1")
    if not REGION_PATTERN.fullmatch(region):
        raise SettingsError(key, region, "give an AWS region such as ap-northeast-1")
    if region in environment.regions.values():
        raise SettingsError(key, region, "give another region than primaryRegion and recoveryRegion")
    return region


def _domain(key: str, value: str) -> str:
    if not DOMAIN_PATTERN.fullmatch(value):
        raise SettingsError(key, value, "give a DNS name in lower case without a dot at its end, such as internal")
    return value


def _principals(reader: SettingsReader, key: str) -> tuple[str, ...]:
    principals = reader.texts(key)
    for principal in principals:
        if not PRINCIPAL_PATTERN.fullmatch(principal):
            raise SettingsError(
                key, principal, "give ARNs of users, roles or accounts: arn:aws:iam::<account>:role/<name>"
            )
    return principals


def _emails(reader: SettingsReader, key: str) -> tuple[str, ...]:
    addresses = reader.texts(key)
    for address in addresses:
        if not EMAIL_PATTERN.fullmatch(address):
            raise SettingsError(key, address, "give e-mail addresses")
    if len(set(addresses)) != len(addresses):
        raise SettingsError(key, list(addresses), "name each address once")
    return addresses
