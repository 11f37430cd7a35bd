"""The dr-automation layer: probes, failover, fence-guards, witness, topics, state, names and health checks."""
