"""Tags every resource carries (C5). They are the provider's default tags, so that none can be forgotten."""

from __future__ import annotations

from collections.abc import Mapping

REQUIRED_TAGS = ("Environment", "Owner", "DR-Role", "EnvironmentSuffix")


def site_tags(*, environment: str, owner: str, dr_role: str, suffix: str) -> Mapping[str, str]:
    """The required tags.

    Args:
        environment: kind of environment (``production``, ``development``, ``lab``).
        owner: the team or person to ask.
        dr_role: the site the resource belongs to (``primary`` or ``recovery``).
        suffix: the environment's suffix.
    """
    return {"Environment": environment, "Owner": owner, "DR-Role": dr_role, "EnvironmentSuffix": suffix}
