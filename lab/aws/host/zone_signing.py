"""Route 53's GetDNSSEC, which MiniStack does not know: the provider asks before it deletes a zone."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ministack.services import route53  # type: ignore[import-untyped]

_GET_DNSSEC = re.compile(rf"^/{re.escape(route53.API_VERSION)}/hostedzone/([^/]+)/dnssec$")


def install() -> None:
    """Answer it for private zones, the only ones that the lab has, as AWS does: it is not for them.

    https://github.com/turbot/steampipe-plugin-aws/issues/587
    """
    handle = route53.handle_request

    async def handle_request(
        method: str, path: str, headers: Mapping[str, str], body: bytes, query: Mapping[str, Any]
    ) -> Any:
        asked = _GET_DNSSEC.match(path) if method == "GET" else None
        zone = None if asked is None else route53._zones.get(asked.group(1))
        if zone is not None and zone["private"]:
            return route53._error_response("InvalidArgument", "Operation is unsupported for private hosted zones.")
        return await handle(method, path, headers, body, query)

    route53.handle_request = handle_request
