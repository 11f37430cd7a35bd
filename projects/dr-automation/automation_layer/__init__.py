"""The dr-automation layer: probes, failover, topics, state, names and health checks."""
