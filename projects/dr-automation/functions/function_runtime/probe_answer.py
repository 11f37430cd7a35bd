"""One probe that is asked for directly: the event that asks for it, and the answer to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from function_runtime.session_outcome import SessionOutcome
from function_runtime.sites import Site

# EventBridge names the kind of each of its events, the schedule's too.
# https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-events-structure.html
OF_THE_SCHEDULE = "detail-type"
KEYS = frozenset({"probe", "database"})
ONCE = "once"
REMEDY = f'give {{"probe": "{ONCE}", "database": "{Site.PRIMARY}"}} or "{Site.RECOVERY}", or the schedule\'s own event'


class ProbeEventError(ValueError):
    """The probe does not know what it is asked for."""


def question(database: Site) -> dict[str, str]:
    """The event that asks for one probe of a site's database now."""
    return {"probe": ONCE, "database": database.value}


def database_of(event: Mapping[str, Any]) -> Site | None:
    """The database that one probe is asked for of; None where the event is the schedule's, or empty.

    Raises:
        ProbeEventError: it is neither.
    """
    if not event or OF_THE_SCHEDULE in event:
        return None
    if unknown := sorted(event.keys() - KEYS):
        raise ProbeEventError(f"event.{unknown[0]} = {event[unknown[0]]!r}: {REMEDY}")
    for key, known in (("probe", [ONCE]), ("database", list(Site))):
        if event.get(key) not in known:
            raise ProbeEventError(f"event.{key} = {event.get(key, '(not set)')!r}: {REMEDY}")
    return Site(event["database"])


@dataclass(frozen=True)
class ProbeAnswer:
    """What one probe found, now.

    Attributes:
        observer: the site that looked.
        database: the site whose database it looked at.
        answers: whether the server takes connections.
        handshake: how the handshake ended.
        session: how the session in it ended, None where the handshake brought none.
        has_committed: whether it has committed a heartbeat. A replica, in which a session works too, takes none.
        detail: what the server or the network said.
    """

    observer: Site
    database: Site
    answers: bool
    handshake: str
    session: SessionOutcome | None
    has_committed: bool
    detail: str

    def as_item(self) -> dict[str, Any]:
        """As the function answers it."""
        return {
            "observer": self.observer.value,
            "database": self.database.value,
            "answers": self.answers,
            "handshake": self.handshake,
            "session": None if self.session is None else self.session.name.lower(),
            "has_committed": self.has_committed,
            "detail": self.detail,
        }

    @classmethod
    def from_item(cls, item: object) -> ProbeAnswer:
        """Out of the function's answer.

        Raises:
            ValueError: it is none, as that of an older version of the function.
        """
        if not isinstance(item, Mapping):
            raise ValueError(f"the probe answered {item!r}: no object")  # noqa: TRY004 - it is a value from outside
        try:
            session = item["session"]
            found = cls(
                observer=Site(item["observer"]),
                database=Site(item["database"]),
                answers=item["answers"] is True,
                handshake=str(item["handshake"]),
                session=None if session is None else SessionOutcome[session.upper()],
                has_committed=item["has_committed"] is True,
                detail=str(item["detail"]),
            )
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ValueError(f"the probe answered {item!r}: {error!r}") from error
        if found.has_committed and not (found.answers and found.session is SessionOutcome.WORKS):
            raise ValueError(f"the probe answered {item!r}: a commit without a session that worked")
        return found

    def in_words(self) -> str:
        """For people."""
        if self.has_committed:
            return f"the {self.observer} site's probe has committed in it"
        if not self.answers:
            return f"the {self.observer} site's probe: {_words(self.handshake)} ({self.detail})"
        session = "no session" if self.session is None else f"session {_words(self.session.name.lower())}"
        return f"it answers the {self.observer} site's probe, which has not committed in it ({session})"


def _words(name: str) -> str:
    return name.replace("_", " ")
