"""The lab: the whole system on one machine. An AWS in a process, real PostgreSQL servers, real function code."""
