"""Random ids: made once, kept in the state, nothing in AWS."""

from __future__ import annotations

import base64
import secrets

from lab.engine.registration import Created, Values
from lab.engine.resource_table import Context, ResourceType, Types
from lab.engine.resources.api_arguments import required


def _create_random_id(_: Context, inputs: Values) -> Created:
    content = secrets.token_bytes(int(required(inputs, "byteLength")))
    url_safe = base64.urlsafe_b64encode(content).decode().rstrip("=")
    return Created(
        url_safe,
        {
            "b64Url": url_safe,
            "b64Std": base64.b64encode(content).decode(),
            "hex": content.hex(),
            "dec": str(int.from_bytes(content, "big")),
        },
    )


TYPES: Types = {"random:index/randomId:RandomId": ResourceType(_create_random_id, None, frozenset({"byteLength"}))}
