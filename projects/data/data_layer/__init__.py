"""The data layer: the primary database, its replica in the recovery site, and the backup buckets of both sites."""
