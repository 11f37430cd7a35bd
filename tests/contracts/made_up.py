"""Values of a contract's type, for tests of the layers above."""

from __future__ import annotations

from typing import Any

from shared.contract import Contract


def made_up(contract: type[Contract]) -> dict[str, Any]:
    """The key in small letters for a text, 3 for a number."""
    return {field.key: 3 if field.value_type is int else field.key.lower() for field in contract.fields()}
