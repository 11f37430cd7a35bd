"""One run of a snapshot copier: list what both regions have, plan, and act; the next run goes on where it ended."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

from aws_lambda_powertools import Logger
from botocore.exceptions import ClientError

from function_runtime.clients import AwsError, Clients, code_of, may_pass, unanswered
from function_runtime.clock import Clock
from function_runtime.items import AnotherRunIsAtWorkError, Items
from function_runtime.message import Message
from function_runtime.readings import Unanswered
from function_runtime.sites import Site
from snapshot_copier import snapshots, told
from snapshot_copier.messages import message_about
from snapshot_copier.on_record import OnRecord, read
from snapshot_copier.plan import EXPORT_TIME, Plan, Problem, Seen, copy_identifier, plan, tags_of_copy
from snapshot_copier.settings import CopierSettings

logger = Logger(child=True)

# What another copier, or an earlier run whose answer was lost, has done already.
DELETED_ALREADY = frozenset({"DBSnapshotNotFound", "DBSnapshotNotFoundFault"})
COPIED_ALREADY = frozenset({"DBSnapshotAlreadyExists", *DELETED_ALREADY})
EXPORTED_ALREADY = frozenset({"ExportTaskAlreadyExists", "ExportTaskAlreadyExistsFault"})
# By the code of the problem that any other refusal is.
DONE_ALREADY = {
    "copy_refused": COPIED_ALREADY,
    "delete_refused": DELETED_ALREADY,
    "export_refused": EXPORTED_ALREADY,
}
# In one run; each is a call.
MOST_REFUSALS = 3
QUOTA = frozenset({"SnapshotQuotaExceeded", "SnapshotQuotaExceededFault"})


@dataclass(frozen=True)
class Finding:
    """What a run found and did.

    Attributes:
        plan: what it planned.
        done: what it did, for the log.
        problems: what people must know, those of the plan and of carrying it out.
        source_answers: whether the other region listed its snapshots, None where it was not asked.
    """

    plan: Plan
    done: tuple[str, ...]
    problems: tuple[Problem, ...]
    source_answers: bool | None


class Copier:
    """One run.

    Args:
        clients: AWS.
        settings: the copier's settings.
        clock: time.
    """

    def __init__(self, clients: Clients, settings: CopierSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._here = clients.of("rds", settings.region)
        self._there = clients.of("rds", settings.regions[settings.site.other])
        self._clients = clients
        # What it has seen and told is in its own site's table: it works on where the other region is dark.
        self._items = Items(clients.of("dynamodb", settings.region), settings.state_tables[settings.site])
        self._done: list[str] = []
        self._problems: list[Problem] = []

    def once(self) -> Finding:
        """Copy, delete and export what is due.

        Raises:
            ClientError, BotoCoreError: this region's RDS or state table, or both topics refuse or are silent; without
                knowing who the writer is nothing is copied and nothing deleted.
        """
        settings, rules = self._settings, self._settings.rules
        recorded = read(self._clients, settings)
        writer = recorded.writer
        known = told.read(self._items, settings.site)
        seen = self._look(recorded, known)
        planned = plan(seen, rules)
        for deletion in planned.delete:
            identifier = deletion.snapshot.identifier
            self._attempt(
                "delete_refused",
                identifier,
                f"deleted {identifier}: {deletion.why}",
                partial(self._here.delete_db_snapshot, DBSnapshotIdentifier=identifier),
            )
        self._copy_one(planned.to_copy, seen.at)
        if planned.export is not None:
            self._export(planned.export, seen)
        source_answers = None if writer is settings.site else not isinstance(seen.source, Unanswered)
        if source_answers and not recorded.is_being_reprotected:
            self._keep_backups_here(writer)
        finding = Finding(
            planned,
            tuple(self._done),
            (*planned.problems, *self._problems),
            source_answers,
        )
        self._tell(finding, known)
        return finding

    def _copy_one(self, sources: Sequence[snapshots.Snapshot], at: datetime) -> None:
        """Copy the first that RDS takes: one that it refuses for good must not hold up the others."""
        settings = self._settings
        for source in sources[:MOST_REFUSALS]:
            copying = partial(
                self._here.copy_db_snapshot,
                SourceDBSnapshotIdentifier=source.arn,
                TargetDBSnapshotIdentifier=copy_identifier(source),
                KmsKeyId=settings.key_arn,
                # boto3 signs a request of this region for the other one with it.
                SourceRegion=settings.regions[settings.site.other],
                CopyTags=False,
                Tags=[{"Key": key, "Value": text} for key, text in tags_of_copy(source, settings.rules, at).items()],
            )
            if self._attempt("copy_refused", source.identifier, f"copying {source.identifier}", copying):
                return

    def _look(self, recorded: OnRecord, known: told.Told) -> Seen:
        settings, writer = self._settings, recorded.writer
        is_here = writer is settings.site
        instance_id = settings.instance_ids[writer]
        return Seen(
            at=self._clock.now(),
            source=() if is_here else self._source(instance_id),
            here=snapshots.manual_snapshots(self._here),
            own=snapshots.automated_snapshots(self._here, instance_id) if is_here else (),
            exports=snapshots.export_tasks(self._here) if is_here and settings.export_days is not None else (),
            tried=known.tried,
            writer_is_known=recorded.is_known,
        )

    def _source(self, instance_id: str) -> tuple[snapshots.Snapshot, ...] | Unanswered:
        try:
            return snapshots.automated_snapshots(self._there, instance_id)
        except AwsError as error:
            # Throttling is an answer, but nothing that people could do anything about.
            return replace(unanswered(error), service_answered=not may_pass(error))

    def _export(self, snapshot: snapshots.Snapshot, seen: Seen) -> None:
        settings = self._settings
        identifier = f"{settings.rules.export_prefix}{seen.at.astimezone(UTC):{EXPORT_TIME}}"
        self._attempt(
            "export_refused",
            snapshot.identifier,
            f"exporting {snapshot.identifier} as {identifier}",
            lambda: self._here.start_export_task(
                ExportTaskIdentifier=identifier,
                SourceArn=snapshot.arn,
                S3BucketName=settings.export_bucket,
                S3Prefix="exports",
                IamRoleArn=settings.export_role_arn,
                KmsKeyId=settings.key_arn,
            ),
        )

    def _keep_backups_here(self, writer: Site) -> None:
        """After a failover no program declares it, until the data layer's configuration names the new writer.

        `reprotect` changes that, and the program then declares what must not be there yet: nothing is begun meanwhile.
        """
        settings = self._settings
        source_arn = settings.instance_arns[writer]
        if source_arn in snapshots.replicated_backups(self._here):
            return
        self._attempt(
            "backups_refused",
            source_arn,
            f"replicating the automated backups of {settings.instance_ids[writer]}",
            lambda: self._here.start_db_instance_automated_backups_replication(
                SourceDBInstanceArn=source_arn,
                BackupRetentionPeriod=settings.retention_days,
                KmsKeyId=settings.key_arn,
                SourceRegion=settings.regions[writer],
            ),
        )

    def _attempt(self, code: str, what: str, doing: str, call: Callable[[], Any]) -> bool:
        """Do one thing; what is refused is a problem for people and keeps nothing else from being done.

        Returns:
            False where it was refused for good.
        """
        try:
            call()
        except AwsError as error:
            refusal = code_of(error) if isinstance(error, ClientError) else ""
            if refusal in DONE_ALREADY.get(code, ()):
                return True
            if refusal in QUOTA:
                code, what = "snapshot_quota", "quota"
            logger.warning("Refused", doing=doing, error=str(error))
            if may_pass(error):
                return True
            self._problems.append(Problem(code, what, f"{doing} was refused: {error}"))
            return False
        self._done.append(doing)
        return True

    def _tell(self, finding: Finding, known: told.Told) -> None:
        """Record what people are told of, then tell them: a record that cannot be written must not tell at each run."""
        current = {f"{each.code} {each.what}": each for each in finding.problems}
        new = [each for key, each in current.items() if key not in known.problems]
        # A copy that failed and is made again has not succeeded yet: if it fails again, people know it already.
        tried = finding.plan.tried.keys() | {copy_identifier(each) for each in finding.plan.to_copy}
        told_of = frozenset(current) | {key for key in known.problems if key.partition(" ")[2] in tried}
        saved = known
        if (told_of, dict(finding.plan.tried)) != (known.problems, dict(known.tried)):
            try:
                saved = told.save(self._items, replace(known, problems=told_of, tried=finding.plan.tried))
            except AnotherRunIsAtWorkError as error:
                logger.warning("Another copier has recorded what people were told", error=str(error))
                return
        if not new:
            return
        message = message_about(new, finding.plan, self._settings, self._clock.now())
        settings = self._settings
        try:
            try:
                self._publish(settings.region, settings.failures_topic_arn, message)
            except AwsError:
                other = settings.regions[settings.site.other]
                self._publish(other, settings.other_failures_topic_arn, message)
        except AwsError:
            # The next run tells them: what they have not heard is not on record as told.
            told.save(self._items, replace(saved, problems=known.problems))
            raise

    def _publish(self, region: str, topic_arn: str, message: Message) -> None:
        sns = self._clients.of("sns", region)
        sns.publish(TopicArn=topic_arn, Subject=message.subject, Message=message.text)
