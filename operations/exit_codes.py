"""The exit codes of the operators' commands."""

DONE = 0
REFUSED = 1
"""Refused, failed, or done in part only."""
BAD_INPUT = 2
WOULD_NOT_HAPPEN = 3
"""A dry run of a failover that would not happen."""
INTERRUPTED = 130
