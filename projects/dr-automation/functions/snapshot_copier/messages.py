"""What people are told of copies that fail. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from function_runtime import words
from function_runtime.message import Message, compose
from snapshot_copier.plan import Plan, Problem
from snapshot_copier.settings import CopierSettings

TO_DO: Mapping[str, str] = {
    "backups_refused": "Look at the role of the snapshot copier and at the policy of its site's data key.",
    "copy_failed": "Look at the events of the snapshot in RDS: was its source deleted, or the key disabled?",
    "copy_refused": "Look at the role of the snapshot copier and at the policies of both sites' data keys.",
    "copy_stuck": "Look at the AWS Health Dashboard of both regions; large databases take hours to copy.",
    "delete_refused": "Delete the copy by hand, or mend the role of the snapshot copier.",
    "export_failed": "Look at the role of the export and at the bucket; the export is tried again after a day.",
    "export_refused": "Look at the role of the snapshot copier, the role of the export, and the bucket.",
    "name_taken": "Rename or delete the snapshot that is in the way; it is not the copier's.",
    "other_key": "Was the site's key replaced? Keep the old one until its copies have gone.",
    "snapshot_quota": "Delete manual snapshots of this region that nobody needs, or raise the quota.",
    "source_refused": "Look at the role of the snapshot copier in IAM.",
}


def message_about(problems: Sequence[Problem], planned: Plan, settings: CopierSettings, now: datetime) -> Message:
    """What failed, what there is in spite of it, what comes next, what to do.

    Args:
        problems: the problems that people have not been told of.
        planned: the run's plan.
        settings: names and places.
        now: now.
    """
    newest = "there is no good copy in this site"
    if planned.newest is not None and planned.newest.taken_at is not None:
        newest = f"the newest good copy is {planned.newest.identifier}, of {words.ago(planned.newest.taken_at, now)}"
    codes = sorted({each.code for each in problems})
    return compose(
        settings,
        f"Snapshot copies in {settings.site}: {', '.join(codes)}",
        {
            "What was seen": [each.text for each in problems],
            "What there is": [newest],
            "What happens next": ["The copier tries again at every run, and tells you of each problem once."],
            "What to do": [*(TO_DO[code] for code in codes), "nox -s status"],
        },
        incident_id=None,
        anchor="snapshots",
    )
