"""Route 53's calculated health checks, whose children MiniStack does not read."""

from __future__ import annotations

from typing import Any

from ministack.services import route53  # type: ignore[import-untyped]

_CHILDREN, _CHILD = "ChildHealthChecks", "ChildHealthCheck"


def install() -> None:
    """Take the children's ids out of the request.

    MiniStack looks for each inside of its own element, and keeps an empty id.
    """
    parse = route53._parse_health_check_config

    def parsed(element: Any) -> dict[str, Any]:
        config: dict[str, Any] = parse(element)
        children = route53._find(element, _CHILDREN)
        if children is not None:
            config[_CHILDREN] = [each.text or "" for each in route53._findall(children, _CHILD)]
        return config

    route53._parse_health_check_config = parsed
