"""Drills that are stories: several failures and what follows them, in one lab whose clients never stop.

A new one is a ``Story`` in a module of this folder, and a line in the list here.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from drills.stories import reprotect_killed, standby_lost, there_and_back
from drills.stories.story import Story

_ALL = (there_and_back.STORY, reprotect_killed.STORY, standby_lost.STORY)

STORIES: Mapping[str, Story] = MappingProxyType({story.name: story for story in _ALL})
"""Every story by its name, in the order in which ``--all`` tells them."""
