"""failover: observes the active site from the standby site, decides, and carries a failover through to its end."""
