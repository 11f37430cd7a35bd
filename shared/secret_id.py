"""A secret that is replicated: under one name in every region, with an ARN that differs in the region alone.

https://docs.aws.amazon.com/secretsmanager/latest/userguide/replicate-secrets.html
"""

from __future__ import annotations

# Of arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME-SUFFIX.
REGION_PART = 3


def secret_id_in(secret_id: str, region: str) -> str:
    """What the secret is called in a region: its name, or its ARN there."""
    if not secret_id.startswith("arn:"):
        return secret_id
    parts = secret_id.split(":")
    return ":".join([*parts[:REGION_PART], region, *parts[REGION_PART + 1 :]])


def secret_pattern(secret_id: str, region: str, account_id: str) -> str:
    """The secret's ARN in a region, for a policy. AWS ends it with six characters that its name alone does not tell."""
    known = secret_id_in(secret_id, region)
    return known if known.startswith("arn:") else f"arn:aws:secretsmanager:{region}:{account_id}:secret:{known}-??????"
