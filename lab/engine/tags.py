"""Tags as the AWS provider sees them: its default tags, and over them the resource's own (``tagsAll``)."""

from __future__ import annotations

from collections.abc import Mapping

from lab.engine.registration import Registration


def merged_tags(registration: Registration) -> dict[str, str]:
    """All tags a resource gets in AWS."""
    defaults: Mapping[str, str] = {}
    if registration.provider is not None:
        configured = registration.provider.inputs.get("defaultTags")
        if configured is not None:
            defaults = configured.get("tags", {})
    own = registration.inputs.get("tags", {})
    return {**defaults, **own}


def tag_list(tags: Mapping[str, str], key: str = "Key", value: str = "Value") -> list[dict[str, str]]:
    """Tags as most AWS APIs take them."""
    return [{key: name, value: text} for name, text in sorted(tags.items())]


def tag_specifications(resource: str, tags: Mapping[str, str]) -> list[dict[str, object]]:
    """Tags as EC2 takes them at creation; without tags an empty list, since EC2 refuses an empty specification."""
    return [{"ResourceType": resource, "Tags": tag_list(tags)}] if tags else []
