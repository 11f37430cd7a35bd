"""How a question about the writer is answered."""

from __future__ import annotations

from enum import StrEnum


class Answer(StrEnum):
    """How a question about the writer is answered. Axis of knowledge."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"
