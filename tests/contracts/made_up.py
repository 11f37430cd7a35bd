"""Values of a contract's type, for tests of the layers above."""

from __future__ import annotations

from typing import Any

from shared.contract import Contract, Field
from shared.sites import Site

# What must be one of a few words.
CHOSEN = {"activeSite": str(Site.PRIMARY)}


def made_up(contract: type[Contract]) -> dict[str, Any]:
    """The key in small letters for a text, a list of it for a list, 3 for a number."""
    return {field.key: _value(field) for field in contract.fields()}


def _value(field: Field) -> Any:
    text = CHOSEN.get(field.key, field.key.lower())
    return {int: 3, list: [text]}.get(field.value_type, text)
