"""RDS as the lab serves it: moto's protocol and bookkeeping, real PostgreSQL servers behind."""

SECRET_HEADER = "X-Lab-Secret"  # noqa: S105 - a name
"""The header by which the gateway shows that it has authenticated and authorised the request it forwards."""
