"""Names a master user cannot have."""

from __future__ import annotations

# RDS refuses its own users and, as "a reserved word used by the engine", PostgreSQL's fully reserved key words:
# https://www.postgresql.org/docs/14/sql-keywords-appendix.html
RESERVED_USER_NAMES = frozenset(
    """
    admin rdsadmin rdsrepladmin rdstopmgr public none
    all analyse analyze and any array as asc asymmetric authorization binary both case cast check collate collation
    column concurrently constraint create cross current_catalog current_date current_role current_schema current_time
    current_timestamp current_user default deferrable desc distinct do else end except false fetch for foreign freeze
    from full grant group having ilike in initially inner intersect into is isnull join lateral leading left like limit
    localtime localtimestamp natural not notnull null offset on only or order outer overlaps placing primary references
    returning right select session_user similar some symmetric table tablesample then to trailing true union unique user
    using variadic verbose when where window with
    """.split()  # noqa: SIM905 - a hundred lines otherwise
)
