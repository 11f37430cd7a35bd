"""To the other site and back: what holds for one direction holds for the other."""

from __future__ import annotations

from drills.stories.chapters import CRASH, FAIL_BACK, REPROTECT
from drills.stories.story import Story

STORY = Story(
    name="there-and-back",
    summary="The writer crashes and fails over, gets a new standby, fails back as planned, and gets a standby again.",
    chapters=(CRASH, REPROTECT, FAIL_BACK, REPROTECT),
)
