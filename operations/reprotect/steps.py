"""What a step is, and what steps work with.

A step declares beside each other what it does, what takes it back, how long that takes and whether it is needed at
all. It may be begun again at any point: it finds out for itself how far it came.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from function_runtime import words
from function_runtime.sites import Site
from operations.errors import RefusedError
from operations.reprotect.data_layer import ACTIVE_SITE, DataLayer
from operations.reprotect.record import Record, StepName
from operations.reprotect.refusals import Words, refuse
from operations.reprotect.seen import Seen, look
from operations.reprotect.world import World

POLL_SECONDS = 5.0
SAYS_AGAIN_SECONDS = 300.0


@dataclass
class Work:
    """What the steps work with.

    Attributes:
        world: AWS.
        layer: the data layer.
        record: what is on record of this reprotection; a step reads it, the runner writes it.
        words: what the person has said explicitly.
        keep_looking: stop before the old instance is let go.
        say: prints one line of progress.
    """

    world: World
    layer: DataLayer
    record: Record
    words: Words
    keep_looking: bool
    say: Callable[[str], None]

    @property
    def other(self) -> Site:
        """Where the standby is made."""
        return self.record.site

    @property
    def pause_reason(self) -> str:
        """By which our pause is told from others'."""
        return f"reprotect: the database of {self.other} is being replaced"

    def look(self) -> Seen:
        """Look again; what is there must still be what this was begun for.

        Raises:
            RefusedError: another database is the writer now, or something keeps it from going on.
        """
        seen = look(self.world, self.layer)
        if seen.begun is None or seen.begun.began_at != self.record.began_at:
            raise RefusedError("reprotect", "(overtaken)", "something has changed since it was begun: call it again")
        refuse(seen, self.words)
        return seen

    def change(self, values: Mapping[str, str | None]) -> None:
        """Change the configuration, and show what is to be committed.

        Who goes on may have another checkout than who began, so that `activeSite` is always among it.
        """
        difference = self.layer.change({ACTIVE_SITE: self.record.writer_site, **values})
        if difference:
            self.say("the data layer's configuration is changed; commit it:")
            for line in difference.splitlines():
                self.say(f"  {line}")

    def wait(self, until: Callable[[], bool], what: str, longest: timedelta) -> None:
        """Wait, with a line every five minutes.

        Raises:
            RefusedError: it takes longer.
        """
        began = said_at = self.world.now()
        while not until():
            now = self.world.now()
            if now - began >= longest:
                raise RefusedError(what, f"(not after {words.span(longest.total_seconds())})", "call this again later")
            if (now - said_at).total_seconds() >= SAYS_AGAIN_SECONDS:
                self.say(f"still waiting for {what}, {words.span((now - began).total_seconds())} so far")
                said_at = now
            self.world.sleep(POLL_SECONDS)


Do = Callable[[Work, Seen], str]
Undo = Callable[[Work], str]


@dataclass
class Step:
    """One step.

    Attributes:
        name: its name.
        title: what it does, for people.
        minutes: how long it takes on AWS, for a database of some ten GiB.
        do: does it; returns what came of it.
        needed: whether it belongs to this reprotection at all.
        undo: takes it back; None where nothing leads back, and nothing has to.
    """

    name: StepName
    title: str
    minutes: int
    do: Do
    needed: Callable[[Seen], bool]
    undo: Undo | None = field(default=None)

    def undone_by(self, undo: Undo) -> Undo:
        """Declare what takes it back, right below it."""
        self.undo = undo
        return undo


def step(name: StepName, title: str, minutes: int, needed: Callable[[Seen], bool]) -> Callable[[Do], Step]:
    """Declare a step by the function that does it."""
    return lambda do: Step(name, title, minutes, do, needed)
