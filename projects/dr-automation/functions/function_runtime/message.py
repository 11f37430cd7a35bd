"""A message to people, as SNS takes it."""

from __future__ import annotations

from dataclasses import dataclass

# https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
LONGEST_SUBJECT = 99


@dataclass(frozen=True)
class Message:
    """One message.

    Attributes:
        subject: one line of ASCII.
        text: everything else.
    """

    subject: str
    text: str
