"""What it says about a database that a session ended with an error.

https://www.postgresql.org/docs/14/errcodes-appendix.html. Only a write that the server itself refuses for lack of space
or because it takes none says that clients cannot write. All that goes wrong with a login says nothing about it.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from typing import Any

from pg8000.exceptions import DatabaseError  # type: ignore[import-untyped]

from function_runtime.session_outcome import SessionOutcome

INVALID_AUTHORIZATION_CLASS = "28"
SYNTAX_ERROR_OR_ACCESS_RULE_CLASS = "42"
INSUFFICIENT_PRIVILEGE = "42501"
OUTCOMES = {
    # The database, the schema.
    "3D000": SessionOutcome.NOT_PREPARED,
    "3F000": SessionOutcome.NOT_PREPARED,
    INSUFFICIENT_PRIVILEGE: SessionOutcome.NOT_ADMITTED,
    # too_many_connections, of the role or of the server, and lock_not_available.
    "53300": SessionOutcome.NO_ROOM,
    "55P03": SessionOutcome.NO_ROOM,
    "25006": SessionOutcome.READ_ONLY,
    "53100": SessionOutcome.FULL,
}
NO_SUCH_ROLE = 'role "{}" does not exist'
NO_SPACE = "No space left on device"


def ending_of(error: BaseException, user: str) -> tuple[SessionOutcome, str]:
    """The outcome, and what the server or the network said.

    Args:
        error: what ended the session, with what it came from.
        user: the role that logged in.
    """
    for each in _chain(error):
        if isinstance(each, ssl.SSLCertVerificationError):
            return SessionOutcome.NOT_VERIFIED, each.verify_message
        if isinstance(each, DatabaseError):
            return _refusal(each.args[0], user)
    text = str(error)
    return SessionOutcome.NOT_ENDED, text if text else type(error).__name__


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and those before it: on a connection that the server has closed, pg8000's own goodbye fails too."""
    found: BaseException | None = error
    while found is not None:
        yield found
        found = found.__context__


def _refusal(fields: dict[str, Any], user: str) -> tuple[SessionOutcome, str]:
    code, message = str(fields.get("C", "")), str(fields.get("M", ""))
    said = f"{code}: {message}"
    if code in OUTCOMES:
        return OUTCOMES[code], said
    if NO_SPACE in message:
        return SessionOutcome.FULL, said
    if code.startswith(INVALID_AUTHORIZATION_CLASS):
        # RDS answers "PAM authentication failed" whatever is wrong, which does not say that the role is missing.
        missing = NO_SUCH_ROLE.format(user) in message
        return SessionOutcome.NOT_PREPARED if missing else SessionOutcome.NOT_ADMITTED, said
    if code.startswith(SYNTAX_ERROR_OR_ACCESS_RULE_CLASS):
        return SessionOutcome.NOT_PREPARED, said
    return SessionOutcome.NOT_ENDED, said
