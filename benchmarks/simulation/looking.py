"""A last look at the writer: one probe of each site, asked for now, as `failover.last_look` asks for it."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

from aws_in_memory import durations
from aws_in_memory.metric import ANSWER_SECONDS
from benchmarks.simulation.setting import Setting
from benchmarks.simulation.world import World
from failover.last_look import Life
from function_runtime.session_outcome import SessionOutcome

Phases = tuple[float, float]
"""When in their schedule the recovery site's and the primary site's probes begin."""


@dataclass(frozen=True)
class Looked:
    """What a last look has found.

    Attributes:
        began: when it began; so much of what is true is known after it.
        ends: when the slower probe had answered, or was waited for no longer.
        life: what it proves.
    """

    began: float
    ends: float
    life: Life


def look_directly(
    chance: random.Random,
    setting: Setting,
    world: World,
    at: float,
    phases: Phases,
    *,
    shut_from: float = math.inf,
    is_second: bool = False,
) -> Looked:
    """Look.

    Args:
        chance: where chance comes from.
        setting: the production settings.
        world: what is so.
        at: when.
        phases: of the probes: one environment is busy while they run.
        shut_from: when a fence has shut the writer.
        is_second: whether it was looked shortly before, so that the environments are there.
    """

    def probed(*, works: bool, is_dark: bool, passes: bool, phase: float) -> tuple[float, Life]:
        if is_dark:
            return at + setting.dark_probe_seconds(hangs=world.dark_calls_hang), Life.UNPROVEN
        if not works:
            return at + durations.API_CALL_SECONDS, Life.UNPROVEN
        rhythm = setting.rhythm
        is_busy = (at - phase) % rhythm.schedule_seconds < rhythm.probes * rhythm.interval_seconds
        asks = at + durations.API_CALL_SECONDS
        asks += durations.COLD_START.draw(chance) if is_busy and not is_second else 0.0
        is_open = passes and asks < shut_from
        if world.answers(asks) and is_open:
            commits = world.session(asks) is SessionOutcome.WORKS
            return asks + ANSWER_SECONDS, Life.COMMITS if commits else Life.ANSWERS
        return asks + (ANSWER_SECONDS if world.refuses(asks) and is_open else rhythm.timeout_seconds), Life.UNPROVEN

    near, own = phases
    found = (
        probed(works=at < world.silent_from, is_dark=False, passes=world.link(at), phase=near),
        probed(works=at < world.silent_there_from, is_dark=world.dark.covers(at), passes=world.own(at), phase=own),
    )
    lives = {life for _, life in found}
    best = next(life for life in (Life.COMMITS, Life.ANSWERS, Life.UNPROVEN) if life in lives)
    return Looked(at, max(ends for ends, _ in found), best)
