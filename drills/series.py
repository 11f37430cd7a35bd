"""Several drills one after the other, each in a lab of its own; the next one runs also after a failed one."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError
from pulumi import RunError

from drills.catalogue import Drill
from drills.clients.others import Wanted
from drills.report.index_page import Entry, write_index
from drills.report.report import DrillReport
from drills.report.story_report import StoryReport
from drills.runner import run_drill
from drills.system import LabSystem
from lab.engine import EngineError
from lab.postgres import NoSmallDiskError
from shared.errors import SettingsError

LabFor = Callable[[Drill], AbstractContextManager[LabSystem]]

# What can keep a lab from starting or stopping. The next lab may still work.
LAB_BROKEN = (SettingsError, EngineError, RunError, BotoCoreError, ClientError, OSError, RuntimeError)


@dataclass(frozen=True)
class Series:
    """Drills to run.

    Attributes:
        lab_for: starts the lab of a drill, and stops it afterwards.
        report_dir: where the reports and ``index.html`` go.
        progress: called with a short line for each thing that happens.
        others: clients to set beside each drill's own two.
    """

    lab_for: LabFor
    report_dir: Path
    progress: Callable[[str], None]
    others: Sequence[Wanted] = ()

    def run(self, drills: Sequence[Drill]) -> bool:
        """Run them all, and update the index after each.

        Returns:
            Whether every drill passed; one that this machine cannot run is skipped.
        """
        entries: list[Entry] = []
        for number, drill in enumerate(drills, start=1):
            self.progress(f"\ndrill {number} of {len(drills)}: {drill.name}: {drill.summary}")
            entries.append(self._entry(drill))
            write_index(entries, len(drills), self.report_dir)
        self.progress("\n" + "\n".join(_summary(entries)))
        self.progress(f"all reports: {self.report_dir / 'index.html'}")
        return all(entry.passed or entry.why_skipped for entry in entries)

    def _entry(self, drill: Drill) -> Entry:
        started = time.monotonic()
        report: DrillReport | StoryReport | None = None
        why_not = why_skipped = ""
        try:
            with self.lab_for(drill) as system:
                report = run_drill(system, drill, self.report_dir, self.progress, self.others)
        except NoSmallDiskError as error:
            why_skipped = f"skipped: {error}"
            self.progress(why_skipped)
        except LAB_BROKEN as error:
            why_not = f"the lab did not start or stop: {type(error).__name__}: {error}"
            self.progress(why_not)
        return Entry(drill.name, drill.summary, report, why_not, time.monotonic() - started, why_skipped)


def _summary(entries: Sequence[Entry]) -> list[str]:
    width = max((len(entry.name) for entry in entries), default=0)
    lines = []
    for entry in entries:
        outcome, rto, lost, _ = entry.figures
        passed = "skipped" if entry.why_skipped else "passed " if entry.passed else "FAILED "
        lines.append(
            f"{passed} {entry.name:<{width}}  {outcome:<11}  RTO {rto}, lost {lost} ({entry.taken_seconds:.0f} s)"
        )
    return [*lines, f"{sum(entry.passed for entry in entries)} of {len(entries)} drills passed"]
