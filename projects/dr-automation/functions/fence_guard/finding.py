"""What a run of a guard found and did, and what its process remembers of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from fence_guard.on_record import OnRecord


@dataclass(frozen=True)
class Finding:
    """What a run found and did.

    Attributes:
        code: one word: why nothing was done, or the fence's outcome.
        text: the same for people.
        newly_fenced: whether this run fenced the database.
        unfenced: whether the database could still take writes, and must not.
        two_writers: whether both databases take writes, and nothing on record says which is the writer.
        error: what makes the run a failed one, though it did what it could.
    """

    code: str
    text: str
    newly_fenced: bool = False
    unfenced: bool = False
    two_writers: bool = False
    error: Exception | None = None


@dataclass
class Memory:
    """What the process of a guard remembers from one run to the next, for when the record cannot be read.

    Attributes:
        known: the last record that was read.
        told_of: what people were told of without a record of it.
        fenced: the epoch in which it was fenced without a record of it.
        rival_seen: in how many runs in a row the other site's old writer was seen to take writes.
    """

    known: OnRecord | None = None
    told_of: set[str] = field(default_factory=set)
    fenced: int | None = None
    rival_seen: int = 0
